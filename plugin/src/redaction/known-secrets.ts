import { type Finding, mergeOverlaps } from "./finding"
import { Literals } from "./literals"
import type { Steps } from "./steps"
import { unwrapped } from "./stripped-text"
import { longWords } from "./words"

/** The characters of a base64 form that must not depend on what is encoded around the value. */
const MIN_ENCODED = 12
/** The characters of base64 removed on either side of a value. */
const MAX_AROUND = 4096
/**
 * The beginning of a secret that is searched for, as a terminal or a tool cuts it, and how many secrets may begin with the
 * same characters.
 */
const HEAD = 16
const MAX_SAME_HEAD = 4
/** The values between two pauses while the index is made. */
const STEP = 16

interface Needle {
  text: string
  kind: string
  /** Whether the form is base64; the base64 around a match is removed with it. */
  isEncoded: boolean
}

/** An index of known secrets in their escaped and encoded forms. */
export class KnownSecrets {
  readonly #needles = new Map<string, Needle>()
  readonly #heads = new Map<string, Needle[]>()
  readonly #literals: Literals

  private constructor(needles: Iterable<Needle>, whole: Iterable<Needle>) {
    for (const needle of needles) if (!this.#needles.has(needle.text)) this.#needles.set(needle.text, needle)
    for (const needle of whole) this.#addHead(needle)
    this.#literals = new Literals([...this.#needles.keys(), ...this.#heads.keys()])
  }

  static *of(secrets: Iterable<readonly [value: string, kind: string]>): Steps<KnownSecrets> {
    const needles: Needle[] = []
    const whole: Needle[] = []
    let count = 0
    for (const [text, kind] of secrets) {
      if (++count % STEP === 0) yield
      needles.push(...formsOf(text, kind))
      if (canBeCut(text)) whole.push({ text, kind, isEncoded: false })
    }
    return new KnownSecrets(needles, whole)
  }

  /** The matches in a text, in order, without overlaps; base64 is matched across line breaks. */
  *search(text: string): Steps<Finding[]> {
    if (this.#needles.size === 0) return []
    const wrapped = yield* unwrapped(text, yield* longWords(text))
    const found = yield* this.#search(text)
    return wrapped ? mergeOverlaps([...found, ...wrapped.restored(yield* this.#search(wrapped.plain))]) : found
  }

  *#search(text: string): Steps<Finding[]> {
    const findings: Finding[] = []
    let covered = 0
    yield* this.#literals.search(text, (literal, start) => {
      if (start + literal.length <= covered) return
      const needle = this.#needles.get(literal)
      const finding = needle ? findingAt(text, start, needle) : this.#cut(text, start, literal)
      if (!finding) return
      findings.push(finding)
      covered = Math.max(covered, finding.end)
    })
    return findings.length > 0 ? mergeOverlaps(findings) : findings
  }

  #addHead(needle: Needle): void {
    const head = needle.text.slice(0, HEAD)
    const same = this.#heads.get(head)
    if (!same) this.#heads.set(head, [needle])
    else if (same.length < MAX_SAME_HEAD) same.push(needle)
  }

  /** The beginning of a secret of which more than half stands at `start`. */
  #cut(text: string, start: number, head: string): Finding | undefined {
    for (const { text: value, kind } of this.#heads.get(head) ?? []) {
      let length = 0
      while (length < value.length && value.charCodeAt(length) === text.charCodeAt(start + length)) length++
      if (2 * length > value.length) return { start, end: start + length, kind }
    }
    return undefined
  }
}

const canBeCut = (value: string): boolean => value.length > HEAD && !value.includes("://")

function findingAt(text: string, at: number, { text: found, kind, isEncoded }: Needle): Finding {
  let start = at
  let end = at + found.length
  if (isEncoded) {
    const first = Math.max(0, at - MAX_AROUND)
    const last = Math.min(text.length, end + MAX_AROUND)
    while (start > first && isBase64(text.charCodeAt(start - 1))) start--
    while (end < last && isBase64(text.charCodeAt(end))) end++
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

/** Letters, digits, `+`, `/`, `=`, `-` and `_`. */
const isBase64 = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 47 && code <= 57) ||
  code === 43 ||
  code === 61 ||
  code === 45 ||
  code === 95
