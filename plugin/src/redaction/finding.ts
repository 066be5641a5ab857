/** A secret of `kind` at `text.slice(start, end)`. */
export interface Finding {
  start: number
  end: number
  kind: string
}

/** Work that pauses between its steps, so that OpenCode can go on: each `yield` ends a short step. */
export type Steps<T> = Generator<void, T>

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

/** The findings in order, overlapping ones merged under the kind that came first in the input. */
export function mergeOverlaps(findings: readonly Finding[]): Finding[] {
  const ranked = findings
    .map((finding, rank) => ({ ...finding, rank }))
    .sort((a, b) => a.start - b.start || a.rank - b.rank)
  const result: (Finding & { rank: number })[] = []
  for (const finding of ranked) {
    const last = result.at(-1)
    if (!last || finding.start >= last.end) {
      result.push(finding)
      continue
    }
    if (finding.rank < last.rank) last.kind = finding.kind
    last.rank = Math.min(last.rank, finding.rank)
    last.end = Math.max(last.end, finding.end)
  }
  return result.map(({ start, end, kind }) => ({ start, end, kind }))
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
