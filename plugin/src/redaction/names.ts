import { endOfMatch, endOfValue, type Finding, secretOfMatch } from "./finding"
import { passes } from "./heuristics"
import { compiled, EXCLUDED_NAME, ROLES, type Role, WEAK_NAME } from "./rules"
import type { Steps } from "./steps"
import { nextValue } from "./values"

/** Finds the values of variables, fields and options whose names promise a secret. */

const MAX_NAME = 80
/** The characters between a name and its value. */
const MAX_JOINT = 500
/** A value of this length that is no secret is not searched for names in its first half. */
const MAX_VALUE_SEARCHED = 128
/** The anchors between two pauses. */
const STEP = 64

const REST = /[A-Za-z0-9_]{0,60}(?:-[A-Za-z0-9_]{1,60}){0,8}/y
const REST_OF_WORD = /[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*/y
const BUMP = /([a-z0-9])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g
const SEPARATOR = /[-. ]/g
const KEY = /^keys?$/i
const WORD_BEFORE = /([A-Za-z]{2,12})[ ]$/
const UPPER = /^[A-Z0-9_]+$/

/** How a value follows its name, and the check in place of that of the name; they are tried in order. */
interface Way {
  pattern: RegExp
  check?: string
}

const way = (pattern: string, check?: string): Way => ({
  pattern: compiled(pattern, "dy"),
  ...(check ? { check } : {}),
})

/** What begins any of these ways: most names are followed by something else. */
const FOLLOWED = compiled("<followed>", "y")
const OTHER = way(
  String.raw`\(<quote>(<literal>)|(?:[ \t]{2,40}|[ \t]{0,40}\|[ \t]{0,40})(<run>)(?=[ \t\r\n|]|$)|,(<run>)(?=[ \t\r\n,]|$)`,
  "scrambled",
)
const CHOSEN = [way("(?:<worth>|<nested>)?<entered>"), OTHER]
const MADE = [way("(?:<worth>|<nested>)?<assigned>"), OTHER]
const OPTION = [way("[ \\t=]{1,3}<argument>")]
const WEAK = way("=\\\\{0,2}[\"'`]?<shell>", "weak")

const known = new Map<string, Role | undefined>()
const MAX_REMEMBERED = 10_000

/** What a name promises; undefined if it is not the name of a secret. */
export function roleOf(name: string): Role | undefined {
  if (known.has(name)) return known.get(name)
  const snake = name.replace(BUMP, "$&_").replace(SEPARATOR, "_").toLowerCase()
  const role = EXCLUDED_NAME.test(snake) ? undefined : ROLES.find(({ pattern }) => pattern.test(snake))
  if (known.size < MAX_REMEMBERED) known.set(name, role)
  return role
}

/** The values of secret names around `anchors`, in order. */
export function* findNamed(text: string, anchors: readonly number[]): Steps<Finding[]> {
  const findings: Finding[] = []
  let position = 0
  let value = 0
  let noNameUntil = 0
  let count = 0
  for (const anchor of anchors) {
    if (anchor < position || anchor < noNameUntil || value > anchor + MAX_NAME + MAX_JOINT) continue
    if (++count % STEP === 0) yield
    const end = endOfMatch(REST, text, anchor) ?? anchor
    const endOfWord = isNamePart(text.charCodeAt(end)) ? endOfMatch(REST_OF_WORD, text, end) : undefined
    if (endOfWord !== undefined) {
      if (endOfWord - anchor > MAX_NAME) noNameUntil = endOfWord
      continue
    }
    const isFollowed = isBeforeValue(text, end)
    if (!isFollowed && !isBlank(text.charCodeAt(end))) continue
    if (value < end) value = nextValue(text, end - 1)
    if (value > end + MAX_JOINT) continue
    const start = startOfName(text, Math.max(position, anchor - MAX_NAME), anchor)
    position = end
    if (!isFollowed && !text.startsWith("--", start)) continue
    const name = nameOf(text, start, end)
    const role = name.length <= MAX_NAME ? roleOf(name) : undefined
    if (!role || isOtherText(text, start, end)) continue
    const { finding, next } = findValue(text, end, name, role)
    position = next
    if (finding) findings.push(finding)
  }
  return findings
}

/** Whether a name ends here that may have a value: a variable may have a weak one, which no other way begins with. */
function isBeforeValue(text: string, end: number): boolean {
  if (text.charCodeAt(end) === EQUALS && !isSmall(text.charCodeAt(end - 1))) return true
  return endOfMatch(FOLLOWED, text, end) !== undefined
}

const EQUALS = 61

const isSmall = (code: number): boolean => code >= 97 && code <= 122

const isBlank = (code: number): boolean => code === 32 || code === 9

/** The name, after the word ahead of a key, which says what it is for: `api_key` for `API key: ...`. */
function nameOf(text: string, start: number, end: number): string {
  const name = text.slice(start, end)
  if (!KEY.test(name)) return name
  const word = WORD_BEFORE.exec(text.slice(Math.max(0, start - 14), start))?.[1]
  return word ? `${word}_${name}` : name
}

function startOfName(text: string, first: number, anchor: number): number {
  let start = anchor
  while (start > first && isNamePart(text.charCodeAt(start - 1))) start--
  return start
}

/** Letters, digits, `_` and `-`. */
const isNamePart = (code: number): boolean =>
  isSmall(code) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 || code === 45

/** Whether the name belongs to a public key, a resource name or the output of tests. */
function isOtherText(text: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - 7), start).toLowerCase()
  return (
    before === "public " ||
    (before.endsWith(":") && text.startsWith(":", end)) ||
    (text.slice(start, end) === "PASS" && !text.startsWith("=", end))
  )
}

/** The value of a name that ends at `end`, and the offset from which names are searched on. */
function findValue(text: string, end: number, name: string, role: Role): { finding?: Finding; next: number } {
  let next = end
  for (const { pattern, check } of waysOf(text, end, name, role)) {
    const found = secretOfMatch(pattern, text, end)
    if (!found) continue
    const [start, stop] = found
    if (passes(check ?? role.check, text.slice(start, stop))) {
      const whole = endOfValue(text, start, stop)
      return { finding: { start, end: whole, kind: role.kind }, next: whole }
    }
    if (stop - start > MAX_VALUE_SEARCHED) next = Math.max(next, start + Math.floor((stop - start) / 2))
  }
  return { next }
}

function waysOf(text: string, end: number, name: string, role: Role): readonly Way[] {
  if (name.startsWith("--")) return OPTION
  const ways = role.check === "password" ? CHOSEN : MADE
  const isVariable = text.startsWith("=", end) && UPPER.test(name) && WEAK_NAME.test(name.toLowerCase())
  return isVariable ? [WEAK, ...ways] : ways
}
