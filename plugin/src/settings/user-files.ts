import { readFileSync, realpathSync } from "node:fs"
import { dirname, join, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { isObject } from "../opencode/client"

/** Where OpenCode finds the configuration of the user, and the file of this plugin that it loaded. */
export interface Places {
  env: Record<string, string | undefined>
  home: string
  plugin: string
}

interface Source {
  text: string
  /** Paths in the text are relative to this folder. */
  folder: string
}

const NAMED = /^opencode-better-share(@.*)?$/

/**
 * The plugin's options in the user's own configuration; undefined if the plugin has none there. OpenCode hands out only the
 * options of the last configuration that lists the plugin, which may be the project's. Throws if a file cannot be read.
 */
export function userOptions(places: Places): unknown {
  const entries = sources(places).flatMap((source) => pluginsOf(source, places))
  const own = entries.filter(({ name, folder }) => isThisPlugin(name, folder, places.plugin))
  return own.at(-1)?.options
}

/** The user's configuration, in the order in which OpenCode 1.18 merges it: the last one that lists a plugin wins. */
function sources({ env, home }: Places): Source[] {
  const global = join(env.XDG_CONFIG_HOME || join(home, ".config"), "opencode")
  const files = [
    ...["config.json", "opencode.json", "opencode.jsonc"].map((name) => join(global, name)),
    ...(env.OPENCODE_CONFIG ? [resolve(env.OPENCODE_CONFIG)] : []),
    ...[join(home, ".opencode"), ...(env.OPENCODE_CONFIG_DIR ? [resolve(env.OPENCODE_CONFIG_DIR)] : [])].flatMap(
      (folder) => ["opencode.json", "opencode.jsonc"].map((name) => join(folder, name)),
    ),
  ]
  const found = files.flatMap((file) => read(file).map((text) => ({ text, folder: dirname(file) })))
  const inline = env.OPENCODE_CONFIG_CONTENT
  return inline ? [...found, { text: inline, folder: process.cwd() }] : found
}

/** The text of the file, or nothing if there is none. */
function read(file: string): string[] {
  try {
    return [readFileSync(file, "utf8")]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ENOTDIR")
      return []
    throw error
  }
}

function pluginsOf({ text, folder }: Source, places: Places): { name: string; options: unknown; folder: string }[] {
  const config: unknown = Bun.JSONC.parse(substituted(text, folder, places))
  const plugins = isObject(config) && Array.isArray(config.plugin) ? config.plugin : []
  return plugins.map((plugin: unknown) => {
    const [name, options] = Array.isArray(plugin) ? plugin : [plugin]
    return { name: String(name), options, folder }
  })
}

/** OpenCode's variables: `{env:NAME}` and `{file:path}`, https://opencode.ai/docs/config/#variables */
function substituted(text: string, folder: string, { env, home }: Places): string {
  return text
    .replace(/\{env:([^}]+)\}/g, (_, name: string) => env[name] ?? "")
    .replace(/\{file:([^}]+)\}/g, (_, path: string) => {
      const [content = ""] = read(resolve(folder, path.replace(/^~(?=\/)/, home)))
      return JSON.stringify(content.trim()).slice(1, -1)
    })
}

/** Whether the entry of a configuration is this plugin: its package, its file, or a folder around that. */
function isThisPlugin(name: string, folder: string, plugin: string): boolean {
  if (NAMED.test(name)) return true
  const path = real(name.startsWith("file:") ? fileURLToPath(name) : resolve(folder, name))
  return real(plugin) === path || real(plugin).startsWith(path + sep)
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
