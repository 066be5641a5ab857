import { isDivided, type PathReader, shown, unquoted, words } from "./path-reader"

/** Finds paths that match a pattern, in texts of any kind. */
export class PathMatcher {
  readonly #patterns: readonly Pattern[]

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(compiled)
  }

  /** The first one that is found; relative paths are seen from the project's folder, and from those that a command `entered`. */
  in(text: string, project: PathReader, entered: readonly string[]): string | undefined {
    const visible = shown(text)
    const unbroken = unquoted(visible)
    const isEntered = (name: string): boolean => entered.some((folder) => folder.includes(name))
    const likely = this.#patterns.filter(({ names }) =>
      names.every((name) => unbroken.includes(name) || isEntered(name)),
    )
    if (likely.length === 0) return undefined
    const readable = project.readable(visible)
    for (const { globs, names, divided } of likely) {
      const unentered = names.filter((name) => !isEntered(name))
      for (const word of words(readable, divided)) {
        if (!unentered.every((name) => word.includes(name))) continue
        const path = project.readings(word, entered).find((reading) => globs.some((glob) => glob.match(reading)))
        if (path !== undefined) return path
      }
    }
    return undefined
  }
}

interface Pattern {
  globs: readonly Bun.Glob[]
  /** What every path that matches has in it; most texts do not, and need no closer look. */
  names: readonly string[]
  /** The names in it that have separators, like `private notes`. */
  divided: readonly string[]
}

/** As in a `.gitignore`, what is below a folder belongs to it, and a pattern without a slash inside is for any folder. */
function compiled(pattern: string): Pattern {
  const rooted = pattern.replace(/^\.?\/|\/+$/g, "")
  const path = rooted.replace(/\/\*\*$/, "")
  // Braces and classes are choices: none of what is in them need be there.
  const certain = path.replace(/\{[^}]*\}|\[[^\]]*\]|^!/g, "*")
  const names = certain.split(/[^A-Za-z0-9._-]+/).filter((name) => /[^.]/.test(name))
  const divided = certain.split(/[/*?\\{}[\]]+/).filter(isDivided)
  const glob = rooted.includes("/") ? path : `**/${path}`
  return { globs: [new Bun.Glob(glob), new Bun.Glob(`${glob}/**`)], names, divided }
}
