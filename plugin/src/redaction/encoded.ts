import { endOfMatch, type Finding } from "./finding"
import type { Steps } from "./steps"
import type { Word } from "./words"

const BASE64 = /(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{40,}={0,2}(?![A-Za-z0-9+/=_-])/y
const TEXT = /^[\t\n\r -~]+$/

/** The base64 among long words in whose text `find` finds anything, like that of a whole file of settings. */
export function* findEncoded(
  text: string,
  words: readonly Word[],
  find: (text: string) => Steps<Finding[]>,
): Steps<Finding[]> {
  const findings: Finding[] = []
  for (const { start } of words) {
    const end = endOfMatch(BASE64, text, start)
    if (end === undefined) continue
    const run = text.slice(start, end)
    // A run of 4n + 1 characters is no base64.
    const decoded = run.replace(/=+$/, "").length % 4 === 1 ? "" : Buffer.from(run, "base64").toString("latin1")
    const [inside] = TEXT.test(decoded) ? yield* find(decoded) : []
    if (inside) findings.push({ start, end, kind: inside.kind })
  }
  return findings
}
