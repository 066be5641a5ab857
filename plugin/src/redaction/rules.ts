import data from "../../../app/redaction/rules.json" with { type: "json" }

/**
 * Compiles `rules.json`, which the server uses too: its patterns keep to the syntax that JavaScript and Python have in
 * common. `<name>` in a pattern stands for the entry of that name in `parts`, and `<provider>` for one of the providers
 * whose name alone tells what its value is.
 *
 * A pattern is matched only at the anchors of its rule, so that the work is linear in the text: an anchor is found by an
 * automaton, and what a pattern reads from there on is bounded, or is passed over when it has been read.
 *
 * The longest patterns do not look behind: OpenCode's bun would interpret them, which takes ten times as long.
 */
export interface Rule {
  name: string
  kind: string
  /** The last group that took part, or the whole match, is the secret. */
  pattern: RegExp
  /** In lower case; they occur in any case. A rule without anchors is tried at every long word. */
  anchors: readonly string[]
  /** The distances from an anchor at which the pattern may begin ahead of it. */
  before: readonly number[]
  /** One of these must stand ahead of the anchor, in the same line. */
  after: readonly string[]
  /** The secret extends backwards over these characters. */
  extend: string
  /** The secret begins so near behind the anchor, and is one that values.ts does not skip. */
  reach: number | undefined
  /** A key of `CHECKS` in heuristics.ts that the secret must also pass. */
  check: string | undefined
}

/** What a name in snake case promises: a secret of `kind`, whose value passes `check`. */
export interface Role {
  kind: string
  check: string
  pattern: RegExp
}

/** A published format: literal prefixes and a run of an alphabet. */
export interface Format {
  name: string
  kind: string
  prefix: string[]
  /** As of a rule, where a prefix is part of many words. */
  next?: string
  /** The inside of a character class. */
  alphabet: string
  /** Exactly so many characters, or between two numbers; without an upper limit if the second is null. */
  length: number | readonly (number | null)[]
  /** What follows the run. */
  tail?: string
  /** Whether more of the alphabet may follow. */
  inside?: boolean
  /** Whether it may begin within a word. */
  anywhere?: boolean
  check?: string
}

interface RuleData {
  name: string
  kind: string
  anchors: string[]
  /** The characters of which one follows the anchor. */
  next?: string
  pattern: string
  before?: number[]
  after?: string[]
  extend?: string
  reach?: number
  check?: string
  ignoreCase?: boolean
}

const PARTS: Record<string, string> = { ...data.parts, provider: `(?:${data.names.providers.join("|")})` }

const whole = (pattern: string): string => pattern.replace(/<([a-z]+)>/g, (_, name: string) => whole(PARTS[name] ?? ""))

export const compiled = (pattern: string, flags = ""): RegExp => new RegExp(whole(pattern), flags)

export function formatRule({ alphabet, length, tail = "", prefix, next, ...entry }: Format): Rule {
  const letters = `[${alphabet}]`
  const [shortest, longest] = limits(length)
  const isClosed = longest !== null && !entry.inside
  const prefixes = prefix.map(escaped).join("|")
  const run = `${letters}{${shortest},${longest ?? ""}}`
  return {
    name: entry.name,
    kind: entry.kind,
    pattern: compiled(
      `(?=(?:${prefixes})${letters})${entry.anywhere ? "" : "<start>"}(?:${prefixes})${run}${tail}${isClosed ? `(?!${letters})` : ""}`,
      "dy",
    ),
    anchors: lower(followed(prefix, next)),
    before: [0],
    after: [],
    extend: "",
    reach: undefined,
    check: entry.check ?? "format",
  }
}

const limits = (length: Format["length"]): readonly (number | null | undefined)[] =>
  typeof length === "number" ? [length, length] : length

const escaped = (literal: string): string => literal.replace(/[.+|$^()[\]{}*?\\]/g, "\\$&")

const ruleOf = ({
  pattern,
  ignoreCase,
  anchors,
  next,
  before,
  after,
  extend,
  reach,
  check,
  ...entry
}: RuleData): Rule => ({
  name: entry.name,
  kind: entry.kind,
  pattern: compiled(pattern, `dy${ignoreCase ? "i" : ""}`),
  anchors: lower(followed(anchors, next)),
  before: before ?? [0],
  after: lower(after ?? []),
  extend: expanded(extend ?? ""),
  reach,
  check,
})

const followed = (anchors: readonly string[], next?: string): readonly string[] =>
  next === undefined ? anchors : anchors.flatMap((anchor) => [...next].map((character) => anchor + character))

const lower = (literals: readonly string[]): string[] => [...new Set(literals.map((literal) => literal.toLowerCase()))]

/** The characters of the inside of a character class: `abc` for `a-c`. */
const expanded = (alphabet: string): string =>
  alphabet.replace(/(.)-(.)/g, (_, first: string, last: string) => {
    const start = first.charCodeAt(0)
    return String.fromCharCode(...Array.from({ length: last.charCodeAt(0) - start + 1 }, (_, index) => start + index))
  })

export const RULES: readonly Rule[] = [
  ...(data.formats as Format[]).map(formatRule),
  ...(data.rules as RuleData[]).map(ruleOf),
]

/** The least and the most characters of the keys of providers that have nothing but a length. */
export const PROVIDER_LENGTHS: ReadonlyMap<string, [least: number, most: number][]> = lengths()

function lengths(): Map<string, [number, number][]> {
  const result = new Map<string, [number, number][]>()
  for (const { names, length } of data.unprefixed)
    for (const name of names) {
      const [least, most] = limits(length) as [number, number]
      result.set(name, [...(result.get(name) ?? []), [least, most]])
    }
  return result
}

const anyOf = (patterns: readonly string[]): string => patterns.map((pattern) => `(?:${pattern})`).join("|")

/** A value that begins so, or contains this, in lower case, is no secret: placeholders, variables, paths. */
export const INNOCENT_START = compiled(`^(?:${anyOf(data.innocent.start)})`)
export const INNOCENT_PART = compiled(anyOf(data.innocent.anywhere))

/** Matches what stands between punctuation in names and sentences, and hardly ever in random values. */
export const WORD = compiled(data.word)

/** What a name contains that may promise a secret. */
export const NAME_ANCHORS: readonly string[] = [...data.names.anchors, ...data.names.providers]

/** Names, in snake case, that speak of a secret and whose values are none. */
export const EXCLUDED_NAME = compiled(data.names.excluded)

export const ROLES: readonly Role[] = data.names.roles.map(({ kind, check, pattern }) => ({
  kind,
  check,
  pattern: compiled(pattern),
}))

/** The names of environment variables whose values are secret, however weak. */
export const WEAK_NAME = compiled(data.names.weak)
