import { endOfMatch, type Finding, secretOfMatch } from "./finding"
import { passes } from "./heuristics"
import { compiled, PROVIDER_LENGTHS } from "./rules"
import type { Steps } from "./steps"

/** Finds keys that have nothing but a length, behind the names of their providers: `CIRCLECI_TOKEN=...`. */

const KIND = "api-key"
/** The characters between the name of a provider and the end of the name that it begins. */
const MAX_REST = 40
/** The names between two pauses. */
const STEP = 64

/** The rest of the name, and the key. */
const REST = /[A-Za-z0-9_.-]{0,40}/y
const REST_OF_WORD = /[A-Za-z0-9_.-]+/y
const KEY = compiled("<near>(?![A-Za-z0-9_=-]{131})([A-Za-z0-9_=-]{14,130})(?![A-Za-z0-9_=/+-])", "dy")
/** Names of what has the length of a key and is none. */
const OTHER =
  /(?:id|uuid|sha|md5|hash|commit|ref|rev|revision|release|version|digest|checksum|integrity|ur[il]|path|file|image|public|dsn)s?[0-9]{0,3}$/i

/** The keys behind the names of providers, whose offsets in the text are given. */
export function* findUnprefixed(text: string, offsets: ReadonlyMap<string, readonly number[]>): Steps<Finding[]> {
  const findings: Finding[] = []
  let count = 0
  for (const [name, lengths] of PROVIDER_LENGTHS) {
    let first = 0
    for (const offset of offsets.get(name) ?? []) {
      if (offset < first) continue
      if (++count % STEP === 0) yield
      const start = offset + name.length
      const end = endOfMatch(REST, text, start) ?? start
      const endOfWord = endOfMatch(REST_OF_WORD, text, end)
      // A longer word is no name, unless that begins further on.
      if (endOfWord !== undefined) first = endOfWord - MAX_REST - name.length
      const key = endOfWord === undefined ? secretOfMatch(KEY, text, end) : undefined
      if (!key || OTHER.test(text.slice(start, end))) continue
      const length = key[1] - key[0]
      if (!lengths.some(([least, most]) => least <= length && length <= most)) continue
      if (passes("unprefixed", text.slice(...key))) findings.push({ start: key[0], end: key[1], kind: KIND })
    }
  }
  return findings
}
