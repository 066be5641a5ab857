// Infinite scrolling for sessions of several pages: loads the previous and the next page when they come near.
(() => {
"use strict"

const { keepPlace, morph, watch, etag } = window.sessionPage
const all = (selector) => [...document.querySelectorAll(selector)]

// Pages and page links that are at most one window height away.
const near = new Set()
const nearing = new IntersectionObserver(noteNear, { rootMargin: "100% 0px" })
// The known ETag of the session when each page was requested; the response may be newer.
const versions = new Map()

function noteNear(entries) {
  for (const { target, isIntersecting } of entries) near[isIntersecting ? "add" : "delete"](target)
  loadNearby()
}

async function fetched(url) {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  const content = new DOMParser().parseFromString(await response.text(), "text/html")
  const [page, links] = [".page", ".pages"].map((selector) => content.querySelector(selector))
  if (!page || !links) throw new Error(`${url} has no pages around it any more`)
  return { page, links }
}

function follow(page, version) {
  versions.set(page, version)
  nearing.observe(page)
  watch()
}

// Replaces page links by those of the page loaded beyond them.
function replaceLinks(old, links) {
  links.setAttribute("aria-label", old.getAttribute("aria-label"))
  nearing.unobserve(old)
  near.delete(old)
  old.replaceWith(links)
  nearing.observe(links)
}

async function extend(old) {
  const isEnd = old === all(".pages").at(-1)
  const link = old.querySelector(isEnd ? "[rel=next]" : "[rel=prev]")
  if (!link) return near.delete(old)
  const requestedAt = etag()
  const { page, links } = await fetched(link.dataset.src)
  if (!isEnd) await scrollEnd()
  const edge = all(".page").at(isEnd ? -1 : 0)
  const top = edge.getBoundingClientRect().top
  edge[isEnd ? "after" : "before"](page)
  replaceLinks(old, links)
  // A page inserted above does not move what is read.
  scrollBy({ top: edge.getBoundingClientRect().top - top, behavior: "instant" })
  follow(page, requestedAt)
}

async function reloadPage(current) {
  const requestedAt = etag()
  const { page, links } = await fetched(current.dataset.src)
  keepPlace(() => morph(current, page))
  if (current === all(".page").at(-1)) replaceLinks(all(".pages").at(-1), links)
  follow(current, requestedAt)
}

const isLinks = (element) => element.matches(".pages")
const isOld = (element) => element.matches(".page") && versions.get(element) !== etag()

function nextToLoad() {
  // At the top of a page, the previous one must not push it away.
  const isAway = (links) => links === all(".pages").at(-1) || links.getBoundingClientRect().bottom < 0
  return [...near].find((element) => isOld(element) || (isLinks(element) && isAway(element)))
}

let isBusy = false

// Loads one page after another, as long as one near is missing or outdated.
async function loadNearby() {
  if (isBusy) return
  isBusy = true
  try {
    for (let element; (element = nextToLoad()); await nextFrame()) await (isLinks(element) ? extend : reloadPage)(element)
  } catch {
    // The links still work, and the next scroll retries.
  }
  isBusy = false
}

// Resolves after the observer has reported.
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))

// Inserting content during a smooth scroll would change where it ends.
async function scrollEnd() {
  for (let y; y !== scrollY; await nextFrame()) y = scrollY
}

document.addEventListener("DOMContentLoaded", () => {
  if (!all(".pages").length) return
  const [own] = all(".page")
  follow(own, etag())
  all(".pages").forEach((links) => nearing.observe(links))
  document.addEventListener("session:updated", () => {
    versions.set(own, etag())
    loadNearby()
  })
  document.addEventListener("scroll", loadNearby, { passive: true })
})
})()
