import { posix } from "node:path"
import { finished } from "../redaction/steps"
import { withoutAnsi } from "../redaction/stripped-text"

/** A word of a command, a URL or a list of matches that may be a path. */
const WORD = /[^\x00-\x20\s"'`<>|;&(){}=,:]+/g
/** A word that a shell joins from quoted and unquoted pieces. */
const PIECES = /(?:[^\x00-\x20\s"'`<>|;&(){}=,:]+|"[^"\n]*"|'[^'\n]*')+/g
/** A path with spaces: in quotes, or a line of its own, up to a colon. */
const QUOTED = /(?<=["'`])[^"'`\n]+(?=["'`])/g
const LINE = /^[^:\n]+/gm
const MAX_PATH = 4096

/** A separator that belongs to a name is replaced by a private-use character while the text is split into words. */
const SEPARATOR = /[ "'`<>|;&()=,:]/g
const STAND_IN = /[\ue000-\ue07f]/g
const FIRST_STAND_IN = 0xe000

/** Brace expansion of a shell: `{a,b}`. */
const BRACES = /\{([^\s{}"'`:;()=,]*,[^\s{}"'`:;()=]*)\}/
const BRACED_WORD = /[^\s"'`<>|;&()=:]+/g
/** Characters of all words that one word expands to. */
const MAX_EXPANDED = 16_384
const MAX_WORKING_DIRECTORIES = 32

const HOME = /\$HOME\b|(?<![\w.~/\\-])~(?![\w.~-])/g
/** A command substitution before a slash, like `$(git rev-parse --show-toplevel)/`: it may be the project's folder. */
const COMPUTED = /(?:\$\([^()\n]*\)|`)["']?(?=[/\\])/g
/** A variable before a slash, like `$PWD/`. */
const VARIABLE = /^\$\w+\//
const CHANGE_DIRECTORY = new RegExp(
  String.raw`(?<![^\s;&|("'])(?:cd|pushd|-C)\s+(?:-\S+\s+){0,3}(${PIECES.source})`,
  "g",
)

/** Finds the paths that a text or a command of a session may name, relative to the project's folder. */
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

  /** The text with each path in the form that `pathCandidates` finds. */
  readable(text: string): string {
    const known = this.home.length < 2 ? decoded(text) : decoded(text).replace(HOME, () => asWord(this.home))
    const whole = known.replace(COMPUTED, "$& .")
    return this.#inFolder ? whole.replace(this.#inFolder, () => ` ${asWord(this.#folder)}`) : whole
  }

  /** The folders that a command changes to, each resolved against the one before and, as in a subshell, against the first. */
  workingDirectories(command: string, from: string): string[] {
    const start = posix.resolve(this.#folder, slashed(from))
    const folders = new Set([start])
    let last = start
    for (const [, word = ""] of [...this.readable(expand(command)).matchAll(CHANGE_DIRECTORY)].slice(
      0,
      MAX_WORKING_DIRECTORIES,
    )) {
      const folder = slashed(plain(unquoted(word)).trim()).replace(VARIABLE, "")
      last = posix.resolve(last, folder)
      folders.add(posix.resolve(start, folder)).add(last)
    }
    folders.delete(this.#folder)
    return [...folders]
  }

  /** The paths that a word may stand for, relative to the project's folder. */
  resolve(word: string, workingDirectories: readonly string[]): string[] {
    const names = namesIn(slashed(plain(word).trim()))
    return [this.#folder, ...workingDirectories].flatMap((base) =>
      [...names].map((name) => posix.relative(this.#folder, posix.resolve(base, name))),
    )
  }
}

/** The text without terminal codes, and with braces expanded as a shell does. */
export function expand(text: string): string {
  const visible = finished(withoutAnsi(text))?.plain ?? text
  return BRACES.test(visible)
    ? visible.replace(BRACED_WORD, (word) =>
        word.includes("{") && word.length <= MAX_PATH ? expandBraces(word).join(" ") : word,
      )
    : visible
}

/** The words of a readable text that may be paths. `names` are the ones with separators, like `private notes`. */
export function* pathCandidates(text: string, names: readonly string[]): Generator<string> {
  const joined = names.reduce((result, name) => result.replaceAll(name, asWord(name)), text)
  for (const form of [WORD, PIECES, QUOTED, LINE]) {
    for (const [word] of joined.matchAll(form))
      if (word.length <= MAX_PATH) yield form === PIECES ? unquoted(word) : word
  }
}

export const unquoted = (text: string): string => text.replaceAll('"', "").replaceAll("'", "")

/** Whether the name contains a separator. */
export const isDivided = (name: string): boolean => name.search(SEPARATOR) >= 0

function namesIn(word: string): Set<string> {
  const whole = word.replace(/^(?:\+\+\+|---) /, "")
  // Without the option letter and `@` of curl, the `[` of a Markdown link, the full stop of a sentence.
  const inner = whole.replace(/^(?:-[A-Za-z])?(?:@|!?\[)?/, "").replace(/(?<=\w)[\].!?*]+$/, "")
  const bare = /[/.]/.test(inner) ? inner : whole
  const names = new Set([whole, bare, bare.replace(VARIABLE, "")])
  // The prefixes of the two sides of a diff in Git.
  if (/^[abciow]\//.test(bare)) names.add(bare.slice(2))
  // An earlier command may have changed to a folder of the project.
  return names.add(posix.normalize(bare.replace(VARIABLE, "")).replace(/^(?:\.\.\/)+/, ""))
}

/** The text without backslash escapes of a shell and percent codes of `file:` URLs. */
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

function expandBraces(word: string): string[] {
  let words = [word]
  for (;;) {
    const more = words.flatMap((each) => {
      const [group, choices] = BRACES.exec(each) ?? []
      return group !== undefined && choices !== undefined
        ? choices.split(",").map((choice) => each.replace(group, () => choice))
        : [each]
    })
    if (more.length === words.length || more.length * word.length > MAX_EXPANDED) return words
    words = more
  }
}

/** A pattern for a character of a path: either slash, and separators plain or replaced. */
function inAnyForm(character: string): string {
  if (character === "/" || character === "\\") return "[/\\\\]+"
  return character === asWord(character) ? RegExp.escape(character) : `[${character}${asWord(character)}]`
}

/** The path with forward slashes only, also before a drive letter. */
const slashed = (path: string): string => path.replaceAll("\\", "/").replace(/^(?=[A-Za-z]:\/)/, "/")

const asWord = (name: string): string =>
  name.replace(SEPARATOR, (character) => String.fromCharCode(character.charCodeAt(0) + FIRST_STAND_IN))
const plain = (word: string): string =>
  word.replace(STAND_IN, (character) => String.fromCharCode(character.charCodeAt(0) - FIRST_STAND_IN))
