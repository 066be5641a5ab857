import { isObject } from "../opencode/client"
import { ownRules } from "../redaction/own-formats"
import type { Rule } from "../redaction/rules"

/** What of a session may leave this machine, and whether automatic shares may. */
export interface Privacy {
  redact: Redaction | false
  /** Globs, relative to the project's folder, of files whose contents are left out. */
  exclude: readonly string[]
  /** Whether sessions that OpenCode shares automatically are uploaded. */
  auto: boolean
}

export interface Redaction {
  /** Kinds and values that are not removed. */
  allow: readonly string[]
  /** Texts that are always removed. */
  deny: readonly string[]
  /** For the user's own formats of secrets. */
  rules: readonly Rule[]
}

/** Valid settings, or a sentence that says why uploads are refused. */
export type PrivacyResult = Privacy | { problem: string }

export const PRIVACY_OPTIONS = ["redact", "exclude", "auto"]

const MIN_DENIED = 3

/**
 * The user's options, which those of the project can make stricter and never laxer. An invalid setting refuses: what was
 * meant to be left out must not appear on the page.
 */
export function readPrivacy(own: unknown, project: unknown = undefined): PrivacyResult {
  const users = readOptions(own)
  const projects = readOptions(project)
  if ("problem" in users) return users
  if ("problem" in projects) return projects
  const { redact = WITHOUT_EXCEPTIONS, exclude = [], auto = false } = users
  return {
    redact: projects.redact ? stricter(redact, projects.redact) : redact,
    exclude: [...new Set([...exclude, ...(projects.exclude ?? [])])],
    auto: auto && projects.auto !== false,
  }
}

const WITHOUT_EXCEPTIONS: Redaction = { allow: [], deny: [], rules: [] }
const REDACTION_OPTIONS = ["allow", "deny", "formats"]

/** The project adds texts to remove, and may turn redaction on, but not off. */
function stricter(users: Redaction | false, { deny }: Redaction): Redaction {
  const { allow, deny: own, rules } = users || WITHOUT_EXCEPTIONS
  return { allow, deny: [...new Set([...own, ...deny])], rules }
}

function readOptions(options: unknown): Partial<Privacy> | { problem: string } {
  const { redact, exclude, auto } = isObject(options) ? options : {}
  const redaction = redact === undefined ? undefined : readRedaction(redact)
  if (redact !== undefined && redaction === undefined)
    return {
      problem:
        'The plugin option "redact" must be true, false, or {"allow": [...], "deny": [...], "formats": [...]}: texts, those to deny of 3 characters and more, and formats like {"name": "ACME token", "prefix": ["acme_"], "alphabet": "A-Za-z0-9", "length": [32, null]}.',
    }
  if (exclude !== undefined && !areTexts(exclude))
    return { problem: 'The plugin option "exclude" must be a list of file patterns, like ["secrets/**"].' }
  if (auto !== undefined && typeof auto !== "boolean")
    return { problem: 'The plugin option "auto" must be true or false.' }
  return {
    ...(redaction === undefined ? {} : { redact: redaction }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(auto === undefined ? {} : { auto }),
  }
}

function readRedaction(value: unknown): Redaction | false | undefined {
  if (value === false) return false
  if (value === true) return WITHOUT_EXCEPTIONS
  if (!isObject(value) || Object.keys(value).some((key) => !REDACTION_OPTIONS.includes(key))) return undefined
  const { allow = [], deny = [], formats = [] } = value
  const rules = ownRules(formats)
  return rules && areTexts(allow) && areTexts(deny) && deny.every((text) => text.length >= MIN_DENIED)
    ? { allow, deny, rules }
    : undefined
}

const areTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "")
