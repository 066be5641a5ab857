import type { Finding } from "./finding"

/** A text without the matches of a pattern that may interrupt a secret. */
export class StrippedText {
  readonly plain: string
  /** For each match its offset in the plain text, and the length of all matches up to it. */
  readonly #matches: { at: number; length: number }[] = []

  constructor(text: string, pattern: RegExp) {
    let plain = ""
    let position = 0
    let length = 0
    for (const match of text.matchAll(pattern)) {
      plain += text.slice(position, match.index)
      position = match.index + match[0].length
      length += match[0].length
      this.#matches.push({ at: plain.length, length })
    }
    this.plain = plain + text.slice(position)
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
  /(?:(?:\x1b|\\{1,3}(?:u001[bB]|x1[bB]|033|e))\[[0-9;:?]*[A-Za-z]|\x1b(?:[()][A-Z0-9]|[78=>]|\]8;;(?:\x07|\x1b\\))){1,1000}/g
const STYLE_HINTS = ["\x1b", "\\u001b[", "\\u001B[", "\\x1b[", "\\x1B[", "\\033[", "\\e["]

/** Removes ANSI escapes; undefined if the text has none. */
export const withoutAnsi = (text: string): StrippedText | undefined =>
  STYLE_HINTS.some((hint) => text.includes(hint)) ? new StrippedText(text, STYLE) : undefined

/** The line break after a full line of base64: PEM and MIME lines have 64 or 76 characters, OpenSSH 70. */
const WRAP =
  /(?:\n(?<=[A-Za-z0-9+/]{60}\n)|\r\n(?<=[A-Za-z0-9+/]{60}\r\n)|\\n(?<=[A-Za-z0-9+/]{60}\\n))[ \t]*(?=[A-Za-z0-9+/=])/g

/** Removes the line breaks inside base64; undefined if the text has none. */
export const unwrapped = (text: string): StrippedText | undefined =>
  text.search(WRAP) < 0 ? undefined : new StrippedText(text, WRAP)
