/*!
 * Includes picomatch (Copyright (c) 2017-present, Jon Schlinkert) under the MIT license, whose text is in the file LICENSE.
 */
/** What the plugin uses of bun and of newer JavaScript, for `npx`, which runs Node.js. */
import { lookup } from "node:dns/promises"
import picomatch from "picomatch"

/** The pattern as picomatch reads it to match what bun matches. */
function translated(pattern: string): string {
  const grouped = /[@+?*!]\(/.test(pattern) ? pattern : pattern.replace(/[()|]/g, "\\$&")
  return withNamedParents(grouped.replaceAll("[!", "[^").replace(/\/\*\*$/, "/**/*"))
}

/** In bun a wildcard stands for the folder `..`, too. */
const withNamedParents = (path: string): string => path.replace(/(?<=^|\/)\.\.(?=\/|$)/g, "\ue0ff\ue0ff")

class Glob {
  readonly match: (path: string) => boolean

  constructor(pattern: string) {
    const matches = picomatch(translated(pattern), { dot: true })
    this.match = (path) => matches(withNamedParents(path))
  }
}

const dns = { lookup: (name: string) => lookup(name, { all: true }) }

export const nodeRuntime = { Glob, dns }

/** Node.js has it since version 24. */
RegExp.escape ??= (text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")

if (!process.versions.bun) Object.assign(globalThis, { Bun: nodeRuntime })
