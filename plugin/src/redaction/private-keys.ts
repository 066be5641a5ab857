import { endOfMatch, type Finding } from "./finding"

/** Finds private keys in PEM (RFC 7468), also in listings, logs and strings that put something before each line. */

const KIND = "private-key"
export const BEGIN = "-----begin"
export const END = "-----end"
/** The characters between two lines of a key. */
const MAX_BETWEEN = 200
/** The length from which base64 is a line of a key, and from which the key may end there without an end mark. */
const MIN_LINE = 16
const MIN_FULL_LINE = 40
/** The part of a key that is searched when only its end is known. */
const MAX_TAIL = 8_000

const BEGIN_MARK = /-----BEGIN[A-Z0-9 ]{0,30} PRIVATE KEY(?: BLOCK)?-----/y
const END_MARK = /-----END[A-Z0-9 ]{0,30} PRIVATE KEY(?: BLOCK)?-----/y
const BASE64 = /[A-Za-z0-9+/=]+/y
const OTHER = /[^A-Za-z0-9+/=-]+|-/y
const LINE_BREAK = /\r?\n|\\+n/g
const LAST = /([A-Za-z0-9+/=]+)[^A-Za-z0-9+/=]{0,8}$/

/** The keys that begin or end at one of the given offsets of `BEGIN` and `END`. */
export function findPrivateKeys(text: string, begins: readonly number[], ends: readonly number[]): Finding[] {
  const findings: Finding[] = []
  let position = 0
  for (const begin of begins) {
    const body = begin >= position ? endOfMatch(BEGIN_MARK, text, begin) : undefined
    const end = body === undefined ? undefined : endOfKey(text, body)
    if (end === undefined) continue
    findings.push({ start: begin, end, kind: KIND })
    position = end
  }
  position = 0
  for (const end of ends) {
    const after = endOfMatch(END_MARK, text, end)
    if (after === undefined) continue
    const start = startOfTail(text, Math.max(position, end - MAX_TAIL), end)
    if (start < end) findings.push({ start, end: after, kind: KIND })
    position = after
  }
  return findings
}

function endOfKey(text: string, start: number): number | undefined {
  let position = start
  let last = start
  let full: number | undefined
  while (position < text.length && position - last <= MAX_BETWEEN) {
    const run = endOfMatch(BASE64, text, position)
    if (run !== undefined) {
      const length = run - position
      position = run
      if (length >= MIN_LINE) last = position
      if (length >= MIN_FULL_LINE) full = position
      continue
    }
    const end = endOfMatch(END_MARK, text, position)
    if (end !== undefined) return full === undefined ? undefined : end
    if (text.startsWith("-----BEGIN", position)) return full
    position = endOfMatch(OTHER, text, position) ?? position + 1
  }
  return full
}

/** Where the lines of base64 above an end mark begin; `end` if there are none. */
function startOfTail(text: string, start: number, end: number): number {
  const above = text.slice(start, end)
  const starts = [0, ...Array.from(above.matchAll(LINE_BREAK), ({ index, 0: { length } }) => index + length)]
  const lines = above.split(LINE_BREAK)
  let result = end
  // The last of them holds what stands before the mark.
  for (let index = lines.length - 2; index >= 0; index--) {
    const last = LAST.exec(lines[index] ?? "")
    if (!last || (last[1] ?? "").length < MIN_LINE) break
    if ((last[1] ?? "").length >= MIN_FULL_LINE || result < end) result = start + (starts[index] ?? 0) + last.index
    else if (index < lines.length - 3) break
  }
  return result
}
