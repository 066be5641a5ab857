// Themes, levels of detail, keys, copying, and following a session.
// Runs in <head>, so that the theme applies before the first paint.
(() => {
"use strict"

// Milliseconds between polls.
const SHORTEST = 2000
const LONGEST = 30_000

const one = (selector, root = document) => root.querySelector(selector)
const ui = (name, root) => one(`#ui-${name}`, root)
const all = (selector, root = document) => [...root.querySelectorAll(selector)]
const on = (target, type, act) => target.addEventListener(type, act)
// Pixels, just below the bar.
const TOP = 80
const topOf = (element) => element.getBoundingClientRect().top

// --- Themes

const sheet = ui("theme")
const automatic = sheet.getAttribute("href")

function showTheme(name) {
  const href = automatic.replace("auto.css", `${name}.css`)
  if (sheet.getAttribute("href") !== href) sheet.setAttribute("href", href)
}

function chooseTheme() {
  const { value, selectedOptions } = ui("themes")
  showTheme(value)
  showToast(`Theme: ${selectedOptions[0].text}`)
  localStorage.setItem("theme", value)
}

function nextTheme() {
  const themes = ui("themes")
  themes.selectedIndex = (themes.selectedIndex + 1) % themes.length
  chooseTheme()
}

// --- Levels of detail

const root = document.documentElement
const openRuns = () => all(".run").forEach((run) => (run.open ||= root.dataset.level === "everything"))

function showLevel(level) {
  root.dataset.level = level
  for (const link of all(".levels a")) link.ariaCurrent = link.dataset.level === level || null
  all(".run").forEach((run) => (run.open = false))
  openRuns()
}

function chooseLevel(event) {
  const { level } = event.target.dataset
  if (!level || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  keepPlace(() => showLevel(level))
  localStorage.setItem("level", level)
  history.replaceState(history.state, "", atLevel(location))
}

// An address with the level that is shown.
function atLevel(address) {
  const url = new URL(address)
  const { level } = root.dataset
  if (level === "highlights") url.searchParams.delete("view")
  else url.searchParams.set("view", level)
  return String(url)
}

function nextLevel() {
  const links = all(".levels a")
  const here = links.findIndex((link) => link.ariaCurrent)
  links[(here + 1) % links.length].click()
}

// The file is as the reader sees the page.
function saveAsSeen({ target }) {
  target.search = new URLSearchParams({ view: root.dataset.level, theme: ui("themes").value || "auto" })
}

// --- Toasts

let silence

function showToast(words) {
  ui("toast").textContent = words
  clearTimeout(silence)
  if (words) silence = setTimeout(showToast, 2000, "")
}

function showAction(words, act) {
  const button = document.createElement("button")
  button.textContent = words
  on(button, "click", act)
  ui("new-content").replaceChildren(button)
}

// --- Copying. Code in Markdown has a button of its own; another moves to the block under the pointer or with the focus.

const copier = document.createElement("button")
copier.className = "copy"

const fetched = (url, otherwise) =>
  fetch(url).then((response) => (response.ok ? response.text() : otherwise)).catch(() => otherwise)

async function copy(text) {
  try {
    // Safari refuses after a wait, but accepts a promise.
    const blob = text.then((words) => new Blob([words], { type: "text/plain" }))
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })])
  } catch {
    // The clipboard API needs https.
    const words = await text
    document.oncopy = (event) => event.clipboardData.setData("text/plain", words) ?? event.preventDefault()
    const isCopied = document.execCommand("copy")
    document.oncopy = null
    if (!isCopied) return showToast("Copying failed")
  }
  showToast("Copied")
}

// Without line numbers, the new text of a diff with its folded rest, all of an excerpt.
function code(box) {
  const whole = box.closest(".diff") || box
  const lines = (selector) => all(selector, whole).map((cell) => cell.textContent).join("\n")
  const excerpt = box.matches("pre") ? box.textContent : lines("tr:not(.removed) > .text") || lines(".text")
  const note = box.nextElementSibling
  const more = note?.matches(".note") && one('a[href*="/full/"]', note)
  return more ? fetched(more.href, excerpt) : excerpt
}

