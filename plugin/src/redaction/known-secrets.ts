import { type Finding, mergeOverlaps } from "./scanner"
import { unwrapped } from "./stripped-text"

/**
 * Any 8 characters of a text contain 5 that begin at a multiple of 4, so the text is sampled at those offsets only,
 * however many values are searched.
 */
const MIN_LENGTH = 8
const WINDOW = 5
const STEP = 4
/** The characters of a base64 form that must not depend on what is encoded around the value. */
const MIN_ENCODED = 12
/** The characters of base64 removed on either side of a value. */
const MAX_AROUND = 4096

interface Needle {
  text: string
  kind: string
  /** Whether the form is base64; the base64 around a match is removed with it. */
  isEncoded: boolean
}

interface Clue {
  needle: Needle
  offset: number
}

/** An index of known secrets in their escaped and encoded forms. */
export class KnownSecrets {
  readonly #short: Needle[] = []
  readonly #clues = new Map<string, Clue[]>()
  /** A filter of the hashes of all samples. */
  readonly #hashes = new Uint8Array(65_536)

  constructor(secrets: Iterable<readonly [value: string, kind: string]>) {
    for (const [value, kind] of secrets) for (const needle of formsOf(value, kind)) this.#add(needle)
  }

  /** The matches in a text, in order, without overlaps; base64 is matched across line breaks. */
  search(text: string): Finding[] {
    if (this.#short.length === 0 && this.#clues.size === 0) return []
    const wrapped = unwrapped(text)
    return wrapped
      ? mergeOverlaps([...this.#search(text), ...wrapped.restored(this.#search(wrapped.plain))])
      : this.#search(text)
  }

  #search(text: string): Finding[] {
    const findings: Finding[] = []
    for (const needle of this.#short) {
      for (let at = text.indexOf(needle.text); at >= 0; at = text.indexOf(needle.text, at + needle.text.length))
        findings.push(findingAt(text, at, needle))
    }
    if (this.#clues.size > 0) {
      for (let at = 0; at + WINDOW <= text.length; at += STEP) {
        if (this.#hashes[hashAt(text, at)]) this.#follow(findings, text, at)
      }
    }
    return findings.length > 0 ? mergeOverlaps(findings) : findings
  }

  #follow(findings: Finding[], text: string, at: number): void {
    for (const { needle, offset } of this.#clues.get(text.slice(at, at + WINDOW)) ?? []) {
      if (at >= offset && text.startsWith(needle.text, at - offset)) findings.push(findingAt(text, at - offset, needle))
    }
  }

  #add(needle: Needle): void {
    if (needle.text.length < MIN_LENGTH) {
      this.#short.push(needle)
      return
    }
    for (let offset = 0; offset < STEP; offset++) {
      const window = needle.text.slice(offset, offset + WINDOW)
      const clues = this.#clues.get(window)
      if (clues) clues.push({ needle, offset })
      else this.#clues.set(window, [{ needle, offset }])
      this.#hashes[hashAt(window, 0)] = 1
    }
  }
}

function findingAt(text: string, at: number, { text: found, kind, isEncoded }: Needle): Finding {
  let start = at
  let end = at + found.length
  if (isEncoded) {
    while (start > 0 && at - start < MAX_AROUND && isBase64(text.charCodeAt(start - 1))) start--
    while (end < text.length && end - at < MAX_AROUND && isBase64(text.charCodeAt(end))) end++
  }
  return { start, end, kind }
}

function formsOf(value: string, kind: string): Needle[] {
  const plain = new Set([value, ...inJson(value), inHtml(value), ...inAddresses(value)])
  const encoded = new Set(
    [0, 1, 2].map((before) => base64Of(value, before)).filter((text) => text.length >= MIN_ENCODED),
  )
  for (const text of [...encoded]) encoded.add(text.replaceAll("+", "-").replaceAll("/", "_"))
  return [
    ...[...plain].map((text) => ({ text, kind, isEncoded: false })),
    ...[...encoded].map((text) => ({ text, kind, isEncoded: true })),
  ]
}

/** The value escaped as JavaScript, PHP and Go do in JSON, once and twice (JSON inside a JSON string). */
function inJson(value: string): string[] {
  const plain = (text: string): string => JSON.stringify(text).slice(1, -1)
  const php = (text: string): string => plain(text).replaceAll("/", "\\/")
  const go = (text: string): string =>
    plain(text).replace(/[&<>]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
  return [plain, php, go].flatMap((escaped) => {
    const once = escaped(value)
    return [once, plain(once), escaped(once)]
  })
}

const inHtml = (value: string): string => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

/** The value percent-encoded as JavaScript, RFC 3986 and Python do, in upper and lower case. */
function inAddresses(value: string): string[] {
  const escaped = encodeURIComponent(value.toWellFormed())
  const strict = escaped.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  const forms = [escaped, strict, strict.replaceAll("%2F", "/")]
  return [...forms, ...forms.map((form) => form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))]
}

/** The base64 characters that are the same wherever the value follows `before` bytes, modulo 3. */
function base64Of(value: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)])
  const first = Math.ceil((before * 8) / 6)
  return bytes.toString("base64").slice(first, Math.floor((bytes.length * 8) / 6))
}

function hashAt(text: string, at: number): number {
  let hash = 0
  for (let index = at; index < at + WINDOW; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) & 0xffff
  return hash
}

/** Letters, digits, `+`, `/`, `=`, `-` and `_`. */
const isBase64 = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 47 && code <= 57) ||
  code === 43 ||
  code === 61 ||
  code === 45 ||
  code === 95
