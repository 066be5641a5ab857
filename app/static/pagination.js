// Only in sessions of several pages: brings the page before and the page after when they come near.
(() => {
"use strict"

const { keepPlace, morph, watch, filter, etag } = window.sessionPage
const all = (selector) => [...document.querySelectorAll(selector)]

// Pages, and the links to others around them, that are at most a window's height away.
const near = new Set()
const nearing = new IntersectionObserver(noteNear, { rootMargin: "100% 0px" })
// The version of the session that was known when each page was asked for: what comes may be newer.
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
  filter()
}

// Another page's links lead on from there.
function exchange(old, links) {
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
  const asked = etag()
  const { page, links } = await fetched(link.dataset.src)
  if (!isEnd) await scrollEnd()
  const edge = all(".page").at(isEnd ? -1 : 0)
  const top = edge.getBoundingClientRect().top
  edge[isEnd ? "after" : "before"](page)
  exchange(old, links)
  // What comes before what is read does not move it.
  scrollBy({ top: edge.getBoundingClientRect().top - top, behavior: "instant" })
  follow(page, asked)
}

async function reloadPage(shown) {
  const asked = etag()
  const { page, links } = await fetched(shown.dataset.src)
  keepPlace(() => morph(shown, page))
  if (shown === all(".page").at(-1)) exchange(all(".pages").at(-1), links)
  follow(shown, asked)
}

const isLinks = (element) => element.matches(".pages")
const isOld = (element) => element.matches(".page") && versions.get(element) !== etag()

function nextToLoad() {
  // A filter hides so much that everything would come near.
  const isFiltered = document.querySelector("#filter").value
  // Whoever arrives at the head of a page is not to see it replaced by the one before.
  const isAway = (links) => links === all(".pages").at(-1) || links.getBoundingClientRect().bottom < 0
  return [...near].find((element) => isOld(element) || (isLinks(element) && !isFiltered && isAway(element)))
}

let isBusy = false

// One after another, for as long as something near is missing or old.
async function loadNearby() {
  if (isBusy) return
  isBusy = true
  try {
    for (let element; (element = nextToLoad()); await nextFrame()) await (isLinks(element) ? extend : reloadPage)(element)
  } catch {
    // The links lead there as well, and what comes near next is tried again.
  }
  isBusy = false
}

// Until the observer has told what is near now.
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))

// A scroll under way to some place would end somewhere else.
async function scrollEnd() {
  for (let y; y !== scrollY; await nextFrame()) y = scrollY
}

document.addEventListener("DOMContentLoaded", () => {
  const [own] = all(".page")
  follow(own, etag())
  all(".pages").forEach((links) => nearing.observe(links))
  document.addEventListener("session:updated", () => {
    versions.set(own, etag())
    loadNearby()
  })
  document.querySelector("#filter").addEventListener("input", loadNearby)
  document.addEventListener("scroll", loadNearby, { passive: true })
})
})()
