import { join } from "node:path"
import { Failure } from "../../server/errors"
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

/** The storage that has the session. Throws a Failure if none has it, or one cannot be read. */
export async function storageOf(sessionId: string, place: Place): Promise<Storage> {
  let problem: unknown
  for (const read of READERS)
    for (const open of await read(place)) {
      try {
        const storage = await open()
        if (await storage.has(sessionId)) return storage
        storage.close()
      } catch (error) {
        // Another one may have the session.
        problem ??= error
      }
    }
  throw problem ?? new Failure("unreadable", `OpenCode has no session ${sessionId} in ${place.folder}.`)
}
