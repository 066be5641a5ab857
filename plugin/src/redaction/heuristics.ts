import { hasCheckDigits } from "./check-digits"
import { INNOCENT_PART, INNOCENT_START, WORD } from "./rules"

/** Heuristics that tell a probable secret from a name, a word, a path or a placeholder. */

const MIN_RANDOM = 16
const MIN_ENTROPY = 3
const MIN_PASSWORD = 8
const MIN_MIXED = 10
const MIN_SCRAMBLED = 12
const MIN_KEY_IN_ONE_CASE = 24
const MAX_WORD = 80
const MAX_CHECKED = 512
/** The results that are remembered: the same values stand in many texts. */
const MAX_REMEMBERED = 4096
/** Digits of base 16 repeat more often than letters. */
const MIN_HEX_ENTROPY = 2.5

const DOTTED_NAME = /^[A-Za-z_$][A-Za-z0-9_$]{0,19}(?:\.[A-Za-z_$][A-Za-z0-9_$]{0,19}){1,9}$/
const REPEATED = /([\s\S])\1{7}/
/** A part at the beginning that is repeated. */
const PERIODIC = /^([\s\S]{1,32}?)\1{3}/
const HEX = /^(?:[0-9a-f]+|[0-9A-F]+)$/
const UUID = /^(?:[A-Za-z]{1,12}_){0,2}[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}$/
const ALPHANUMERIC = /^(?:[a-z0-9]+|[A-Z0-9]+)$/
const CASES = /[A-Z]+|[a-z]+|[0-9]+|[^A-Za-z0-9]+/g
const SEPARATOR = /[-_./:, ]/
const DIGEST = /^(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9A-F]{40}|[0-9A-F]{64})$|[-:/](?:[0-9a-f]{32,}|[0-9A-F]{32,})$/

const remembered = new Map<string, boolean>()

export const CHECKS: Readonly<Record<string, (value: string) => boolean>> = {
  none: () => true,
  format: (value) => !REPEATED.test(value),
  token: (value) => !isWorded(value) && !REPEATED.test(value),
  any: (value) => !isInnocent(value),
  weak: (value) => !isInnocent(value) && /[A-Za-z]/.test(value),
  password: looksLikePassword,
  distinctive: (value) => !REPEATED.test(value) && !PERIODIC.test(value) && looksLikePassword(value),
  random: looksRandom,
  strong: (value) => looksRandom(value) && !DIGEST.test(value),
  alphanumeric: (value) => looksRandom(value) && !DIGEST.test(value) && /[0-9]/.test(value),
  checked: hasCheckDigits,
  key: isKey,
  unprefixed: isUnprefixedKey,
  scrambled: isScrambled,
  nkey: (value) => entropy(value) >= MIN_ENTROPY,
  mixed: (value) => looksRandom(value) && hasBothCases(value) && /[0-9]/.test(value),
}

/** Whether the beginning of the value passes a check of `rules.json`. */
export function passes(check: string, value: string): boolean {
  const beginning = value.slice(0, MAX_CHECKED)
  const key = `${check} ${beginning}`
  const known = remembered.get(key)
  if (known !== undefined) return known
  const result = CHECKS[check]?.(beginning) === true
  if (remembered.size >= MAX_REMEMBERED) remembered.clear()
  remembered.set(key, result)
  return result
}

export function isInnocent(value: string): boolean {
  const lower = value.toLowerCase()
  return INNOCENT_START.test(lower) || INNOCENT_PART.test(lower)
}

/** Whether the value is long and mixed enough to come from a random generator. */
export function looksRandom(value: string): boolean {
  return isRandom(value) && !isInnocent(value)
}

/** Whether a value looks random even to those who do not trust its name. */
function isKey(value: string): boolean {
  if (!looksRandom(value) || DIGEST.test(value)) return false
  if (hasBothCases(value)) return isAlternating(value)
  const isAlphanumeric = ALPHANUMERIC.test(value) && !HEX.test(value)
  return isAlphanumeric && value.length >= MIN_KEY_IN_ONE_CASE && 4 * runsOf(value) > value.length
}

/** Whether digits stand among the letters as in no name, also in base 16. */
function isUnprefixedKey(value: string): boolean {
  const digits = value.match(/[0-9]+/g)?.length ?? 0
  const isMixed = 24 * digits > value.length || (hasBothCases(value) && isAlternating(value))
  const isEven = entropy(value) >= (HEX.test(value) ? MIN_HEX_ENTROPY : MIN_ENTROPY)
  return /[A-Za-z]/.test(value) && digits > 0 && isMixed && isEven && !INNOCENT_PART.test(value.toLowerCase())
}

/** Whether letters of both cases and digits alternate as in no name, without any hint from outside. */
function isScrambled(value: string): boolean {
  return (
    value.length >= MIN_SCRAMBLED &&
    hasBothCases(value) &&
    /[0-9]/.test(value) &&
    isAlternating(value) &&
    !isInnocent(value) &&
    !isWorded(value) &&
    entropy(value) >= MIN_ENTROPY
  )
}

/** Whether a person may have chosen the value as a password. */
export function looksLikePassword(value: string): boolean {
  if (value.length < MIN_PASSWORD || isInnocent(value)) return false
  if (isRandom(value)) return true
  if (isWorded(value) || DOTTED_NAME.test(value)) return false
  if (hasBothCases(value) && value.length >= MIN_MIXED) return true
  return /[A-Za-z]/.test(value) && /[0-9]|[^A-Za-z0-9_./-]/.test(value)
}

/** Whether the secret can be removed from every text, not only where a rule matched it. */
export const isDistinctive = (value: string): boolean => passes("distinctive", value)

function isRandom(value: string): boolean {
  if (value.length < MIN_RANDOM || (isMostlyWords(value) && !UUID.test(value))) return false
  const isMixed = /[A-Za-z]/.test(value) && (/[0-9]/.test(value) || hasBothCases(value))
  return isMixed && entropy(value) >= (HEX.test(value) ? MIN_HEX_ENTROPY : MIN_ENTROPY)
}

/** The number of runs of capital letters, small ones, digits or signs. */
const runsOf = (value: string): number => value.match(CASES)?.length ?? 0

const isAlternating = (value: string): boolean => 3 * runsOf(value) > value.length

const isWord = (segment: string): boolean => segment.length <= MAX_WORD && WORD.test(segment)

const isWorded = (value: string): boolean => value.split(SEPARATOR).every(isWord)

/** Whether at least half of the value is words and what separates them, as in the name of a pod. */
function isMostlyWords(value: string): boolean {
  let rest = 0
  for (const segment of value.split(SEPARATOR)) if (!isWord(segment)) rest += segment.length
  return 2 * rest <= value.length
}

const hasBothCases = (value: string): boolean => /[A-Z]/.test(value) && /[a-z]/.test(value)

/** Shannon entropy in bits per character. */
function entropy(value: string): number {
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length)
  return bits
}
