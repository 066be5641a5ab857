import { posix } from "node:path"
import { withoutAnsi } from "../redaction/stripped-text"

/** What in a command, an address or a list of matches can be a path. */
const WORD = /[^\x00-\x20\s"'`<>|;&(){}=,:]+/g
/** One that a shell puts together from what is in quotes and what is not. */
const PIECES = /(?:[^\x00-\x20\s"'`<>|;&(){}=,:]+|"[^"\n]*"|'[^'\n]*')+/g
/** One with spaces stands in quotes, or has a line for itself, maybe up to a colon. */
const QUOTED = /(?<=["'`])[^"'`\n]+(?=["'`])/g
const LINE = /^[^:\n]+/gm
const MAX_PATH = 4096

/** Where one of these belongs to a name, a character of no meaning stands for it while words are looked for. */
const SEPARATOR = /[ "'`<>|;&()=,:]/g
const STAND_IN = /[\ue000-\ue07f]/g
const FIRST_STAND_IN = 0xe000

/** A shell makes several words of one with `{a,b}`. */
const CHOICE = /\{([^\s{}"'`:;()=,]*,[^\s{}"'`:;()=]*)\}/
const CHOOSING = /[^\s"'`<>|;&()=:]+/g
/** Characters of all the words that are made of one. */
const MAX_CHOSEN = 16_384
const MAX_ENTERED = 32

const HOME = /\$HOME\b|(?<![\w.~/\\-])~(?![\w.~-])/g
/** `$(git rev-parse --show-toplevel)/`, or in backquotes: a folder that only the shell knows, and that may be the project's. */
const COMPUTED = /(?:\$\([^()\n]*\)|`)["']?(?=[/\\])/g
/** The same in a variable, like `$PWD`. */
const VARIABLE = /^\$\w+\//
const ENTERING = new RegExp(String.raw`(?<![^\s;&|("'])(?:cd|pushd|-C)\s+(?:-\S+\s+){0,3}(${PIECES.source})`, "g")

/** Reads texts as what they are of: a project's folder, on a machine with this home folder. */
export class PathReader {
  readonly #folder: string
  readonly #inFolder: RegExp | undefined

  constructor(
    folder: string,
    private readonly home: string,
  ) {
    this.#folder = slashed(folder)
    this.#inFolder = folder.length < 2 ? undefined : new RegExp(`${folder.replace(/[^]/g, inAnyForm)}(?=[/\\\\])`, "g")
  }

  /** A text with each path in it in the form that `words` finds. */
  readable(text: string): string {
    const known = this.home.length < 2 ? decoded(text) : decoded(text).replace(HOME, () => asWord(this.home))
    const whole = known.replace(COMPUTED, "$& .")
    return this.#inFolder ? whole.replace(this.#inFolder, () => ` ${asWord(this.#folder)}`) : whole
  }

  /** The folders that a command enters: each from where the one before ended or, as a subshell does, from where it began. */
  entered(command: string, from: string): string[] {
    const start = posix.resolve(this.#folder, slashed(from))
    const entered = new Set([start])
    let last = start
    for (const [, word = ""] of [...this.readable(shown(command)).matchAll(ENTERING)].slice(0, MAX_ENTERED)) {
      const folder = slashed(plain(unquoted(word)).trim()).replace(VARIABLE, "")
      last = posix.resolve(last, folder)
      entered.add(posix.resolve(start, folder)).add(last)
    }
    entered.delete(this.#folder)
    return [...entered]
  }

  /** What a word can mean as a path, seen from the project's folder. */
  readings(word: string, entered: readonly string[]): string[] {
    const names = namesIn(slashed(plain(word).trim()))
    return [this.#folder, ...entered].flatMap((base) =>
      [...names].map((name) => posix.relative(this.#folder, posix.resolve(base, name))),
    )
  }
}

/** A text as a terminal shows it, and with every word that a shell makes of it. */
export function shown(text: string): string {
  const visible = withoutAnsi(text)?.plain ?? text
  return CHOICE.test(visible)
    ? visible.replace(CHOOSING, (word) =>
        word.includes("{") && word.length <= MAX_PATH ? chosen(word).join(" ") : word,
      )
    : visible
}

/** What can be paths in a readable text. `names` have separators inside, like `private notes`. */
export function* words(text: string, names: readonly string[]): Generator<string> {
  const joined = names.reduce((result, name) => result.replaceAll(name, asWord(name)), text)
  for (const form of [WORD, PIECES, QUOTED, LINE]) {
    for (const [word] of joined.matchAll(form))
      if (word.length <= MAX_PATH) yield form === PIECES ? unquoted(word) : word
  }
}

export const unquoted = (text: string): string => text.replaceAll('"', "").replaceAll("'", "")

/** Whether a word ends somewhere in this name. */
export const isDivided = (name: string): boolean => name.search(SEPARATOR) >= 0

function namesIn(word: string): Set<string> {
  const whole = word.replace(/^(?:\+\+\+|---) /, "")
  // After an option's letter, as curl has it, in a link of Markdown, at the end of a sentence.
  const inner = whole.replace(/^(?:-[A-Za-z])?(?:@|!?\[)?/, "").replace(/(?<=\w)[\].!?*]+$/, "")
  const bare = /[/.]/.test(inner) ? inner : whole
  const names = new Set([whole, bare, bare.replace(VARIABLE, "")])
  // Git names the two sides of a difference, of commits, index or working tree.
  if (/^[abciow]\//.test(bare)) names.add(bare.slice(2))
  // A command may have entered a folder of the project before.
  return names.add(posix.normalize(bare.replace(VARIABLE, "")).replace(/^(?:\.\.\/)+/, ""))
}

/** A text without the escapes of shells, which make a sign part of a name, and of `file:` addresses. */
function decoded(text: string): string {
  return text
    .replace(/\\(["'`])/g, "$1")
    .replace(/\$\{(\w+)\}/g, "$$$1")
    .replace(/\\([ &;()=,])/g, (_, sign: string) => asWord(sign))
    .replace(/file:\/\/([^\x00-\x20\s"'`<>?#]*)[?#]?/g, (_, path: string) => ` ${decodedAddress(path)} `)
}

function decodedAddress(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function chosen(word: string): string[] {
  let words = [word]
  for (;;) {
    const more = words.flatMap((each) => {
      const [group, choices] = CHOICE.exec(each) ?? []
      return group !== undefined && choices !== undefined
        ? choices.split(",").map((choice) => each.replace(group, () => choice))
        : [each]
    })
    if (more.length === words.length || more.length * word.length > MAX_CHOSEN) return words
    words = more
  }
}

/** A character of a path, as a pattern: texts write folders with either slash, and separators as they are or as parts of a word. */
function inAnyForm(character: string): string {
  if (character === "/" || character === "\\") return "[/\\\\]+"
  return character === asWord(character) ? RegExp.escape(character) : `[${character}${asWord(character)}]`
}

/** With slashes only, also before the letter of a drive. */
const slashed = (path: string): string => path.replaceAll("\\", "/").replace(/^(?=[A-Za-z]:\/)/, "/")

const asWord = (name: string): string =>
  name.replace(SEPARATOR, (character) => String.fromCharCode(character.charCodeAt(0) + FIRST_STAND_IN))
const plain = (word: string): string =>
  word.replace(STAND_IN, (character) => String.fromCharCode(character.charCodeAt(0) - FIRST_STAND_IN))
