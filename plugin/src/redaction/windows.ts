import { type Finding, find, mergeOverlaps } from "./scanner"
import type { TimeSlices } from "./time-slices"

const WINDOW = 128 * 1024
/** As long as the longest secret: a private key. */
const OVERLAP = 32 * 1024

/** What the rules find in a text of any length, in slices. */
export async function findSliced(text: string, slices: TimeSlices): Promise<Finding[]> {
  if (text.length <= WINDOW + OVERLAP) {
    await slices.yield()
    return find(text)
  }
  const findings: Finding[] = []
  for (let from = 0; from < text.length; from += WINDOW) {
    await slices.yield()
    for (const { start, end, kind } of find(text.slice(from, from + WINDOW + OVERLAP))) {
      if (start < WINDOW) findings.push({ start: from + start, end: from + end, kind })
    }
  }
  return mergeOverlaps(findings)
}
