import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { text as textOf } from "node:stream/consumers"
import { readExport } from "../opencode/export-file"
import { type Snapshot, takeSnapshot } from "../opencode/snapshot"
import { storageOf } from "../opencode/storage/open-storage"
import { Failure } from "../server/errors"
import type { Context } from "./context"

const SESSION_ID = /^ses_\w+$/

/** Whether this is the id of a session, and not the name of a file. */
export const isSessionId = (name: string): boolean => SESSION_ID.test(name) && !existsSync(name)

/** The session with this id in OpenCode's storage, in a file that `opencode export` wrote, or in the standard input (`-`). */
export async function readSession(name: string, context: Context): Promise<Snapshot> {
  return isSessionId(name) ? await storedSession(name, context) : readExport(await contentOf(name), fileName(name))
}

/** A session in OpenCode's storage. */
export async function storedSession(id: string, { place }: Context): Promise<Snapshot> {
  const storage = await storageOf(id, place)
  try {
    return await takeSnapshot(storage, id, async () => [])
  } finally {
    storage.close()
  }
}

/** The text of a file, or of the standard input (`-`). Throws a Failure if it cannot be read. */
export async function contentOf(file: string): Promise<string> {
  try {
    return await (file === "-" ? textOf(process.stdin) : readFile(file, "utf8"))
  } catch {
    throw new Failure("unreadable", `${fileName(file)} cannot be read.`)
  }
}

const fileName = (file: string): string => (file === "-" ? "The standard input" : file)
