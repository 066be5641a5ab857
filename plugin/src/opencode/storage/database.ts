import { chmod, readdir } from "node:fs/promises"
import { join, resolve } from "node:path"
import { Failure } from "../../server/errors"
import { messagesOf, sessionOf } from "./session-rows"
import { type Database, sqlite } from "./sqlite"
import { nameOfCopy, type Place, type Reader, type Storage } from "./storage"

/** `opencode.db`, and `opencode-dev.db` of other release channels. */
const NAME = /^opencode(?:-[\w.-]+)?\.db$/
/** What is read; all releases from 1.2 to 1.18 have it. Those of other columns of `session` are optional. */
const COLUMNS: Record<string, readonly string[]> = {
  session: ["id", "parent_id", "title", "directory", "share_url", "time_created", "time_updated"],
  message: ["id", "session_id", "time_created", "data"],
  part: ["id", "message_id", "session_id", "data"],
  session_share: ["session_id", "id", "secret", "url"],
}

/** The databases in which OpenCode keeps its sessions since version 1.2. */
export const readDatabases: Reader = async (place) =>
  (await databasesIn(place)).map((path) => async () => new DatabaseStorage(path, await openDatabase(path)))

/** Throws a Failure if the database cannot be read, or has a form that is not known. To be written, it must be in no other use. */
async function openDatabase(path: string, isWritable = false): Promise<Database> {
  const open = await sqlite()
  if (!open)
    throw new Failure(
      "unreadable",
      `This Node.js (${process.versions.node}) cannot read OpenCode's database: use Node.js 22.13 or newer, or share the file that "opencode export" writes.`,
    )
  try {
    const database = open(path, isWritable)
    // Set before the first statement, it is an error while any other process has the database open.
    if (isWritable) database.run("PRAGMA locking_mode = EXCLUSIVE")
    checkSchema(database, path)
    return database
  } catch (error) {
    if (error instanceof Failure) throw error
    if (isWritable && /locked|busy/i.test(String(error)))
      throw new Failure("refused", `OpenCode is running (${path} is in use): close it, and try again.`)
    throw new Failure("unreadable", `OpenCode's database ${path} cannot be read (${(error as Error).message}).`)
  }
}

/** `OPENCODE_DB` names one, relative to the folder of the data. */
async function databasesIn({ folder, env }: Place): Promise<string[]> {
  if (env.OPENCODE_DB) return [resolve(folder, env.OPENCODE_DB)]
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => NAME.test(name)).map((name) => join(folder, name))
}

function checkSchema(database: Database, path: string): void {
  for (const [table, columns] of Object.entries(COLUMNS)) {
    const found = new Set(database.all(`PRAGMA table_info(${table})`).map(({ name }) => name))
    if (columns.some((column) => !found.has(column)))
      throw new Failure(
        "unreadable",
        `OpenCode's database ${path} has a form that this version of the plugin does not know: share the file that "opencode export" writes.`,
      )
  }
}

class DatabaseStorage implements Storage {
  constructor(
    readonly path: string,
    private readonly database: Database,
  ) {
    // One state of the session, although OpenCode may go on writing.
    database.run("BEGIN")
  }

  async has(sessionId: string) {
    return this.database.all("SELECT id FROM session WHERE id = ?", sessionId).length > 0
  }

  async latest(directory: string) {
    const [row] = this.database.all(
      "SELECT * FROM session WHERE directory = ? AND parent_id IS NULL ORDER BY time_updated DESC LIMIT 1",
      directory,
    )
    return row && sessionOf(row)
  }

  async session(id: string) {
    const [row] = this.database.all("SELECT * FROM session WHERE id = ?", id)
    if (!row) throw new Failure("unreadable", `There is no session ${id} in ${this.path}.`)
    return sessionOf(row)
  }

  async children(id: string) {
    return this.database.all("SELECT * FROM session WHERE parent_id = ? ORDER BY id", id).map(sessionOf)
  }

  async messages(id: string) {
    return messagesOf(
      id,
      this.database.all("SELECT id, data FROM message WHERE session_id = ? ORDER BY time_created, id", id),
      this.database.all("SELECT id, message_id, data FROM part WHERE session_id = ? ORDER BY id", id),
    )
  }

  async shares() {
    return this.database
      .all("SELECT session_id, id, secret, url FROM session_share")
      .map(({ session_id, id, secret, url }) => ({
        sessionId: String(session_id),
        id: String(id),
        secret: String(secret),
        url: String(url),
      }))
  }

  async unshare(sessionIds: readonly string[]) {
    this.close()
    const database = await openDatabase(this.path, true)
    try {
      const copy = nameOfCopy(this.path)
      database.run("VACUUM INTO ?", copy)
      await chmod(copy, 0o600)
      database.run("BEGIN EXCLUSIVE")
      for (const id of sessionIds) {
        database.run("DELETE FROM session_share WHERE session_id = ?", id)
        database.run("UPDATE session SET share_url = NULL WHERE id = ?", id)
      }
      database.run("COMMIT")
      return copy
    } finally {
      database.close()
    }
  }

  close() {
    this.database.close()
  }
}
