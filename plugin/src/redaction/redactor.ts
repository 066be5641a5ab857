import { attachmentIn } from "./data-urls"
import type { Secret } from "./environment"
import { type Finding, mergeOverlaps, replaced } from "./finding"
import { passes } from "./heuristics"
import { homeShortener } from "./home-path"
import { type Text, textsOf, withTexts } from "./json-strings"
import { KnownSecrets } from "./known-secrets"
import { roleOf } from "./names"
import type { Rule } from "./rules"
import { Scanner } from "./scanner"
import type { Steps } from "./steps"
import { withoutAnsi } from "./stripped-text"
import { TimeSlices } from "./time-slices"
import { insideOf, variants } from "./variants"

export interface RedactorOptions {
  /** Kinds and values that are left alone. */
  allow: readonly string[]
  /** Texts that are removed wherever they stand. */
  deny: readonly string[]
  home: string
  /** The user's own formats. */
  rules?: readonly Rule[]
}

export interface Redacted<T> {
  value: T
  /** The number of `[redacted:kind]` markers. */
  count: number
  /** The number of them by kind, the most frequent first. */
  kinds: Readonly<Record<string, number>>
  /** The secrets removed from this and earlier documents of the share, to be passed to `recall` after a restart. */
  removed: Secret[]
}

const DENIED = "private"
/** The secrets that are searched in all texts; any more are removed only where a rule matched. */
const MAX_FOUND = 2_000
const MARKER = /\[redacted:([a-z0-9-]+)\]/g

/**
 * Removes secrets from the documents of one share. The rules search each text once; their matches, and the secrets passed to
 * `learn`, are then searched in all texts, including those that the rules have searched before.
 */
export class Redactor {
  readonly #allow: ReadonlySet<string>
  readonly #shorten: (text: string) => string
  readonly #known = new Map<string, string>()
  /** The known secrets that were in a document. */
  readonly #removed = new Set<string>()
  readonly #scanner: Scanner
  #needles: KnownSecrets | undefined
  #unsearched: [string, string][] = []
  /** The texts of the last document with their redacted forms. */
  #memo = new Map<string, string>()

  constructor({ allow, deny, home, rules }: RedactorOptions) {
    this.#scanner = new Scanner(rules)
    this.#allow = new Set(allow)
    this.#shorten = homeShortener(home)
    this.learn(deny.map((text) => [text, DENIED]))
  }

  /** How many values are searched for. */
  get known(): number {
    return this.#known.size
  }

