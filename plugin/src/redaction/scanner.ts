import { lastUpTo } from "../lib/binary-search"
import { findEncoded } from "./encoded"
import { endOfValue, type Finding, mergeOverlaps, secretOfMatch } from "./finding"
import { passes } from "./heuristics"
import { Literals } from "./literals"
import { findNamed } from "./names"
import { BEGIN, END, findPrivateKeys } from "./private-keys"
import { NAME_ANCHORS, PROVIDER_LENGTHS, RULES, type Rule } from "./rules"
import type { Steps } from "./steps"
import { unwrapped } from "./stripped-text"
import { findUnprefixed } from "./unprefixed"
import { beforeValues } from "./values"
import { longWords, type Word } from "./words"

/** The characters between a command, as `curl`, and the option of a rule. */
const MAX_CONTEXT = 300
/** The characters of a token ahead of its anchor. */
const MAX_EXTENDED = 128
/** A match of this length that is no secret is not matched again in its first half. */
const MAX_SEARCHED_AGAIN = 64
/** The anchors between two pauses, and those that are put in order. */
const STEP = 64
const MERGE_STEP = 16_384

/** A finding, and what found it: the name of a rule, for example. */
export interface Reason {
  name: string
  finding: Finding
}

type Offsets = ReadonlyMap<string, readonly number[]>

/** Finds secrets in a text with the rules of `rules.json` and one's own, in time that is linear in its length. */
export class Scanner {
  readonly #rules: readonly Rule[]
  /** The indices of the rules with each anchor, and of those without any. */
  readonly #anchored = new Map<string, number[]>()
  readonly #others: readonly number[]
  readonly #literals: Literals

  constructor(own: readonly Rule[] = []) {
    this.#rules = [...own, ...RULES]
    for (const [index, rule] of this.#rules.entries())
      for (const anchor of rule.anchors) this.#anchored.set(anchor, [...(this.#anchored.get(anchor) ?? []), index])
    this.#others = [...this.#rules.keys()].filter((index) => this.#rules[index]?.anchors.length === 0)
    const literals = [...this.#anchored.keys(), ...this.#rules.flatMap(({ after }) => after), ...NAME_ANCHORS]
    this.#literals = new Literals([...literals, ...PROVIDER_LENGTHS.keys(), BEGIN, END], { ignoreCase: true })
  }

  /** What the rules find, in order and without overlaps; the earlier rule names an overlap. */
  *find(text: string): Steps<Finding[]> {
    return merged(yield* this.reasons(text))
  }

  /** All that was found, also what overlaps, the more specific first. */
  *reasons(text: string): Steps<Reason[]> {
    const words = yield* longWords(text)
    const reasons = yield* this.#reasons(text, words)
    const wrapped = yield* unwrapped(text, words)
    const encoded = wrapped
      ? wrapped.restored(yield* this.#findEncoded(wrapped.plain, yield* longWords(wrapped.plain)))
      : yield* this.#findEncoded(text, words)
    for (const finding of encoded) reasons.push({ name: "Base64 of a text with secrets", finding })
    return reasons
  }

  #findEncoded(text: string, words: readonly Word[]): Steps<Finding[]> {
    const scanner = this
    return findEncoded(text, words, function* (decoded) {
      return merged(yield* scanner.#reasons(decoded, yield* longWords(decoded)))
    })
  }

  *#reasons(text: string, words: readonly Word[]): Steps<Reason[]> {
    const reasons: Reason[] = []
    const add = (name: string, findings: readonly Finding[]): void => {
      for (const finding of findings) reasons.push({ name, finding })
    }
    const offsets = yield* this.#literals.offsets(text)
    add("Private key", findPrivateKeys(text, offsets.get(BEGIN) ?? [], offsets.get(END) ?? []))
    for (const rule of this.#rulesOf(offsets, words)) add(rule.name, yield* matchesOf(rule, text, offsets, words))
    add("Value of a secret name", yield* findNamed(text, yield* inOrder(offsets, NAME_ANCHORS)))
    add("Key behind the name of its provider", yield* findUnprefixed(text, offsets))
    return reasons
  }

  /** The rules that may match, in order: few of all have an anchor in a text. */
  #rulesOf(offsets: Offsets, words: readonly Word[]): Rule[] {
    const indices = new Set(words.length > 0 ? this.#others : [])
    for (const literal of offsets.keys()) for (const index of this.#anchored.get(literal) ?? []) indices.add(index)
    return this.#rules.filter((_, index) => indices.has(index))
  }
}

const merged = (reasons: readonly Reason[]): Finding[] => mergeOverlaps(reasons.map(({ finding }) => finding))

function* matchesOf(rule: Rule, text: string, offsets: Offsets, words: readonly Word[]): Steps<Finding[]> {
  const findings: Finding[] = []
  let position = 0
  let count = 0
  const anchors = rule.anchors.length > 0 ? yield* inOrder(offsets, rule.anchors) : words.map(({ start }) => start)
  const contexts = yield* inOrder(offsets, rule.after)
  for (const anchor of rule.reach === undefined ? anchors : beforeValues(text, anchors, rule.reach)) {
    if (++count % STEP === 0) yield
    if (rule.after.length > 0 && !isAfter(text, anchor, contexts)) continue
    for (const before of rule.before) {
      const at = anchor - before
      if (at < position) continue
      const found = secretOfMatch(rule.pattern, text, at)
      if (!found) continue
      const start = extended(rule, text, found[0])
      const end = found[1]
      if (rule.check === undefined || passes(rule.check, text.slice(start, end))) {
        position = endOfValue(text, start, end)
        findings.push({ start, end: position, kind: rule.kind })
      } else if (end - start > MAX_SEARCHED_AGAIN) {
        position = Math.floor((start + end) / 2)
      }
    }
  }
  return findings
}

/** The offsets of all of these literals, in order. */
function* inOrder(offsets: Offsets, literals: readonly string[]): Steps<readonly number[]> {
  const found = literals.flatMap((literal) => {
    const places = offsets.get(literal)
    return places ? [places] : []
  })
  let all: readonly number[] = found[0] ?? []
  for (const places of found.slice(1)) all = yield* union(all, places)
  return all
}

/** The numbers of two lists in order, without repetitions. */
function* union(one: readonly number[], other: readonly number[]): Steps<number[]> {
  const result: number[] = []
  for (let left = 0, right = 0; left < one.length || right < other.length; ) {
    if (result.length % MERGE_STEP === 0) yield
    const next = Math.min(one[left] ?? Number.POSITIVE_INFINITY, other[right] ?? Number.POSITIVE_INFINITY)
    result.push(next)
    if (one[left] === next) left++
    if (other[right] === next) right++
  }
  return result
}

function isAfter(text: string, anchor: number, contexts: readonly number[]): boolean {
  const context = contexts[lastUpTo(contexts, anchor)]
  if (context === undefined || anchor - context > MAX_CONTEXT) return false
  return !text.slice(context, anchor).replaceAll("\\\n", "").includes("\n")
}

function extended({ extend }: Rule, text: string, end: number): number {
  if (extend === "") return end
  let start = end
  while (start > 0 && end - start < MAX_EXTENDED && extend.includes(text.charAt(start - 1))) start--
  return start
}
