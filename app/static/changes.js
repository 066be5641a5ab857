// Remembers how the reader wants diffs: in one column, or side by side.
// Runs in <head>, so that the page does not appear in the other layout first.
(() => {
"use strict"

const address = new URL(location)
try {
  if (localStorage.getItem("diff") === "split" && !address.searchParams.has("diff")) {
    address.searchParams.set("diff", "split")
    location.replace(address)
  }
} catch {} // Browsers may refuse.

document.addEventListener("click", ({ target }) => {
  const mode = target.closest(".diff-modes a")?.dataset.diff
  try {
    if (mode) localStorage.setItem("diff", mode)
  } catch {}
})

// What an address points at is unfolded.
function showTarget() {
  const details = document.querySelector(":target > details")
  if (details) details.open = true
}
addEventListener("DOMContentLoaded", showTarget)
addEventListener("hashchange", showTarget)
})()