// A short command is only in the summary line of its call.
function command(links) {
  const [action, subject] = links.closest(".tool").firstElementChild.children
  return action.textContent === "$" && (one("pre.code:not(.screen)", links.parentElement) || subject).textContent
}

// The source text up to the next author.
async function message(author) {
  const texts = []
  for (let step = author; (step = step.nextElementSibling) && !step.matches(".author"); )
    texts.push(...all(":scope > div:not(.file, .items)", step))
  const { share } = one("main").dataset
  const read = ({ id, innerText }) => fetched(`${share}/full/${encodeURIComponent(id)}/text`, innerText)
  return (await Promise.all(texts.map(read))).join("\n\n")
}

function offerCopy({ target }) {
  if (target.closest(".listing")) return
  const place = target.closest("pre.code, .scroll, .tool .links, .author")
  if (!place) return
  const read = { author: message, links: command }[place.className] || code
  if (read === command && !command(place)) return
  copier.ariaLabel = `Copy ${read.name}`
  copier.onclick = () => copy(Promise.resolve(read(place)))
  copier.style.inset = `${place.scrollTop}px ${-place.scrollLeft}px auto auto`
  if (copier.parentElement !== place) place.append(copier)
}

function copyListing({ target }) {
  if (target.matches(".listing .copy")) copy(Promise.resolve(code(one("pre", target.closest(".listing")))))
}

// --- Turns: moving between them, marking the current one

const turns = () => all(".turn")
let jump = {}

function goTo(turn) {
  if (!turn) return
  one("h2", turn).focus({ preventScroll: true })
  turn.scrollIntoView({ behavior: "instant" })
  jump = { turn, y: scrollY }
}

// Short turns at the end cannot scroll to the top: the last jump counts, also if the layout has moved a little since.
const isAtEnd = () => scrollY + innerHeight > root.scrollHeight - 2
const isJumpHere = () => jump.y === scrollY || (jump.turn && isAtEnd() && topOf(jump.turn) >= 0)
const turnHere = () => (isJumpHere() ? jump.turn : turns().findLast((turn) => topOf(turn) <= TOP))
const goBy = (count) => goTo(turns()[turns().indexOf(turnHere()) + count])

function mark(turn) {
  one(".contents [aria-current]")?.removeAttribute("aria-current")
  const link = one(`.contents a[href$="#${CSS.escape(one(".step", turn).id)}"]`)
  if (!link) return
  link.setAttribute("aria-current", "true")
  const list = link.closest("ol")
  list.scrollTop = link.offsetTop - list.offsetTop - list.clientHeight / 2
}

// Beside the session they are always open; above it, a reader opens them.
const WIDE = matchMedia("(min-width: 75rem)")
const showContents = () => all(".contents").forEach((contents) => (contents.open = WIDE.matches))

const markRead = (entries) => entries.forEach((entry) => entry.isIntersecting && mark(entry.target))
const reading = new IntersectionObserver(markRead, { rootMargin: "-25% 0px -75%" })

function watch() {
  all(".turn").forEach((turn) => reading.observe(turn))
  openRuns()
  document.dispatchEvent(new Event("session:shown"))
}

// --- Folding, and the target of the URL

// The blocks that were open before all were.
let opened

function foldAll() {
  const before = opened
  opened = before ? undefined : new Set(all("details.block[open]"))
  keepPlace(() => all("details.block").forEach((block) => (block.open = !before || before.has(block))))
  ui("fold").textContent = opened ? "Collapse" : "Expand all"
}

function foldTurn() {
  const blocks = all("details.block", turnHere() || turns()[0])
  const isOpen = blocks.every((block) => block.open)
  keepPlace(() => blocks.forEach((block) => (block.open = !isOpen)))
}

