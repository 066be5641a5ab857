import type { Steps } from "./steps"

/** Characters between two pauses. */
const CHUNK = 100_000
/** Shorter words are no keys. */
const MIN_LENGTH = 20

/** A run of letters, digits and `+/_-`, which does not go on at either side. */
export interface Word {
  start: number
  end: number
}

const IN_WORDS = Uint8Array.from({ length: 128 }, (_, code) =>
  Number(/[A-Za-z0-9+/_-]/.test(String.fromCharCode(code))),
)

/** The words of at least `MIN_LENGTH` characters, in which keys and encoded texts are looked for. */
export function* longWords(text: string): Steps<Word[]> {
  const words: Word[] = []
  let start = 0
  for (let from = 0; from < text.length; from += CHUNK) {
    start = wordsIn(text, from, Math.min(from + CHUNK, text.length), start, words)
    yield
  }
  if (text.length - start >= MIN_LENGTH) words.push({ start, end: text.length })
  return words
}

/** Adds the words that end in a part of the text, and returns where the next one begins. */
function wordsIn(text: string, from: number, to: number, first: number, words: Word[]): number {
  let start = first
  for (let index = from; index < to; index++) {
    if (IN_WORDS[text.charCodeAt(index)] === 1) continue
    if (index - start >= MIN_LENGTH) words.push({ start, end: index })
    start = index + 1
  }
  return start
}
