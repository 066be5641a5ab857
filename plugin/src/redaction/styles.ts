import type { Finding } from "./find"

const STYLE = /\x1b\[[0-9;?]*[A-Za-z]/g

/** A text without the codes that colour it in a terminal, which may stand in the middle of a secret. */
export class Unstyled {
  readonly plain: string
  /** Where each code stood in the plain text, and the length of all codes up to it. */
  readonly #codes: { at: number; length: number }[] = []

  constructor(text: string) {
    let plain = ""
    let position = 0
    let length = 0
    for (const code of text.matchAll(STYLE)) {
      plain += text.slice(position, code.index)
      position = code.index + code[0].length
      length += code[0].length
      this.#codes.push({ at: plain.length, length })
    }
    this.plain = plain + text.slice(position)
  }

  /** Findings in the plain text, in their order, as findings in the text. */
  styled(findings: readonly Finding[]): Finding[] {
    let code = 0
    let skipped = 0
    const original = (index: number): number => {
      for (let next = this.#codes[code]; next && next.at <= index; next = this.#codes[++code]) skipped = next.length
      return index + skipped
    }
    return findings.map(({ start, end, kind }) => ({ start: original(start), end: original(end - 1) + 1, kind }))
  }
}
