import { CHECKS } from "./heuristics"
import { RULES, type Rule } from "./rules"

/** A secret of `kind` at `text.slice(start, end)`. */
export interface Finding {
  start: number
  end: number
  kind: string
}

/** The longest prefix of a token, like `lin_api_`, before the part that a pattern matches. */
const MAX_PREFIX = 24
/** Patterns are bounded: a match of this length may be the beginning of a longer secret. */
const MAX_WHOLE = 500

/** The matches of the rules, in order and without overlaps; the earlier rule names an overlap. */
export function find(text: string): Finding[] {
  const lowered = lower(text)
  const findings: Finding[] = []
  for (const rule of RULES) {
    const searched = rule.ignoreCase ? lowered : text
    if (rule.hints.some((hint) => searched.includes(hint))) addMatches(findings, rule, searched, text)
  }
  return mergeOverlaps(findings)
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

function addMatches(findings: Finding[], { pattern, isWord, kind, check }: Rule, searched: string, text: string): void {
  const accepts = check === undefined ? undefined : CHECKS[check]
  pattern.lastIndex = 0
  for (let match = pattern.exec(searched); match; match = pattern.exec(searched)) {
    const [found, end] = match.indices?.[1] ?? match.indices?.[0] ?? [match.index, match.index]
    const start = isWord ? startOfWord(text, found) : found
    if (!accepts || accepts(text.slice(start, end))) {
      const whole = end - start < MAX_WHOLE ? end : endOfRun(text, end)
      findings.push({ start, end: whole, kind })
      pattern.lastIndex = whole
    } else {
      // A secret may begin inside a value that failed the check.
      pattern.lastIndex = match.length > 1 ? found : end
    }
  }
}

function startOfWord(text: string, end: number): number {
  let start = end
  while (start > 0 && end - start < MAX_PREFIX && /[A-Za-z0-9_-]/.test(text.charAt(start - 1))) start--
  return start
}

function endOfRun(text: string, from: number): number {
  let end = from
  while (end < text.length && /[A-Za-z0-9+/=_%-]/.test(text.charAt(end))) end++
  return end
}

/** The text in lower case with the same length, so that offsets are valid in both. */
function lower(text: string): string {
  const lowered = text.toLowerCase()
  if (lowered.length === text.length) return lowered
  return [...text]
    .map((character) => (character.toLowerCase().length > character.length ? character : character.toLowerCase()))
    .join("")
}
