import type { Steps } from "./steps"

/** Characters between two pauses. */
const CHUNK = 100_000
/** A match that goes on for so many characters past the end of its chunk is one in the whole text too. */
const OVERLAP = 1_000
/** How far patterns look behind. */
const BEHIND = 64

/**
 * The offsets at which matches of a sticky pattern begin. The pattern looks behind at most `BEHIND` characters, and
 * its matches have no upper limit or one below `OVERLAP`.
 */
export function* startsOfMatches(text: string, pattern: RegExp): Steps<number[]> {
  const searched = new RegExp(pattern.source, pattern.flags.replace("y", "g"))
  const starts: number[] = []
  for (let from = 0; from < text.length; from += CHUNK) {
    const first = Math.max(0, from - BEHIND)
    for (const { index } of text.slice(first, from + CHUNK + OVERLAP).matchAll(searched)) {
      const start = first + index
      if (start >= from && start < from + CHUNK) starts.push(start)
    }
    yield
  }
  return starts
}
