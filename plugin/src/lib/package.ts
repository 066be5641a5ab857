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

/** How a user runs the command line of this package. */
export function commandLine(): string {
  const origin = packageOrigin()
  if (origin) return `npx ${origin.url}/plugin.tgz`
  const bundle = import.meta.url.endsWith(".ts") ? "../../dist/cli.js" : "cli.js"
  return `node ${fileURLToPath(new URL(bundle, import.meta.url))}`
}
