import { endOfMatch, type Finding, secretOfMatch } from "./finding"
import { passes } from "./heuristics"
import { compiled, PROVIDER_LENGTHS } from "./rules"
import type { Steps } from "./steps"

/** Finds keys that have nothing but a length, behind the names of their providers: `CIRCLECI_TOKEN=...`. */

const KIND = "api-key"
/** The names between two pauses. */
const STEP = 64

/** The rest of the name, and the key. */
const REST = /[A-Za-z0-9_.-]{0,40}/y
const KEY = compiled("<near>([A-Za-z0-9_=-]{14,130})(?![A-Za-z0-9_=/+-])", "dy")
/** Names of what has the length of a key and is none. */
const OTHER =
  /(?:id|uuid|sha|md5|hash|commit|ref|rev|revision|release|version|digest|checksum|integrity|ur[il]|path|file|image|public|dsn)s?[0-9]{0,3}$/i

/** The keys behind the names of providers, whose offsets in the text are given. */
export function* findUnprefixed(text: string, offsets: ReadonlyMap<string, readonly number[]>): Steps<Finding[]> {
  const findings: Finding[] = []
  let count = 0
  for (const [name, lengths] of PROVIDER_LENGTHS)
    for (const offset of offsets.get(name) ?? []) {
      if (++count % STEP === 0) yield
      const start = offset + name.length
      const end = endOfMatch(REST, text, start) ?? start
      const key = secretOfMatch(KEY, text, end)
      if (!key || OTHER.test(text.slice(start, end))) continue
      const length = key[1] - key[0]
      if (!lengths.some(([least, most]) => least <= length && length <= most)) continue
      if (passes("unprefixed", text.slice(...key))) findings.push({ start: key[0], end: key[1], kind: KIND })
    }
  return findings
}
