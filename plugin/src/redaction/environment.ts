import type { Dirent } from "node:fs"
import { access, readdir, readFile, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { parseEnv } from "node:util"
import { isObject } from "../opencode/client"
import { isDistinctive, isInnocent, passes } from "./heuristics"
import { roleOf } from "./names"
import { Scanner } from "./scanner"
import { finished } from "./steps"

export type Secret = readonly [value: string, kind: string]

const KIND = "environment-variable"
const GIVEN_KIND = "given-secret"
/** Shorter ones are parts of words. */
const MIN_GIVEN = 4
const MIN_LENGTH = 12
const MIN_UNNAMED = 20
/** Bytes of one file. */
const MAX_BYTES = 1_000_000
/** Depth and number of folders searched for `.env` files, in the project's folder and in that of its repository. */
const MAX_DEPTH = 3
const MAX_FOLDERS = 500
const SCANNER = new Scanner()
const WORKING_FOLDER = /^(?:OLD)?PWD$/
const TEMPLATE = /\.(?:example|sample|template|dist|defaults?)$/

/** The values of variables that are secret by their name or by their randomness. */
export function secretsIn(variables: Record<string, string | undefined>): Secret[] {
  return Object.entries(variables).flatMap(([name, value = ""]) =>
    secretValues(name, value).map((secret) => [secret, KIND] as const),
  )
}

/**
 * The values of `BETTER_SHARE_SECRETS`, a JSON object like the one of `${{ toJSON(secrets) }}` in a workflow of GitHub. Each is
 * secret whatever it looks like. Undefined if it is not such an object.
 */
export function givenSecrets(json: string): Secret[] | undefined {
  const values = valuesIn(json)
  if (!values?.every((value) => typeof value === "string")) return undefined
  const lines = values.flatMap((value) => [value, ...value.split(/\r?\n/)].map((text) => text.trim()))
  return lines.filter((text) => text.length >= MIN_GIVEN).map((text) => [text, GIVEN_KIND] as const)
}

function valuesIn(json: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return isObject(value) ? Object.values(value) : undefined
  } catch {
    return undefined
  }
}

/** The secrets in the `.env` files of a project and of its Git repository. */
export async function secretsOfProject(folder: string): Promise<Secret[]> {
  const repository = await repositoryOf(folder)
  const files = await Promise.all([...new Set([folder, repository])].map(envFiles))
  const contents = await Promise.all([...new Set(files.flat())].map(contentOf))
  return contents.flatMap((content) => secretsIn(parseEnv(content)))
}

function secretValues(name: string, value: string): string[] {
  if (isSecret(name, value)) return [value]
  // Only the password of a connection string is secret.
  const found = value.includes("://")
    ? finished(SCANNER.find(value)).map(({ start, end }) => value.slice(start, end))
    : []
  return found.filter((secret) => secret.length >= MIN_LENGTH && isDistinctive(secret))
}

function isSecret(name: string, value: string): boolean {
  if (value.length < MIN_LENGTH || isInnocent(value) || WORKING_FOLDER.test(name)) return false
  if (roleOf(name)) return true
  return value.length >= MIN_UNNAMED && /^[A-Za-z0-9+/=_.~-]+$/.test(value) && passes("mixed", value)
}

/** The root of the Git repository; without one, the folder itself. */
async function repositoryOf(folder: string): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    if (await exists(join(path, ".git"))) return path
    if (path === dirname(path)) return folder
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

async function envFiles(project: string): Promise<string[]> {
  const found: string[] = []
  let folders = [project]
  for (let depth = 0, seen = 0; depth <= MAX_DEPTH && folders.length > 0; depth++) {
    const below: string[] = []
    for (const folder of folders) {
      if (++seen > MAX_FOLDERS) return found
      for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
        const path = join(folder, entry.name)
        if (isSearched(entry)) below.push(path)
        if (isEnvFile(entry)) found.push(path)
      }
    }
    folders = below
  }
  return found
}

/** Links to folders are not followed: they may form a cycle. */
const isSearched = (entry: Dirent): boolean =>
  entry.isDirectory() &&
  entry.name !== "node_modules" &&
  (!entry.name.startsWith(".") || entry.name === ".devcontainer")

/** Whether it is a file or a link to one. */
function isEnvFile(entry: Dirent): boolean {
  const { name } = entry
  const isNamed = name === ".env" || name === ".envrc" || name.startsWith(".env.") || name.endsWith(".env")
  return isNamed && !TEMPLATE.test(name) && (entry.isFile() || entry.isSymbolicLink())
}

/** The text of a file, or "" if it cannot be read. A link may lead to a device, which never ends. */
async function contentOf(path: string): Promise<string> {
  try {
    const about = await stat(path)
    return about.isFile() && about.size <= MAX_BYTES ? await readFile(path, "utf8") : ""
  } catch {
    return ""
  }
}
