import { readFileSync, realpathSync } from "node:fs"
import { dirname, join, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { parseJsonc } from "../lib/jsonc"
import { NAME, OLD_NAME } from "../lib/package"
import { isObject } from "../opencode/client"

/** Where OpenCode finds the configuration of the user, and the files by which it may name this plugin. */
export interface Places {
  env: Record<string, string | undefined>
  home: string
  plugins: readonly string[]
}

export interface Source {
  /** Its name, for messages. */
  name: string
  text: string
  /** Paths in the text are relative to this folder. */
  folder: string
}

/** By name, or by the address at which a server hands it out. */
const NAMED = new RegExp(`^(?:${NAME}|${OLD_NAME})(?:@.*)?$|^https?://[^?#]+/plugin(?:/[^/]+)?\\.tgz$`)
/** Options for versions of OpenCode that cannot hand them to a plugin, next to OpenCode's own configuration. */
const OPTIONS_FILE = "better-share.json"

/**
 * The plugin's options in the user's own configuration; undefined if it does not mention the plugin. OpenCode hands out only
 * the options of the last configuration that lists the plugin, which may be the project's. Throws if a file cannot be read.
 */
export function userOptions(places: Places): unknown {
  const [file] = read(join(globalFolder(places), OPTIONS_FILE))
  const common: unknown = file === undefined ? undefined : parseJsonc(file)
  const options = optionsIn(sources(places), places)
  if (options === undefined) return common
  return isObject(common) && isObject(options) ? { ...common, ...options } : options
}

/** The names of the user's configurations that load the plugin, and of those that name a server for sharing. */
export function filesToEdit(places: Places): { plugin: string[]; enterprise: string[] } {
  const main = sources(places)
  const loading = [...main, ...terminalSources(places)].filter((source) => optionsIn([source], places) !== undefined)
  const naming = main.filter(({ text }) => {
    const config: unknown = parseJsonc(text)
    return isObject(config) && config.enterprise !== undefined
  })
  return { plugin: loading.map(({ name }) => name), enterprise: naming.map(({ name }) => name) }
}

/** Whether the user's configuration of OpenCode's terminal lists the plugin. */
export const isInTerminal = (places: Places): boolean => optionsIn(terminalSources(places), places) !== undefined

const terminalSources = (places: Places): Source[] =>
  configurationsIn(
    [globalFolder(places), join(places.home, ".opencode")].flatMap((folder) =>
      ["tui.json", "tui.jsonc"].map((name) => join(folder, name)),
    ),
  )

/** The plugin's options in the last of these configurations that lists it; undefined if none does. */
export function optionsIn(configurations: readonly Source[], places: Places): unknown {
  const entries = configurations.flatMap((source) => pluginsOf(source, places))
  const listed = entries.findLast(({ name, folder }) => isThisPlugin(name, folder, places.plugins))
  return listed && (listed.options ?? {})
}

const globalFolder = ({ env, home }: Places): string => join(env.XDG_CONFIG_HOME || join(home, ".config"), "opencode")

/** The user's configuration, in the order in which OpenCode 1.18 merges it: the last one that lists a plugin wins. */
function sources(places: Places): Source[] {
  const { env, home } = places
  const global = globalFolder(places)
  const files = [
    ...["config.json", "opencode.json", "opencode.jsonc"].map((name) => join(global, name)),
    ...(env.OPENCODE_CONFIG ? [resolve(env.OPENCODE_CONFIG)] : []),
    ...[join(home, ".opencode"), ...(env.OPENCODE_CONFIG_DIR ? [resolve(env.OPENCODE_CONFIG_DIR)] : [])].flatMap(
      (folder) => ["opencode.json", "opencode.jsonc"].map((name) => join(folder, name)),
    ),
  ]
  const found = configurationsIn(files)
  const inline = env.OPENCODE_CONFIG_CONTENT
  return inline ? [...found, { name: "OPENCODE_CONFIG_CONTENT", text: inline, folder: process.cwd() }] : found
}

export const configurationsIn = (files: readonly string[]): Source[] =>
  files.flatMap((file) => read(file).map((text) => ({ name: file, text, folder: dirname(file) })))

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
  const config: unknown = parseJsonc(substituted(text, folder, places))
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
function isThisPlugin(name: string, folder: string, plugins: readonly string[]): boolean {
  if (NAMED.test(name)) return true
  const path = real(name.startsWith("file:") ? fileURLToPath(name) : resolve(folder, name))
  return plugins.map(real).some((plugin) => plugin === path || plugin.startsWith(path + sep))
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
