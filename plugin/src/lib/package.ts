import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

export const NAME = "opencode-own-share"
/** The name until version 0.1. It is accepted in configurations, but never to be installed: it may be anybody's. */
export const OLD_NAME = "opencode-better-share"

/** Where this package is from, and which it is (`app/services/plugin_package.py`). */
export interface Origin {
  url: string
  release: string
}

/** The server that handed out this package; undefined in a checkout. */
export function packageOrigin(): Origin | undefined {
  try {
    return JSON.parse(readFileSync(new URL("server.json", import.meta.url), "utf8")) as Origin
  } catch {
    return undefined
  }
}

/** A file of this package, whether this runs from its sources or from a bundle. */
const packageFile = (path: string): string =>
  fileURLToPath(new URL(`${import.meta.url.endsWith(".ts") ? "../../" : "../"}${path}`, import.meta.url))

/** How a user runs the command line of this package. */
export function commandLine(): string {
  const origin = packageOrigin()
  return origin ? `npx ${origin.url}/plugin.tgz` : `node ${packageFile("dist/cli.js")}`
}

/** The files that the configurations of OpenCode and of its terminal may name for this plugin. */
export const pluginFiles = (): string[] =>
  ["src/index.ts", "src/tui.ts", "dist/index.js", "dist/tui.js"].map(packageFile)
