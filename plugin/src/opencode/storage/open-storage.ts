import { join } from "node:path"
import { asFailure, Failure } from "../../server/errors"
import { readDatabases } from "./database"
import { readJsonFiles } from "./json-files"
import type { Place, Reader, Storage } from "./storage"

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
