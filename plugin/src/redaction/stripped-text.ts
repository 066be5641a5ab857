import { endOfMatch, type Finding } from "./finding"
import type { Steps } from "./steps"
import type { Word } from "./words"

/** The matches between two pauses. */
const STEP = 4096

/** A text without the matches of a pattern that may interrupt a secret. */
export class StrippedText {
  plain = ""
  /** For each match its offset in the plain text, and the length of all matches up to it. */
  readonly #matches: { at: number; length: number }[] = []

  /** Removes the matches of a sticky pattern that begin at `starts`; undefined if there are none. */
  static *of(text: string, pattern: RegExp, starts: readonly number[]): Steps<StrippedText | undefined> {
    const stripped = new StrippedText()
    // Joined at once: appending to one text would be put together only when it is read, which takes longer.
    const pieces: string[] = []
    let position = 0
    let size = 0
    let length = 0
    for (const [index, start] of starts.entries()) {
      if (index % STEP === 0) yield
      const end = start < position ? undefined : endOfMatch(pattern, text, start)
      if (end === undefined) continue
      pieces.push(text.slice(position, start))
      size += start - position
      length += end - start
      position = end
      stripped.#matches.push({ at: size, length })
    }
    if (position === 0) return undefined
    stripped.plain = [...pieces, text.slice(position)].join("")
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

/** Characters between two pauses. */
const CHUNK = 100_000
/** The length of an escape. */
const MAX_STYLE = 1_000

/** Removes ANSI escapes; undefined if the text has none. */
export function* withoutAnsi(text: string): Steps<StrippedText | undefined> {
  for (const hint of STYLE_HINTS) {
    if (text.includes(hint)) return yield* StrippedText.of(text, STYLE, yield* startsOfStyles(text))
    yield
  }
  return undefined
}

function* startsOfStyles(text: string): Steps<number[]> {
  const pattern = new RegExp(STYLE.source, "g")
  const starts: number[] = []
  for (let from = 0; from < text.length; from += CHUNK) {
    for (const { index } of text.slice(from, from + CHUNK + MAX_STYLE).matchAll(pattern)) {
      if (index < CHUNK) starts.push(from + index)
    }
    yield
  }
  return starts
}

/** The line break after a full line of base64: PEM and MIME lines have 64 or 76 characters, OpenSSH 70. */
const WRAP = /(?:\r?\n|\\n)[ \t]*(?=[A-Za-z0-9+/=])/y
const LINE = /[A-Za-z0-9+/]{60}/y
const LINE_LENGTH = 60

/** Removes the line breaks inside base64, which follow some of the long words; undefined if there are none. */
export function unwrapped(text: string, words: readonly Word[]): Steps<StrippedText | undefined> {
  const lines = words.filter(({ start, end }) => end - start >= LINE_LENGTH)
  const ends = lines.map(({ end }) => end).filter((end) => endOfMatch(LINE, text, end - LINE_LENGTH) === end)
  return StrippedText.of(text, WRAP, ends)
}
