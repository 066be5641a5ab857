import { posix } from "node:path"

/** What in a command, an address or a list of matches can be a path. */
const WORD = /[^\s"'`<>|;&(){}=,:]+/g
/** One with spaces stands in quotes, or has a line for itself, maybe up to a colon. */
const QUOTED = /(?<=["'`])[^"'`\n]+(?=["'`])/g
const LINE = /^[^:\n]+/gm
const MAX_PATH = 4096

/** Where one of these belongs to a name, a character of no meaning stands for it while words are looked for. */
const SEPARATOR = /[ "'`<>|;&()=,:]/g
const STAND_IN = /[\ue000-\ue07f]/g
const FIRST_STAND_IN = 0xe000

/** Finds paths that match a pattern, in texts of any kind. */
export class ExcludedPaths {
  readonly #patterns: readonly Pattern[]

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(compiled)
  }

  /** The first one that is found; patterns and relative paths are seen from `folder`. */
  in(text: string, folder: string): string | undefined {
    const likely = this.#patterns.filter(({ literal }) => text.includes(literal))
    if (likely.length === 0) return undefined
    const readable = withoutFolder(decoded(text), folder)
    for (const pattern of likely) {
      const found = firstMatch(pattern, readable, folder)
      if (found !== undefined) return found
    }
    return undefined
  }
}

interface Pattern {
  globs: readonly Bun.Glob[]
  /** What every path that matches has in it; most texts do not, and need no closer look. */
  literal: string
  /** The names in it that have separators, like `private notes`. */
  divided: readonly string[]
}

/** As in a `.gitignore`, what is below a folder belongs to it, and a pattern without a slash inside is for any folder. */
function compiled(pattern: string): Pattern {
  const rooted = pattern.replace(/^\.?\/|\/+$/g, "")
  const path = rooted.replace(/\/\*\*$/, "")
  // Braces and classes are choices: none of what is in them need be there.
  const certain = path.replace(/\{[^}]*\}|\[[^\]]*\]|^!/g, "*")
  const literal = certain.split(/[^A-Za-z0-9._-]+/).reduce((longest, name) => (name.length > longest.length ? name : longest), "")
  const divided = certain.split(/[/*?\\{}[\]]+/).filter((name) => name.search(SEPARATOR) >= 0)
  const glob = joined(rooted.includes("/") ? path : `**/${path}`, divided)
  return { globs: [new Bun.Glob(glob), new Bun.Glob(`${glob}/**`)], literal, divided }
}

function firstMatch({ globs, literal, divided }: Pattern, text: string, folder: string): string | undefined {
  const readable = joined(text, divided)
  for (const form of [WORD, QUOTED, LINE]) {
    for (const [word] of readable.matchAll(form)) {
      if (word.length > MAX_PATH || !word.includes(literal)) continue
      const path = readings(word.trim(), folder).find((reading) => globs.some((glob) => glob.match(reading)))
      if (path !== undefined) return path.replace(STAND_IN, (character) => String.fromCharCode(character.charCodeAt(0) - FIRST_STAND_IN))
    }
  }
  return undefined
}

/** What a word can mean as a path. */
function readings(word: string, folder: string): string[] {
  const path = relative(word.replace(/^(?:\+\+\+|---) /, ""), folder)
  // Git names the two sides of a difference, of commits, index or working tree.
  if (/^[abciow]\//.test(path)) return [path, path.slice(2)]
  // A command may have entered a folder of the project before.
  return path.startsWith("../") && !word.startsWith("/") ? [path, path.replace(/^(?:\.\.\/)+/, "")] : [path]
}

function relative(path: string, folder: string): string {
  const inside = posix.normalize(path.replaceAll("\\", "/"))
  return (inside.startsWith("/") ? posix.relative(folder, inside) : inside.replace(/^\.\//, "")).replace(/\/$/, "")
}

/** A text without the escapes of shells, which make a sign part of a name, and of `file:` addresses. */
function decoded(text: string): string {
  return text
    .replace(/\\(["'`])/g, "$1")
    .replace(/\\([ &;()=,])/g, (_, sign: string) => asWord(sign))
    .replace(/file:\/\/([^\s"'`<>?#]*)[?#]?/g, (_, path: string) => ` ${decodedAddress(path)} `)
}

function decodedAddress(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The folder may have separators in its name; what is inside of it need not be told apart from them. */
function withoutFolder(text: string, folder: string): string {
  if (folder.length < 2) return text
  const forms = [folder, asWord(folder)].flatMap((form) => [`${form}/`, `${form}\\`])
  return forms.reduce((result, form) => result.replaceAll(form, " "), text)
}

/** The text with names that have separators made words. */
const joined = (text: string, names: readonly string[]): string => names.reduce((result, name) => result.replaceAll(name, asWord(name)), text)

const asWord = (name: string): string => name.replace(SEPARATOR, (character) => String.fromCharCode(character.charCodeAt(0) + FIRST_STAND_IN))
