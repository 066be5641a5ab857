import data from "../../../app/redaction/rules.json" with { type: "json" }

/**
 * The rules of `rules.json`, compiled. The server applies the same file: its patterns keep to what JavaScript and Python
 * understand alike, and `<name>` in one stands for the part of that name, or for any
 * of its alternatives.
 */
export interface Rule {
  kind: string
  /** A text that has none of these is not searched. */
  hints: readonly string[]
  /** Its first group, or all of it, is a secret. */
  pattern: RegExp
  /** Matched against the text in lower case. */
  ignoreCase: boolean
  /** The secret is the whole word that the match ends. */
  isWord: boolean
  /** What more a value must be: see values.ts. */
  check: string | undefined
}

interface RuleData {
  kind: string
  hints: string[]
  pattern: string
  check?: string
  ignoreCase?: boolean
  word?: boolean
}

const PARTS: Record<string, string | string[]> = data.parts

const part = (_: string, name: string): string => {
  const content = PARTS[name] ?? ""
  return typeof content === "string" ? whole(content) : `(?:${content.join("|")})`
}

const whole = (pattern: string): string => pattern.replace(/<([a-z]+)>/g, part)

const compiled = (pattern: string, flags = ""): RegExp => new RegExp(whole(pattern), flags)

export const RULES: readonly Rule[] = (data.rules as RuleData[]).map(
  ({ kind, hints, pattern, check, ignoreCase = false, word = false }) => ({
    kind,
    hints,
    pattern: compiled(pattern, "dg"),
    ignoreCase,
    isWord: word,
    check,
  }),
)

/** Placeholders, variables, paths and the like: where one of these is found, the value, in lower case, is no secret. */
export const INNOCENT: readonly RegExp[] = data.innocent.map((pattern) => compiled(pattern))

/** What stands between punctuation in names and sentences, but hardly ever in something random. */
export const WORD = compiled(data.word)

/** The names, in lower case, of variables and fields that hold secrets. */
export const PASSWORD_NAME = compiled(data.passwordName)
export const SECRET_NAME = compiled(data.secretName)
