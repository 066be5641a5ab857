import { isObject } from "../opencode/client"
import { type Format, formatRule, type Rule } from "./rules"

const MAX_FORMATS = 200
const NAME = /^[A-Za-z][A-Za-z0-9 -]{1,38}$/
const PREFIX = /^[!-~]{2,40}$/
const ALPHABET = /^[A-Za-z0-9_+/=.~%-]{1,80}$/
const MAX_LENGTH = 500
const FIELDS = ["name", "prefix", "alphabet", "length"]

/**
 * The rules for the user's own formats, literal prefixes and an alphabet so that they stay linear; undefined for anything
 * else. A format is removed as `[redacted:acme-token]`, after its name.
 */
export function ownRules(formats: unknown): Rule[] | undefined {
  if (!Array.isArray(formats) || formats.length > MAX_FORMATS || !formats.every(isFormat)) return undefined
  return formats.map((format) => formatRule({ ...format, kind: kindOf(format.name) }))
}

const isFormat = (value: unknown): value is Omit<Format, "kind"> =>
  isObject(value) &&
  Object.keys(value).length === FIELDS.length &&
  Object.keys(value).every((field) => FIELDS.includes(field)) &&
  isText(value.name, NAME) &&
  isText(value.alphabet, ALPHABET) &&
  Array.isArray(value.prefix) &&
  value.prefix.length > 0 &&
  value.prefix.every((prefix) => isText(prefix, PREFIX)) &&
  isLength(value.length)

const isText = (value: unknown, pattern: RegExp): boolean => typeof value === "string" && pattern.test(value)

function isLength(value: unknown): boolean {
  if (isCount(value)) return true
  if (!Array.isArray(value) || value.length !== 2) return false
  const [shortest, longest] = value
  return isCount(shortest) && (longest === null || (isCount(longest) && shortest <= longest))
}

const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_LENGTH

const kindOf = (name: string): string => name.toLowerCase().replace(/[ -]+/g, "-").replace(/-$/, "")
