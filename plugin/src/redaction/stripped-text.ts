import { endOfMatch, type Finding } from "./finding"
import { startsOfMatches } from "./searches"
import type { Steps } from "./steps"

/** The matches between two pauses. */
const STEP = 4096

/** A text without the matches of a pattern that may interrupt a secret. */
export class StrippedText {
  plain = ""
  /** For each match its offset in the plain text, and the length of all matches up to it. */
  readonly #matches: { at: number; length: number }[] = []

  /** Removes the matches of a sticky pattern; undefined if the text has none. */
  static *of(text: string, pattern: RegExp): Steps<StrippedText | undefined> {
    const starts = yield* startsOfMatches(text, pattern)
    if (starts.length === 0) return undefined
    const stripped = new StrippedText()
    let position = 0
    let length = 0
    for (const [index, start] of starts.entries()) {
      if (index % STEP === 0) yield
      const end = start < position ? undefined : endOfMatch(pattern, text, start)
      if (end === undefined) continue
      stripped.plain += text.slice(position, start)
      length += end - start
      position = end
      stripped.#matches.push({ at: stripped.plain.length, length })
    }
    stripped.plain += text.slice(position)
    return stripped
  }

  /** Maps findings in the plain text, given in order, to findings in the original text. */
  restored(findings: readonly Finding[]): Finding[] {
    let match = 0
    let skipped = 0
    const original = (index: number): number => {
      for (let next = this.#matches[match]; next && next.at <= index; next = this.#matches[++match])
        skipped = next.length
      return index + skipped
    }
    return findings.map(({ start, end, kind }) => ({ start: original(start), end: original(end - 1) + 1, kind }))
  }
}

/** ANSI escapes: CSI sequences, also escaped in source code or JSON, character sets, the end of a hyperlink. */
const STYLE =
  /(?:(?:\x1b|\\{1,3}(?:u001[bB]|x1[bB]|033|e))\[[0-9;:?]*[A-Za-z]|\x1b(?:[()][A-Z0-9]|[78=>]|\]8;;(?:\x07|\x1b\\))){1,1000}/y
const STYLE_HINTS = ["\x1b", "\\u001b[", "\\u001B[", "\\x1b[", "\\x1B[", "\\033[", "\\e["]

/** Removes ANSI escapes; undefined if the text has none. */
export function* withoutAnsi(text: string): Steps<StrippedText | undefined> {
  return STYLE_HINTS.some((hint) => text.includes(hint)) ? yield* StrippedText.of(text, STYLE) : undefined
}

/** The line break after a full line of base64: PEM and MIME lines have 64 or 76 characters, OpenSSH 70. */
const WRAP =
  /(?:\n(?<=[A-Za-z0-9+/]{60}\n)|\r\n(?<=[A-Za-z0-9+/]{60}\r\n)|\\n(?<=[A-Za-z0-9+/]{60}\\n))[ \t]*(?=[A-Za-z0-9+/=])/y

/** Removes the line breaks inside base64; undefined if the text has none. */
export const unwrapped = (text: string): Steps<StrippedText | undefined> => StrippedText.of(text, WRAP)
