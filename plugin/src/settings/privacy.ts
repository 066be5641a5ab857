import { isObject } from "../opencode/client"

/** What of a session may leave this machine, and who must have asked for it. */
export interface Privacy {
  redact: Redaction | false
  /** Globs of files, seen from the project's folder, whose contents are left out. */
  exclude: readonly string[]
  /** Whether sessions that OpenCode shares by itself are uploaded. */
  auto: boolean
}

export interface Redaction {
  /** Kinds and values that are left alone. */
  allow: readonly string[]
  /** Texts that are removed wherever they stand. */
  deny: readonly string[]
}

/** Either what was chosen, or the sentence that says why nothing will be uploaded. */
export type PrivacyResult = Privacy | { problem: string }

export const PRIVACY_OPTIONS = ["redact", "exclude", "auto"]

const MIN_DENIED = 3

/** A wrong choice refuses: who wanted something left out must not find it on the page. */
export function readPrivacy(options: unknown): PrivacyResult {
  const { redact = true, exclude = [], auto = false } = isObject(options) ? options : {}
  const redaction = readRedaction(redact)
  if (redaction === undefined)
    return {
      problem:
        'The plugin option "redact" must be true, false, or {"allow": [...], "deny": [...]} with lists of texts, those to deny of 3 characters and more.',
    }
  if (!areTexts(exclude))
    return { problem: 'The plugin option "exclude" must be a list of file patterns, like ["secrets/**"].' }
  if (typeof auto !== "boolean") return { problem: 'The plugin option "auto" must be true or false.' }
  return { redact: redaction, exclude, auto }
}

function readRedaction(value: unknown): Redaction | false | undefined {
  if (value === false) return false
  if (value === true) return { allow: [], deny: [] }
  if (!isObject(value) || Object.keys(value).some((key) => key !== "allow" && key !== "deny")) return undefined
  const { allow = [], deny = [] } = value
  return areTexts(allow) && areTexts(deny) && deny.every((text) => text.length >= MIN_DENIED)
    ? { allow, deny }
    : undefined
}

const areTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "")
