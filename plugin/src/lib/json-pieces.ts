import { isObject } from "../opencode/client"

/** Characters that are made at a time. */
const LONG = 65_536
/** What a number, a name or a bracket counts. */
const NODE = 8

/** What `JSON.stringify` makes of a value that came from JSON, in pieces that take no time each, however large it is. */
export function* jsonPieces(value: unknown): Generator<string> {
  if (isShort(value, LONG)) yield JSON.stringify(value)
  else if (typeof value === "string") yield* stringPieces(value)
  else if (Array.isArray(value)) yield* listPieces(value)
  else if (isObject(value)) yield* objectPieces(value)
}

/** Whether the JSON of a value has about `length` characters at most; looks at no more of it than that. */
export const isShort = (value: unknown, length: number): boolean => left(value, length) > 0

/** What is left of a length without this value; not positive if the value is longer. */
function left(value: unknown, length: number): number {
  if (typeof value === "string") return length - value.length - NODE
  if (typeof value !== "object" || value === null) return length - NODE
  let rest = length - NODE
  for (const key in value) {
    if (rest <= 0) break
    rest = left((value as Record<string, unknown>)[key], rest - (Array.isArray(value) ? 0 : key.length + NODE))
  }
  return rest
}

function* listPieces(list: readonly unknown[]): Generator<string> {
  let before = "["
  for (const item of list) {
    yield before
    yield* jsonPieces(item ?? null)
    before = ","
  }
  yield before === "[" ? "[]" : "]"
}

function* objectPieces(object: Record<string, unknown>): Generator<string> {
  let before = "{"
  for (const [key, item] of Object.entries(object)) {
    if (item === undefined) continue
    yield before + JSON.stringify(key)
    yield ":"
    yield* jsonPieces(item)
    before = ","
  }
  yield before === "{" ? "{}" : "}"
}

function* stringPieces(text: string): Generator<string> {
  yield '"'
  for (let start = 0; start < text.length; ) {
    const end = endOfPiece(text, start)
    yield JSON.stringify(text.slice(start, end)).slice(1, -1)
    start = end
  }
  yield '"'
}

/** Not between the halves of a surrogate pair, each of which would be escaped. */
function endOfPiece(text: string, start: number): number {
  const end = start + LONG
  const last = text.charCodeAt(end - 1)
  return last >= 0xd800 && last <= 0xdbff ? end + 1 : end
}
