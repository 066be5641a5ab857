import { isDistinctive } from "./heuristics"

/** Longer values are removed only where a rule matched. */
const MAX_KNOWN_LENGTH = 4096
/** Shorter lines of a key are not distinctive. */
const LINE = /[A-Za-z0-9+/=]{40,}/g
const END_OF_LINE = /\n|\\{1,8}[nr]/
const ESCAPED = /^(?:[^%]*%[0-9A-Fa-f]{2})+[^%]*$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/
const LOGIN = /^[ -9;-~]{0,64}:([ -~]+)$/

/** The values to search for in other texts. A secret of several lines is seldom repeated in the same form. */
export const variants = (secret: string): string[] =>
  END_OF_LINE.test(secret) ? insideOf(secret) : [secret, ...insideOf(secret)].filter(canBeKnown)

/** Values derived from a secret: its long lines and the passwords decoded from it. */
export const insideOf = (secret: string): string[] =>
  [...linesOf(secret), ...unescaped(secret), ...passwordIn(secret)].filter(canBeKnown)

const canBeKnown = (value: string): boolean => value.length <= MAX_KNOWN_LENGTH && isDistinctive(value)

/** The lines of a private key, for example; line breaks may be escaped, as in a string. */
function linesOf(secret: string): string[] {
  const lines = secret.split(END_OF_LINE)
  return lines.length > 1 ? lines.flatMap((line) => line.match(LINE) ?? []) : []
}

/** The percent-decoded secret, as the password of a URL. */
function unescaped(secret: string): string[] {
  if (secret.length > MAX_KNOWN_LENGTH || !ESCAPED.test(secret)) return []
  try {
    return [decodeURIComponent(secret)]
  } catch {
    return []
  }
}

/** The password in the base64 of a `Basic` authorization header. */
function passwordIn(secret: string): string[] {
  const login =
    secret.length <= MAX_KNOWN_LENGTH && BASE64.test(secret)
      ? LOGIN.exec(Buffer.from(secret, "base64").toString())
      : null
  return login?.slice(1) ?? []
}