function toggleUndone() {
  if (!one(".undone")) return showToast("Nothing was undone")
  keepPlace(() => root.toggleAttribute("data-hides-undone"))
  showToast(root.hasAttribute("data-hides-undone") ? "Undone messages are hidden" : "Undone messages are shown")
}

// The permalink of the message at the top, at this level of detail; above the first, the address of the page.
function copyLink() {
  const message = all(".author a").findLast((link) => topOf(link) <= innerHeight / 3)
  copy(Promise.resolve(atLevel(message || location)))
}

function showTarget() {
  const target = one(":target")
  if (!target) return
  const outer = target.matches(".body") ? target.parentElement : target
  for (let at = outer; at; at = at.parentElement) if (at.matches("details")) at.open = true
  if (!isShown(outer)) showLevel("highlights")
  outer.scrollIntoView()
}

const isShown = (element) => element.getClientRects().length > 0

// Keeps the scroll position of what is just below the bar during `change`; if that is hidden, of what follows.
function keepPlace(change) {
  const places = all(".author, .step[id], .turn .block").filter(isShown)
  const first = places.findLastIndex((place) => topOf(place) <= TOP)
  const following = places.slice(Math.max(first, 0))
  const tops = following.map(topOf)
  const { activeElement } = document
  change()
  if (!isShown(activeElement)) one("h2", activeElement.closest(".turn"))?.focus({ preventScroll: true })
  const kept = following.findIndex(isShown)
  if (kept >= 0) scrollBy({ top: topOf(following[kept]) - tops[kept], behavior: "instant" })
}

// --- Live updates. Unchanged nodes keep focus, selection and open blocks.

function named(parent) {
  const nodes = new Map()
  const counts = {}
  for (const child of parent.childNodes) {
    if (child === copier) continue
    const id = child.id || (child.localName === "details" && one(".body", child)?.id)
    const name = `${child.nodeName} ${id}`
    counts[name] = (counts[name] || 0) + 1
    nodes.set(`${name} ${counts[name]}`, child)
  }
  return nodes
}

// Makes `live` equal to `next`; returns what was added.
function morph(live, next) {
  if (live.isEqualNode(next)) return []
  // Other pages may have been loaded.
  if (live.className === "pages" && all(".page")[1]) return []
  if (live.id === "ui-steps") return morph(one(`#${one(".page", next).id}`), one(".page", next))
  if ("data" in live) {
    // Keeps a selection in it.
    if (next.data.startsWith(live.data)) live.appendData(next.data.slice(live.length))
    else live.data = next.data
    return []
  }
  const readers = ["open", "hidden", "aria-current"]
  for (const name of live.getAttributeNames())
    if (!next.hasAttribute(name) && !readers.includes(name)) live.removeAttribute(name)
  for (const { name, value } of next.attributes)
    if (live.getAttribute(name) !== value) live.setAttribute(name, value)
  const [old, current] = [named(live), named(next)]
  for (const [name, child] of old) if (!current.has(name)) child.remove()
  const added = []
  let last
  for (const [name, original] of current) {
    const child = old.get(name) || document.importNode(original, true)
    const place = last ? last.nextSibling : live.firstChild
    if (place !== child) live.insertBefore(child, place)
    if (old.has(name)) added.push(...morph(child, original))
    else if (child.matches) added.push(child)
    last = child
  }
  return added
}

const arrivals = new IntersectionObserver(([entry]) => entry.isIntersecting && ui("new-content").replaceChildren())

function show(next) {
  let added
  document.title = next.title
  keepPlace(() => (added = morph(one(".columns"), one(".columns", next))))
  watch()
  const first = added.find((element) => topOf(element) > innerHeight && element.closest(".page"))
  if (!first) return
  showAction("New messages ↓", () => first.scrollIntoView())
  arrivals.observe(first)
}

let etag, timer
let changedAt = Date.now()
let notBefore = 0
let failures = 0

function schedulePoll(pause) {
  clearTimeout(timer)
  if (pause && !document.hidden && ui("steps")) timer = setTimeout(pollNow, pause)
}

