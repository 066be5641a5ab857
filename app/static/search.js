// Searches while a reader types, and shows the results of the search page in a panel under the field.
(() => {
"use strict"

// Milliseconds without a key before a search begins.
const PAUSE = 250

const one = (selector, root = document) => root.querySelector(selector)
let field, panel, timer
let request = new AbortController()

const links = () => [...panel.querySelectorAll("a")]

function close() {
  clearTimeout(timer)
  request.abort()
  panel.hidden = true
}

function show(...content) {
  panel.replaceChildren(...content)
  panel.hidden = false
}

function say(words) {
  const note = document.createElement("p")
  note.className = "note"
  note.textContent = words
  show(note)
}

function searchSoon(pause = PAUSE) {
  close()
  if (field.value.trim()) timer = setTimeout(search, pause)
}

function search() {
  const url = new URL(field.form.action)
  url.searchParams.set("q", field.value)
  load(url).catch((error) => error.name === "AbortError" || say("The search failed."))
}

// Resolves with the results at `url`, once they are shown.
async function load(url) {
  request.abort()
  request = new AbortController()
  const response = await fetch(url, { signal: request.signal })
  if (response.status === 429) {
    // The search before this one may still be running.
    const seconds = Number(response.headers.get("Retry-After")) || 1
    if (seconds > 5) say(`Too many searches; they go on in ${seconds} seconds.`)
    return searchSoon(seconds * 1000)
  }
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  const page = new DOMParser().parseFromString(await response.text(), "text/html")
  const results = one("#ui-results", page)
  results ? show(...results.childNodes) : close()
}

// Moves the focus by `count` results; before the first is the field.
function walk(count) {
  const places = [field, ...links()]
  places[Math.max(0, Math.min(places.indexOf(document.activeElement) + count, places.length - 1))].focus()
}

function onKey(event) {
  const count = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (event.key === "Escape") {
    close()
    field.value = ""
    document.activeElement.blur()
  } else if (!panel.hidden && count) {
    walk(count)
  } else if (event.key === "Enter" && event.target === field && !panel.hidden && links()[0]) {
    links()[0].focus()
  } else return
  event.preventDefault()
}

// A place on this page needs no other; more results take the place of these.
function follow(event) {
  const link = event.target.closest("a")
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
  if (link.matches(".more")) {
    event.preventDefault()
    load(link.href).then(() => links()[0]?.focus(), () => say("The search failed."))
  } else if (document.getElementById(link.hash.slice(1))) {
    event.preventDefault()
    if (location.hash === link.hash) dispatchEvent(new HashChangeEvent("hashchange"))
    else location.hash = link.hash
  }
}

document.addEventListener("DOMContentLoaded", () => {
  field = one("#ui-search")
  if (!field) return
  panel = one("#ui-found")
  const form = field.form
  field.addEventListener("input", () => searchSoon())
  field.addEventListener("focus", () => panel.hidden && searchSoon(0))
  form.addEventListener("keydown", onKey)
  panel.addEventListener("click", follow)
  document.addEventListener("click", ({ target }) => form.contains(target) || close())
})
})()
