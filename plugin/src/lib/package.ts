import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

export const NAME = "opencode-own-share"
/** The name until version 0.1. It is accepted in configurations, but never to be installed: it may be anybody's. */
export const OLD_NAME = "opencode-better-share"

/** The address of the server that handed out this package (`app/services/plugin_package.py`); undefined in a checkout. */
export function packagedServer(): unknown {
  try {
    return (JSON.parse(readFileSync(new URL("server.json", import.meta.url), "utf8")) as { url: unknown }).url
  } catch {
    return undefined
  }
}

/** How a user runs the command line of this package. */
export function commandLine(): string {
  const server = packagedServer()
  if (typeof server === "string") return `npx ${server}/plugin.tgz`
  const bundle = import.meta.url.endsWith(".ts") ? "../../dist/cli.js" : "cli.js"
  return `node ${fileURLToPath(new URL(bundle, import.meta.url))}`
}