  learn(secrets: Iterable<Secret>): void {
    for (const [secret, kind] of secrets)
      for (const value of [secret, ...insideOf(secret)]) {
        if (this.#known.has(value) || this.#allow.has(value) || this.#allow.has(kind)) continue
        this.#known.set(value, kind)
        this.#unsearched.push([value, kind])
      }
  }

  /** Learns the secrets that were removed before. */
  recall(removed: readonly Secret[]): void {
    this.learn(removed)
    for (const [value] of removed) if (this.#known.has(value)) this.#removed.add(value)
  }

  async redact<T>(value: T): Promise<Redacted<T>> {
    const slices = new TimeSlices()
    const texts = new Map<string, Text>()
    for (const text of textsOf(value)) {
      texts.set(keyOf(text), text)
      if (slices.isOver) await slices.yield()
    }
    const fresh = new Map<string, string>()
    for (const [key, text] of texts) if (!this.#memo.has(key)) fresh.set(key, await this.#masked(text, slices))
    await this.#search(texts, fresh, slices)
    const kinds = new Map<string, number>()
    const exchange = (text: Text): string => {
      const redacted = this.#memo.get(keyOf(text)) ?? text.text
      if (redacted !== text.text)
        for (const [, kind = ""] of redacted.matchAll(MARKER)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      return redacted
    }
    const redacted = await slices.run(withTexts(value, exchange))
    return { value: redacted as T, ...counted(kinds), removed: this.#secretsRemoved() }
  }

  /** Returns the text without the matches of the rules, and learns what can be recognised elsewhere. */
  async #masked({ text, name }: Text, slices: TimeSlices): Promise<string> {
    const attachment = attachmentIn(text)
    if (attachment) {
      if (attachment.text === undefined) return text
      const masked = await this.#maskedText(attachment.text, undefined, slices)
      return masked === attachment.text ? text : attachment.withText(masked)
    }
    return await this.#maskedText(text, name, slices)
  }

  async #maskedText(text: string, name: string | undefined, slices: TimeSlices): Promise<string> {
    const styles = await slices.run(withoutAnsi(text))
    const plain = styles?.plain ?? text
    const findings = await slices.run(name === undefined ? this.#scanner.find(plain) : this.#findField(name, plain))
    const wanted = findings.filter(
      ({ start, end, kind }) => !this.#allow.has(kind) && !this.#allow.has(plain.slice(start, end)),
    )
    if (wanted.length === 0) return this.#shorten(text)
    for (const { start, end, kind } of wanted)
      for (const value of variants(plain.slice(start, end))) this.#discover(value, kind)
    return this.#shorten(replaced(text, styles?.restored(wanted) ?? wanted))
  }

  /** Learns a match of a rule. */
  #discover(value: string, kind: string): void {
    if (this.#removed.size < MAX_FOUND) this.recall([[value, kind]])
  }

  /** The secrets to remember; denied texts are not among them, since the option has them. */
  #secretsRemoved(): Secret[] {
    return [...this.#removed].flatMap((value) => {
      const kind = this.#known.get(value)
      return kind === undefined || kind === DENIED ? [] : [[value, kind] as const]
    })
  }

  /** Searches for all known secrets in the fresh texts, and for the new ones in the others. */
  async #search(
    texts: ReadonlyMap<string, Text>,
    fresh: ReadonlyMap<string, string>,
    slices: TimeSlices,
  ): Promise<void> {
    const added = this.#unsearched.length > 0 ? await slices.run(KnownSecrets.of(this.#unsearched)) : undefined
    if (added) this.#needles = await slices.run(KnownSecrets.of(this.#known))
    const memo = new Map<string, string>()
    const places = new Set<string>()
    for (const key of texts.keys()) {
      await slices.yield()
      const masked = fresh.get(key)
      const before = masked ?? this.#memo.get(key) ?? ""
      const needles = masked === undefined ? added : this.#needles
      memo.set(key, needles ? await slices.run(without(before, needles, places)) : before)
    }
    this.#unsearched = []
    this.#memo = memo
    await this.#noteRemoved([...places], slices)
  }

  /** Notes which of the known secrets stand, in whatever form, in the places where any was found. */
  async #noteRemoved(places: readonly string[], slices: TimeSlices): Promise<void> {
    if (places.length === 0) return
    for (const [value, kind] of this.#known) {
      if (this.#removed.has(value)) continue
      const needles = await slices.run(KnownSecrets.of([[value, kind]]))
      for (const text of places) {
        if ((await slices.run(needles.search(text))).length === 0) continue
        this.#removed.add(value)
        break
      }
    }
  }

  /** As the rules would find it in a file: the name of a field tells what its value is. */
  *#findField(name: string, text: string): Steps<Finding[]> {
    const head = `"${name}": "`
    const clipped = (yield* this.#scanner.find(`${head}${text}"`))
      .map(({ start, end, kind }) => ({
        start: Math.max(0, start - head.length),
        end: Math.min(text.length, end - head.length),
        kind,
      }))
      .filter(({ start, end }) => start < end)
    const role = roleOf(name)
    return role && passes(role.check, text) && !/[ \t\r\n]/.test(text)
      ? mergeOverlaps([...clipped, { start: 0, end: text.length, kind: "secret" }])
      : clipped
  }
}

function counted(kinds: ReadonlyMap<string, number>): { count: number; kinds: Record<string, number> } {
  const inOrder = [...kinds].sort(([, one], [, other]) => other - one)
  return { count: inOrder.reduce((sum, [, count]) => sum + count, 0), kinds: Object.fromEntries(inOrder) }
}

/** The text without known secrets, also inside of attached text; the places where they stood are added to `places`. */
function* without(text: string, needles: KnownSecrets, places: Set<string>): Steps<string> {
  const attachment = attachmentIn(text)
  if (!attachment) return yield* withoutKnown(text, needles, places)
  if (attachment.text === undefined) return text
  const searched = yield* withoutKnown(attachment.text, needles, places)
  return searched === attachment.text ? text : attachment.withText(searched)
}

function* withoutKnown(text: string, needles: KnownSecrets, places: Set<string>): Steps<string> {
  const styles = yield* withoutAnsi(text)
  const plain = styles?.plain ?? text
  const found = yield* needles.search(plain)
  if (found.length === 0) return text
  for (const { start, end } of found) places.add(plain.slice(start, end))
  return replaced(text, outsideMarkers(text, styles?.restored(found) ?? found))
}

/** A word that somebody wants removed may be part of a marker. */
function outsideMarkers(text: string, findings: readonly Finding[]): Finding[] {
  const markers = [...text.matchAll(MARKER)]
  let next = 0
  return findings.filter(({ start, end }) => {
    let marker = markers[next]
    while (marker && marker.index + marker[0].length <= start) marker = markers[++next]
    return !marker || marker.index >= end
  })
}

const keyOf = ({ text, name }: Text): string => (name === undefined ? text : `${name}\0${text}`)
