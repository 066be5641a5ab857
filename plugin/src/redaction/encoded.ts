import { endOfMatch, type Finding } from "./finding"
import type { Steps } from "./steps"
import type { Word } from "./words"

/** Characters between two pauses; four of them are three bytes. */
const CHUNK = 100_000
const MIN_LENGTH = 40
const BASE64 = /^[A-Za-z0-9+/]+$/
const END = /={0,2}(?![A-Za-z0-9+/=_-])/y
const TEXT = /^[\t\n\r -~]+$/

/** The base64 among long words in whose text `find` finds anything, like that of a whole file of settings. */
export function* findEncoded(
  text: string,
  words: readonly Word[],
  find: (text: string) => Steps<Finding[]>,
): Steps<Finding[]> {
  const findings: Finding[] = []
  for (const word of words) {
    if (word.end - word.start < MIN_LENGTH || text.charAt(word.start - 1) === "=") continue
    const end = endOfMatch(END, text, word.end)
    const decoded = end === undefined ? undefined : yield* decodedText(text.slice(word.start, word.end))
    if (end === undefined || decoded === undefined) continue
    const [inside] = yield* find(decoded)
    if (inside) findings.push({ start: word.start, end, kind: inside.kind })
  }
  return findings
}

/** The text of base64 without padding; undefined if it is anything but printable ASCII. */
function* decodedText(run: string): Steps<string | undefined> {
  if (run.length % 4 === 1) return undefined
  let decoded = ""
  for (let from = 0; from < run.length; from += CHUNK) {
    const part = run.slice(from, from + CHUNK)
    const text = BASE64.test(part) ? Buffer.from(part, "base64").toString("latin1") : ""
    if (!TEXT.test(text)) return undefined
    decoded += text
    yield
  }
  return decoded
}
