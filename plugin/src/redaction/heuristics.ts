import { INNOCENT, WORD } from "./rules"

/** Heuristics that tell a probable secret from a name, a word, a path or a placeholder. */

const MIN_RANDOM = 16
const MIN_ENTROPY = 3
const MIN_PASSWORD = 8
const MIN_MIXED = 10
const MAX_WORD = 80

const DOTTED_NAME = /^[A-Za-z_$][A-Za-z0-9_$]{0,19}(?:\.[A-Za-z_$][A-Za-z0-9_$]{0,19}){1,9}$/
const REPEATED = /([\s\S])\1{7}/
const DIGEST = /(?:^|[-:/])(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9A-F]{40}|[0-9A-F]{64})$/

export const CHECKS: Readonly<Record<string, (value: string) => boolean>> = {
  format: (value) => !REPEATED.test(value),
  any: (value) => !isInnocent(value),
  weak: (value) => !isInnocent(value) && /[A-Za-z]/.test(value),
  password: looksLikePassword,
  random: looksRandom,
  strong: (value) => looksRandom(value) && !DIGEST.test(value),
  mixed: (value) => looksRandom(value) && hasBothCases(value) && /[0-9]/.test(value),
}

export function isInnocent(value: string): boolean {
  const lowered = value.toLowerCase()
  return INNOCENT.some((pattern) => pattern.test(lowered))
}

/** Whether the value is long and mixed enough to come from a random generator. */
export function looksRandom(value: string): boolean {
  if (value.length < MIN_RANDOM || isInnocent(value) || isWorded(value)) return false
  const isMixed = /[A-Za-z]/.test(value) && (/[0-9]/.test(value) || hasBothCases(value))
  return isMixed && entropy(value) >= MIN_ENTROPY
}

/** Whether a person may have chosen the value as a password. */
export function looksLikePassword(value: string): boolean {
  if (looksRandom(value)) return true
  if (value.length < MIN_PASSWORD || isInnocent(value) || isWorded(value) || DOTTED_NAME.test(value)) return false
  if (hasBothCases(value) && value.length >= MIN_MIXED) return true
  return /[A-Za-z]/.test(value) && /[0-9]|[^A-Za-z0-9_./-]/.test(value)
}

/** Whether the secret can be removed from every text, not only where a rule matched it. */
export const isDistinctive = (value: string): boolean => looksLikePassword(value) && !REPEATED.test(value)

const isWorded = (value: string): boolean =>
  value.split(/[-_./:#, ]/).every((segment) => segment.length <= MAX_WORD && WORD.test(segment))

const hasBothCases = (value: string): boolean => /[A-Z]/.test(value) && /[a-z]/.test(value)

/** Shannon entropy in bits per character. */
function entropy(value: string): number {
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length)
  return bits
}
