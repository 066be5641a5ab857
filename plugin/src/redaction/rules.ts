import data from "../../../app/redaction/rules.json" with { type: "json" }

/**
 * Compiles `rules.json`, which the server uses too: its patterns keep to the syntax that JavaScript and Python have in
 * common. `<name>` in a pattern stands for the entry of that name in `parts`, or for any of its alternatives.
 */
export interface Rule {
  kind: string
  /** Only texts that contain one of these are searched. */
  hints: readonly string[]
  /** The first group, or the whole match, is the secret. */
  pattern: RegExp
  /** Matched against the text in lower case. */
  ignoreCase: boolean
  /** The secret starts at the beginning of its word. */
  isWord: boolean
  /** A key of `CHECKS` in heuristics.ts that the secret must also pass. */
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

/** A value that contains one of these, in lower case, is no secret: placeholders, variables, paths. */
export const INNOCENT: readonly RegExp[] = data.innocent.map((pattern) => compiled(pattern))

/** Matches what stands between punctuation in names and sentences, and hardly ever in random values. */
export const WORD = compiled(data.word)

/** The names, in lower case, of variables and fields that hold secrets. */
export const PASSWORD_NAME = compiled(data.passwordName)
export const SECRET_NAME = compiled(data.secretName)
