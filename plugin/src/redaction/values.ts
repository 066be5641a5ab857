import { endOfMatch } from "./finding"

/** Skips what cannot be a secret that only its name gives away: short words, and words in small letters. */

/** The characters that are looked through at once. */
const MAX_SKIPPED = 10_000

/**
 * A word that is skipped. A secret stands between blanks or quotes, has eight characters or more, and among them letters
 * of both cases, a digit or a sign; it does not end in a bracket or a point.
 */
const SKIPPED =
  /(?:[a-z_./-]{0,127}|[A-Z_./-]{0,127})(?:["'`]|[<>;,(){}[\]\\:?|]{0,15}\.?[ \t\n\r])|[^ \t\n\r"'`]{0,7}[ \t\n\r]|[^ \t\n\r"'`=]{0,7}["'`]|[a-z][a-z_-]{0,126}=\\{0,3}["'`]/y

/** Where the next word that may be a secret begins, or may begin at the earliest. */
export function nextValue(text: string, start: number): number {
  const last = start + MAX_SKIPPED
  let position = start
  for (;;) {
    const end = endOfMatch(SKIPPED, text, position)
    if (end === undefined || end > last) return position
    position = end
  }
}

/** The offsets, given in order, with at most `reach` characters up to the next value. */
export function* beforeValues(text: string, offsets: readonly number[], reach: number): Generator<number> {
  let value = -1
  for (const offset of offsets) {
    if (value < offset) value = nextValue(text, offset)
    if (value <= offset + reach) yield offset
  }
}
