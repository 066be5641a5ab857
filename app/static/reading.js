// What a reader does with a session: reads times, quotes, prints, and comes back to it.
(() => {
"use strict"

const { copy, keepPlace, showLevel } = window.sessionPage
const all = (selector, root = document) => [...root.querySelectorAll(selector)]
const on = (target, type, act) => target.addEventListener(type, act)
const root = document.documentElement
const stepAt = ({ startContainer: node }) => (node.closest ? node : node.parentElement).closest("#ui-steps .step[data-message]")
const topOf = (element) => element.getBoundingClientRect().top

// --- Times, in the reader's own zone and language; the server's stay in the title.

function showTimes() {
  for (const time of all("time[datetime]:not([title])")) {
    const date = new Date(time.dateTime)
    if (isNaN(date)) continue
    time.title = time.textContent
    time.textContent = date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" })
  }
}

// --- Quoting: a button below selected text copies it with a link that leads back to it.

// A longer quotation is found by its first and last words.
const MAX_WORDS = 12
const ENDS = 5
const quoter = document.createElement("button")
quoter.className = "quote"
quoter.textContent = "Quote"
quoter.hidden = true

// https://wicg.github.io/scroll-to-text-fragment/ has `-` as a separator, which encodeURIComponent keeps.
const encoded = (words) => encodeURIComponent(words.join(" ")).replaceAll("-", "%2D")

// Each end must be within one block of the page.
function textFragment(text) {
  const lines = text.split(/\s*\n\s*/).map((line) => line.split(/\s+/))
  if (!lines[1] && lines[0].length <= MAX_WORDS) return encoded(lines[0])
  return `${encoded(lines[0].slice(0, ENDS))},${encoded(lines.at(-1).slice(-ENDS))}`
}

function quote() {
  const selection = getSelection()
  const text = String(selection).trim()
  const step = stepAt(selection.getRangeAt(0))
  const link = `${document.querySelector("main").dataset.share}/m/${encodeURIComponent(step.dataset.message)}`
  const lines = text.split("\n").map((line) => `> ${line}`)
  copy(Promise.resolve(`${lines.join("\n")}\n\n${new URL(link, location)}#:~:text=${textFragment(text)}`))
  quoter.hidden = true
}

function offerQuote() {
  const selection = getSelection()
  const range = !selection.isCollapsed && selection.rangeCount && selection.getRangeAt(0)
  const step = range && stepAt(range)
  quoter.hidden = !step || !String(selection).trim()
  if (quoter.hidden) return
  const { bottom, right } = range.getBoundingClientRect()
  quoter.style.top = `${Math.min(bottom, innerHeight - 60) + scrollY + 6}px`
  quoter.style.left = `${Math.max(20, Math.min(right, innerWidth - 20) - 70)}px`
}

// --- Printing: highlights, with what is folded and short unfolded.

const MAX_PRINTED_CHARACTERS = 2000
let undoPrinting

function prepareToPrint() {
  const { level } = root.dataset
  showLevel("highlights")
  const folded = all(".session details:not([open])").filter((each) => each.textContent.length <= MAX_PRINTED_CHARACTERS)
  for (const each of folded) each.open = true
  undoPrinting = () => {
    for (const each of folded) each.open = false
    showLevel(level)
  }
}

// --- Coming back: a browser knows the scroll position, but not which further pages were loaded.

function notePlace() {
  const step = all("#ui-steps .step[id]").findLast((each) => topOf(each) <= innerHeight / 3)
  if (step) history.replaceState({ ...history.state, place: step.id, top: topOf(step) }, "")
}

function returnToPlace() {
  const [{ type }] = performance.getEntriesByType("navigation")
  const { place, top } = history.state || {}
  if (!place || type !== "back_forward") return
  const step = document.getElementById(place)
  if (!step) return location.replace(`${document.querySelector("main").dataset.share}/m/${encodeURIComponent(place)}#${place}`)
  history.scrollRestoration = "manual"
  scrollBy({ top: topOf(step) - top, behavior: "instant" })
}

on(document, "session:shown", showTimes)
on(document, "DOMContentLoaded", () => {
  showTimes()
  document.body.append(quoter)
  on(quoter, "pointerdown", (event) => event.preventDefault())
  on(quoter, "click", quote)
  on(document, "selectionchange", offerQuote)
  on(window, "beforeprint", prepareToPrint)
  on(window, "afterprint", () => keepPlace(undoPrinting))
  on(window, "pagehide", notePlace)
  returnToPlace()
})
})()
