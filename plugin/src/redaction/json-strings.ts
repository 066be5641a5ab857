import { isObject } from "../opencode/client"
import { roleOf } from "./names"
import type { Steps } from "./steps"

/** A string of a document; `name` is that of its field if it promises a secret, like `apiKey`. */
export interface Text {
  text: string
  name?: string
}

/** Shorter strings are never searched. */
const MIN_LENGTH = 4
const MAX_NAMED = 16_384
const MAX_NAME = 100

/** OpenCode dispatches on these fields: a document in which one is changed cannot be read. */
const STRUCTURE = new Set([
  "id",
  "type",
  "role",
  "tool",
  "name",
  "status",
  "mime",
  "sessionID",
  "messageID",
  "callID",
  "parentID",
  "projectID",
  "providerID",
  "modelID",
])
const WORD_OR_ID = /^(?:[A-Za-z_-]{1,30}|(?:ses|msg|prt)_[A-Za-z0-9]{20,40})$/
const FIELD = /^[A-Za-z]{1,30}$/

/** Every string of a value that may contain a secret, including keys of objects. */
export function* textsOf(value: unknown, name = ""): Generator<Text> {
  if (typeof value === "string") {
    if (mayBeSecret(value, name)) yield textOf(value, name)
  } else if (Array.isArray(value)) {
    for (const item of value) yield* textsOf(item, name)
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (mayBeKey(key)) yield { text: key }
      yield* textsOf(item, nameOf(key, value))
    }
  }
}

/** The value with each string that `textsOf` yields replaced; it pauses after each object. */
export function* withTexts(value: unknown, exchange: (text: Text) => string, name = ""): Steps<unknown> {
  if (typeof value === "string") return mayBeSecret(value, name) ? exchange(textOf(value, name)) : value
  if (Array.isArray(value)) {
    const items: unknown[] = []
    for (const item of value) items.push(yield* withTexts(item, exchange, name))
    return items
  }
  if (!isObject(value)) return value
  const taken = new Map<string, number>()
  const entries: [string, unknown][] = []
  for (const [key, item] of Object.entries(value))
    entries.push([
      unused(mayBeKey(key) ? exchange({ text: key }) : key, taken),
      yield* withTexts(item, exchange, nameOf(key, value)),
    ])
  yield
  return Object.fromEntries(entries)
}

/** The name of a field: `DB_PASSWORD` for `value` in `{"name": "DB_PASSWORD", "value": "..."}`. */
function nameOf(key: string, { name, key: other }: Record<string, unknown>): string {
  if (key !== "value") return key
  return [name, other].find((said) => typeof said === "string") ?? key
}

/** A key that is not in `taken`: two keys may become the same by redaction, and both values stay. `taken` counts each key. */
function unused(name: string, taken: Map<string, number>): string {
  let n = taken.get(name) ?? 0
  let result = name
  while (taken.has(result)) result = `${name} (${++n})`
  taken.set(name, Math.max(n, 1)).set(result, 1)
  return result
}

const mayBeSecret = (text: string, name: string): boolean =>
  text.length >= MIN_LENGTH && !(STRUCTURE.has(name) && WORD_OR_ID.test(text))

/** Whether a key may contain a secret, as a file name may; OpenCode's own field names cannot. */
const mayBeKey = (key: string): boolean => key.length >= MIN_LENGTH && !FIELD.test(key)

function textOf(text: string, name: string): Text {
  return name !== "" && name.length <= MAX_NAME && text.length <= MAX_NAMED && roleOf(name) ? { text, name } : { text }
}
