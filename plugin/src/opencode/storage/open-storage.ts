import { join } from "node:path"
import { asFailure, Failure } from "../../server/errors"
import type { Session } from "../client"
import { readDatabases } from "./database"
import { readJsonFiles } from "./json-files"
import type { Place, Reader, Storage } from "./storage"
import { updatedAt } from "./times"

/** The newest first: OpenCode leaves its JSON files where they are when it moves them into a database. */
const READERS: readonly Reader[] = [readDatabases, readJsonFiles]

/** Where an OpenCode of this environment keeps its data, on all systems. */
export const dataPlace = (env: Record<string, string | undefined>, home: string): Place => ({
  folder: join(env.XDG_DATA_HOME || join(home, ".local", "share"), "opencode"),
  env,
})

/** The storages of an OpenCode, or why one cannot be read. */
export async function* storagesOf(place: Place): AsyncGenerator<Storage | Failure> {
  for (const read of READERS) for (const open of await read(place)) yield await open().catch(asFailure)
}

/** The storage that has the session. Throws a Failure if none has it, or one cannot be read. */
export async function storageOf(sessionId: string, place: Place): Promise<Storage> {
  let problem: Failure | undefined
  for await (const storage of storagesOf(place)) {
    // Another one may have the session.
    if (storage instanceof Failure) problem ??= storage
    else if (await storage.has(sessionId)) return storage
    else storage.close()
  }
  throw problem ?? new Failure("unreadable", `OpenCode has no session ${sessionId} in ${place.folder}.`)
}

/** The id of the session of a project's folder that changed last. Throws a Failure if there is none. */
export async function latestSession(directory: string, place: Place): Promise<string> {
  let latest: Session | undefined
  let problem: Failure | undefined
  for await (const storage of storagesOf(place)) {
    if (storage instanceof Failure) {
      problem ??= storage
      continue
    }
    const found = await storage.latest(directory)
    storage.close()
    if (found && (!latest || updatedAt(found) > updatedAt(latest))) latest = found
  }
  if (!latest) throw problem ?? new Failure("unreadable", `OpenCode has no session of ${directory} in ${place.folder}.`)
  return latest.id
}
