import { isDistinctive } from "./heuristics"

/** Shorter ones may be lines of anything. */
const LINE = /[A-Za-z0-9+/=]{40,}/g
const END_OF_LINE = /\n|\\+[nr]/
const ESCAPED = /^(?:[^%]*%[0-9A-Fa-f]{2})+[^%]*$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/
const LOGIN = /^[ -9;-~]{0,64}:([ -~]+)$/

/** What of a secret can be recognised elsewhere. One with several lines seldom stands there in the same way. */
export const variants = (secret: string): string[] =>
  END_OF_LINE.test(secret) ? insideOf(secret) : [secret, ...insideOf(secret)].filter(isDistinctive)

/** What gives a secret away as well: its long lines, and what it says when it is decoded. */
export const insideOf = (secret: string): string[] =>
  [...linesOf(secret), ...unescaped(secret), ...passwordIn(secret)].filter(isDistinctive)

/** The lines of a private key, for example, also where they end inside of a string. */
function linesOf(secret: string): string[] {
  const lines = secret.split(END_OF_LINE)
  return lines.length > 1 ? lines.flatMap((line) => line.match(LINE) ?? []) : []
}

/** The password that an address has in percent codes. */
function unescaped(secret: string): string[] {
  if (!ESCAPED.test(secret)) return []
  try {
    return [decodeURIComponent(secret)]
  } catch {
    return []
  }
}

/** The password of a `Basic` header. */
function passwordIn(secret: string): string[] {
  const login = BASE64.test(secret) ? LOGIN.exec(Buffer.from(secret, "base64").toString()) : null
  return login?.slice(1) ?? []
}
