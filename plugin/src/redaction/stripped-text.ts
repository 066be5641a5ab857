import type { Finding } from "./scanner"

/** A text without what matches a pattern and may stand in the middle of a secret. */
export class StrippedText {
  readonly plain: string
  /** Where each match stood in the plain text, and the length of all matches up to it. */
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

  /** Findings in the plain text, in their order, as findings in the text. */
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

/** Colours and the like, character sets, and the ends of links; also in the code of a program or of JSON. */
const STYLE =
  /(?:\x1b|\\{1,3}(?:u001[bB]|x1[bB]|033|e))\[[0-9;:?]*[A-Za-z]|\x1b(?:[()][A-Z0-9]|[78=>]|\]8;;(?:\x07|\x1b\\))/g
const STYLE_HINTS = ["\x1b", "\\u001b[", "\\u001B[", "\\x1b[", "\\x1B[", "\\033[", "\\e["]

/** Without the codes that a terminal does not show; undefined for a text that has none. */
export const withoutAnsi = (text: string): StrippedText | undefined =>
  STYLE_HINTS.some((hint) => text.includes(hint)) ? new StrippedText(text, STYLE) : undefined

/** The end of a full line of base64, which is never shorter. */
const WRAP =
  /(?:\n(?<=[A-Za-z0-9+/]{60}\n)|\r\n(?<=[A-Za-z0-9+/]{60}\r\n)|\\n(?<=[A-Za-z0-9+/]{60}\\n))[ \t]*(?=[A-Za-z0-9+/=])/g

/** With each base64 in one line; undefined for a text that has none in several. */
export const unwrapped = (text: string): StrippedText | undefined =>
  text.search(WRAP) < 0 ? undefined : new StrippedText(text, WRAP)
