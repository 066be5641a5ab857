/** A secret of `kind` at `text.slice(start, end)`. */
export interface Finding {
  start: number
  end: number
  kind: string
}

/** Patterns are bounded: a match of this length may be the beginning of a longer secret. */
const MAX_WHOLE = 500
const RUN = /[A-Za-z0-9+/=_%.-]+/y

/** Where a secret that was matched at `text.slice(start, end)` really ends. */
export function endOfValue(text: string, start: number, end: number): number {
  return end - start < MAX_WHOLE ? end : (endOfMatch(RUN, text, end) ?? end)
}

/** Where the match of a sticky pattern at `start` ends. */
export function endOfMatch(pattern: RegExp, text: string, start: number): number | undefined {
  pattern.lastIndex = start
  return pattern.test(text) ? pattern.lastIndex : undefined
}

/**
 * The part of the text that a sticky pattern with indices is about: its last group that took part, or the whole match.
 * Most patterns match nowhere, and only a match is worth its indices.
 */
export function secretOfMatch(pattern: RegExp, text: string, start: number): [start: number, end: number] | undefined {
  if (endOfMatch(pattern, text, start) === undefined) return undefined
  pattern.lastIndex = start
  return pattern.exec(text)?.indices?.findLast((place) => place !== undefined)
}

/** The findings in order, overlapping ones merged under the kind that came first in the input. */
export function mergeOverlaps(findings: readonly Finding[]): Finding[] {
  const result: Finding[] = []
  let best = 0
  for (const rank of ranksInOrder(findings)) {
    const { start, end, kind } = findings[rank] as Finding
    const last = result.at(-1)
    if (!last || start >= last.end) {
      result.push({ start, end, kind })
      best = rank
      continue
    }
    if (rank < best) last.kind = kind
    best = Math.min(best, rank)
    last.end = Math.max(last.end, end)
  }
  return result
}

/** The indices of the findings in the order of their starts, those that start together in their own order. */
function ranksInOrder(findings: readonly Finding[]): Float64Array {
  const count = findings.length
  return Float64Array.from(findings, ({ start }, rank) => start * count + rank)
    .sort()
    .map((key) => key % count)
}

export const marker = (kind: string): string => `[redacted:${kind}]`

/** The text with each finding replaced by its marker. */
export function replaced(text: string, findings: readonly Finding[]): string {
  let result = ""
  let position = 0
  for (const { start, end, kind } of findings) {
    result += text.slice(position, start) + marker(kind)
    position = end
  }
  return result + text.slice(position)
}
