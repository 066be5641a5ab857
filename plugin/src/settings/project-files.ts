import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { configurationsIn, optionsIn, type Places } from "./user-files"

const NAMES = ["opencode.json", "opencode.jsonc"]

/**
 * The plugin's options in the configuration of a project, as OpenCode hands them to the plugin; undefined if it does not list
 * the plugin. Throws if a file cannot be read.
 */
export function projectOptions(directory: string, places: Places): unknown {
  if (places.env.OPENCODE_DISABLE_PROJECT_CONFIG) return undefined
  const folders = foldersOf(directory)
  const files = [...folders, ...folders.map((folder) => join(folder, ".opencode"))].flatMap((folder) =>
    NAMES.map((name) => join(folder, name)),
  )
  return optionsIn(configurationsIn(files), places)
}

/** The folders from the root of the Git repository down to this one. */
function foldersOf(directory: string): string[] {
  const folders = [directory]
  for (let folder = directory; !existsSync(join(folder, ".git")); folder = dirname(folder)) {
    if (folder === dirname(folder)) return [directory]
    folders.unshift(dirname(folder))
  }
  return folders
}
