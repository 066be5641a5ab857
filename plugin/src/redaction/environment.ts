import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { parseEnv } from "node:util"
import { find } from "./find"
import { SECRET_NAME } from "./rules"
import { CHECKS, isDistinctive, isInnocent } from "./values"

export type Secret = readonly [value: string, kind: string]

const KIND = "environment-variable"
const MIN_LENGTH = 12
const MIN_UNNAMED = 20
/** How far below the project's folder `.env` files are looked for, and in how many folders. */
const MAX_DEPTH = 3
const MAX_FOLDERS = 500
const WORKING_FOLDER = /^(?:OLD)?PWD$/
const TEMPLATE = /\.(?:example|sample|template|dist|defaults?)$/

/** The values of variables whose name or looks say that they are secret. */
export function secretsIn(variables: Record<string, string | undefined>): Secret[] {
  return Object.entries(variables).flatMap(([name, value = ""]) => secretValues(name, value).map((secret) => [secret, KIND] as const))
}

/** The secrets in the `.env` files of a project. A file that cannot be read holds none that a session could show. */
export async function secretsOfProject(folder: string): Promise<Secret[]> {
  const files = await envFiles(folder)
  const contents = await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => "")))
  return contents.flatMap((content) => secretsIn(parseEnv(content)))
}

function secretValues(name: string, value: string): string[] {
  if (isSecret(name, value)) return [value]
  // Of a connection string only the password is secret.
  const found = value.includes("://") ? find(value).map(({ start, end }) => value.slice(start, end)) : []
  return found.filter((secret) => secret.length >= MIN_LENGTH && isDistinctive(secret))
}

function isSecret(name: string, value: string): boolean {
  if (value.length < MIN_LENGTH || isInnocent(value) || WORKING_FOLDER.test(name)) return false
  if (SECRET_NAME.test(name.toLowerCase())) return true
  return value.length >= MIN_UNNAMED && /^[A-Za-z0-9+/=_.~-]+$/.test(value) && CHECKS.mixed?.(value) === true
}

async function envFiles(project: string): Promise<string[]> {
  const found: string[] = []
  let folders = [project]
  for (let depth = 0, seen = 0; depth <= MAX_DEPTH && folders.length > 0; depth++) {
    const below: string[] = []
    for (const folder of folders) {
      if (++seen > MAX_FOLDERS) return found
      for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
        const path = join(folder, entry.name)
        if (entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules") below.push(path)
        if (entry.isFile() && isEnvFile(entry.name)) found.push(path)
      }
    }
    folders = below
  }
  return found
}

const isEnvFile = (name: string): boolean => (name === ".env" || name.startsWith(".env.") || name.endsWith(".env")) && !TEMPLATE.test(name)
