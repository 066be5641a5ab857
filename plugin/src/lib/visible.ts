/** Control characters, line breaks, controls of writing direction, and halves of surrogate pairs. */
const INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/gu
const NAMES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

/** The text on one line, with `\x1b` or `\u202e` in place of what would control a terminal or reorder the line. */
export const visible = (text: string): string => text.replace(INVISIBLE, escaped)

/** The text as `visible` shows it, cut after `length` characters. */
export const excerpt = (text: string, length: number): string => {
  const characters = visible(text.slice(0, length + 1))
  return characters.length > length ? `${characters.slice(0, length)}…` : characters
}

function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16)
  return NAMES[character] ?? (code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`)
}
