import { createHash, randomUUID } from "node:crypto"
import { existsSync, lstatSync, readdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs"
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { NAME, OLD_NAME } from "../lib/package"
import { isStateRecord, type RecordKey, type StateRecord } from "./records"

type Environment = Record<string, string | undefined>

const stateHome = (env: Environment): string => env.XDG_STATE_HOME || join(homedir(), ".local", "state")
const stateFolder = (env: Environment): string => join(stateHome(env), NAME)

/**
 * The folder of the state files. What is in the folder of the old name is moved, and a link left in its place, so that
 * processes of both versions work on the same files.
 */
export function openStateFolder(env: Environment): string {
  const [folder, old] = [stateFolder(env), join(stateHome(env), OLD_NAME)]
  try {
    if (lstatSync(old).isSymbolicLink()) return folder
    if (existsSync(folder)) mergeFolder(old, folder)
    else renameSync(old, folder)
    symlinkSync(folder, old, "junction")
  } catch {
    // There is no old folder, or another process is moving it. What cannot be moved now is moved at the next start.
  }
  return folder
}

/** Moves the files that `to` does not have; throws while `from` is not empty. */
function mergeFolder(from: string, to: string): void {
  for (const name of readdirSync(from))
    if (existsSync(join(to, name))) unlinkSync(join(from, name))
    else renameSync(join(from, name), join(to, name))
  rmdirSync(from)
}

/**
 * Stores each record in a file that only its owner can read. Files are replaced and removed as a whole, so several OpenCode
 * processes share the folder without locks.
 */
export class StateFiles {
  constructor(private readonly folder: string) {}

  async write(record: StateRecord): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    const draft = join(this.folder, `.${randomUUID()}`)
    await writeFile(draft, JSON.stringify(record), { mode: 0o600, flush: true })
    await rename(draft, this.#path(record))
  }

  /** Removes the record and returns whether it existed; of several processes only one gets true. */
  async remove(key: RecordKey): Promise<boolean> {
    return await rm(this.#path(key)).then(
      () => true,
      () => false,
    )
  }

  /** The record with this key, or undefined. */
  async read<Kind extends StateRecord["kind"]>(
    key: Extract<RecordKey, { kind: Kind }>,
  ): Promise<Extract<StateRecord, { kind: Kind }> | undefined> {
    const records = await readRecords(this.#path(key))
    return records.find((record): record is Extract<StateRecord, { kind: Kind }> => record.kind === key.kind)
  }

  async readAll(): Promise<StateRecord[]> {
    const names = await readdir(this.folder).catch(() => [])
    const records = await Promise.all(
      names.filter((name) => name.endsWith(".json")).map((name) => readRecords(join(this.folder, name))),
    )
    return records.flat()
  }

  #path(key: RecordKey): string {
    const subject = subjectOf(key)
    return join(this.folder, `${key.kind}-${createHash("sha256").update(subject).digest("hex").slice(0, 32)}.json`)
  }
}

function subjectOf(key: RecordKey): string {
  if ("id" in key) return `${key.base}/${key.id}`
  if (key.kind === "removal" || key.kind === "secret") return `${key.share.base}/${key.share.id}`
  return "base" in key ? key.base : key.sessionId
}

/** The record in the file, or undefined if it was removed meanwhile or is damaged. */
async function readRecords(path: string): Promise<StateRecord[]> {
  try {
    const record: unknown = JSON.parse(await readFile(path, "utf8"))
    return isStateRecord(record) ? [record] : []
  } catch {
    return []
  }
}
