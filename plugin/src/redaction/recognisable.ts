import { isDistinctive } from "./values"

/** Shorter ones may be lines of anything. */
const LINE = /[A-Za-z0-9+/=]{40,}/g
const END_OF_LINE = /\n|\\+[nr]/

/** What of a secret can be recognised elsewhere; of one with several lines, each that is long enough. */
export const recognisable = (secret: string): string[] => (END_OF_LINE.test(secret) ? linesOf(secret) : [secret]).filter(isDistinctive)

/** The long lines of what has several, like a private key, also where they end inside of a string. */
export function linesOf(secret: string): string[] {
  const lines = secret.split(END_OF_LINE)
  return lines.length > 1 ? lines.flatMap((line) => line.match(LINE) ?? []) : []
}
