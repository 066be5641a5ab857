import { expand, isDivided, type PathReader, pathCandidates, unquoted } from "./path-reader"

/** Finds paths that match one of the patterns in a text. */
export class PathMatcher {
  readonly #patterns: readonly Pattern[]

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(compiled)
  }

  /** The first matching path. Relative paths are resolved against the project's folder and `workingDirectories`. */
  find(text: string, project: PathReader, workingDirectories: readonly string[]): string | undefined {
    const expanded = expand(text)
    const unbroken = unquoted(expanded)
    const isWorkingDirectory = (name: string): boolean => workingDirectories.some((folder) => folder.includes(name))
    const likely = this.#patterns.filter(({ names }) =>
      names.every((name) => unbroken.includes(name) || isWorkingDirectory(name)),
    )
    if (likely.length === 0) return undefined
    const readable = project.readable(expanded)
    for (const { globs, names, divided } of likely) {
      const required = names.filter((name) => !isWorkingDirectory(name))
      for (const word of pathCandidates(readable, divided)) {
        if (!required.every((name) => word.includes(name))) continue
        const path = project
          .resolve(word, workingDirectories)
          .find((candidate) => globs.some((glob) => glob.match(candidate)))
        if (path !== undefined) return path
      }
    }
    return undefined
  }
}

interface Pattern {
  globs: readonly Bun.Glob[]
  /** Substrings of every path that matches: most texts contain none and need no closer look. */
  names: readonly string[]
  /** The names of the pattern that contain separators, like `private notes`. */
  divided: readonly string[]
}

/** As in a `.gitignore`, a folder includes all below it, and a pattern without a slash inside matches in any folder. */
function compiled(pattern: string): Pattern {
  const rooted = pattern.replace(/^\.?\/|\/+$/g, "")
  const path = rooted.replace(/\/\*\*$/, "")
  // Braces and classes are alternatives, so none of their text is certain.
  const certain = path.replace(/\{[^}]*\}|\[[^\]]*\]|^!/g, "*")
  const names = certain.split(/[^A-Za-z0-9._-]+/).filter((name) => /[^.]/.test(name))
  const divided = certain.split(/[/*?\\{}[\]]+/).filter(isDivided)
  const glob = rooted.includes("/") ? path : `**/${path}`
  return { globs: [new Bun.Glob(glob), new Bun.Glob(`${glob}/**`)], names, divided }
}