function backOff(response) {
  const retryAfter = response?.headers.get("Retry-After") * 1000 || 0
  const pause = Math.max(retryAfter, Math.min(SHORTEST * 2 ** failures++, 10 * LONGEST))
  notBefore = Date.now() + pause
  return pause
}

const isGone = ({ status }) => status === 404 || status === 410
const get = (url) =>
  fetch(url, { cache: "no-store", headers: { "If-None-Match": etag }, signal: AbortSignal.timeout(LONGEST) })

const pollNow = async () => schedulePoll(await poll().catch(() => backOff()))

// Returns the next delay.
async function poll() {
  const response = await get(location.pathname + location.search)
  if (isGone(response)) return onGone()
  if (![200, 304].includes(response.status)) return backOff(response)
  const text = await response.text()
  failures = 0
  if (text) {
    const next = new DOMParser().parseFromString(text, "text/html")
    if (ui("theme", next).getAttribute("href") !== automatic)
      return showAction("New version: reload", () => location.reload())
    etag = response.headers.get("ETag")
    changedAt = Date.now()
    show(next)
    document.dispatchEvent(new Event("session:updated"))
  }
  // Polls less often the longer nothing has changed.
  return Math.min(Math.max((Date.now() - changedAt) / 10, SHORTEST), LONGEST)
}

// A page may vanish alone: its messages were undone or moved to another page.
async function onGone() {
  const { share } = one("main").dataset
  if (!isGone(await get(share))) return showAction("This page is gone: open the session", () => location.assign(share))
  document.title = "This share is gone"
  all(".toolbar, .bar-title").forEach((part) => part.remove())
  ui("new-content").remove()
  one(".columns").replaceWith(ui("gone").content)
}

// --- Keys

const KEYS = {
  // Phones have a link in place of the field.
  "/": () => (isShown(ui("search")) ? ui("search").focus() : one(".search-link").click()),
  j: () => goBy(1),
  k: () => goBy(-1),
  t: nextTheme,
  e: foldAll,
  v: nextLevel,
  o: foldTurn,
  u: toggleUndone,
  y: copyLink,
  "?": () => ui("settings").showPopover(),
}

function onKey(event) {
  const { key, target } = event
  if (event.ctrlKey || event.metaKey || event.altKey || !one(".toolbar")) return
  if (!KEYS[key] || target.closest("input, select, dialog")) return
  event.preventDefault()
  KEYS[key]()
}

function start() {
  on(document, "click", copyListing)
  if (!ui("steps")) return
  etag = one("main").dataset.etag
  ui("themes").value = theme
  showLevel(root.dataset.level)
  showContents()
  watch()
  showTarget()

  on(ui("themes"), "change", chooseTheme)
  on(ui("fold"), "click", foldAll)
  on(ui("html"), "click", saveAsSeen)
  on(one(".levels"), "click", chooseLevel)
  on(ui("previous"), "click", () => goBy(-1))
  on(ui("next"), "click", () => goBy(1))
  on(WIDE, "change", showContents)
  on(document, "pointerover", offerCopy)
  on(document, "focusin", offerCopy)
  on(window, "keydown", onKey)
  on(window, "hashchange", showTarget)
  on(document, "visibilitychange", () => schedulePoll(Math.max(notBefore - Date.now(), 1)))
  schedulePoll(SHORTEST)
}

window.sessionPage = { keepPlace, morph, watch, showLevel, copy, etag: () => etag }

let theme = "auto"
try {
  theme = localStorage.getItem("theme") || theme
  const level = localStorage.getItem("level")
  // An address that names a level has its way.
  if (level && root.dataset.level && !/[?&]view=/.test(location.search)) root.dataset.level = level
} catch {} // Browsers may refuse.
showTheme(theme)
on(sheet, "error", () => showTheme("auto"))
root.classList.add("scripted")
on(document, "DOMContentLoaded", start)
})()
