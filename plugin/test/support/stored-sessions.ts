import { Database } from "bun:sqlite"
import { mkdir, mkdtemp, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { Message, Session } from "../../src/opencode/client"
import { recorded } from "./fixtures"

/** What a real OpenCode kept of three sessions, and what its API answered about two of them. */
interface Recorded {
  sessions: Record<string, { session: Session; messages: Message[]; children: Session[] }>
  sql?: string
  files?: Record<string, unknown>
}

/** Releases of OpenCode whose storage was recorded. */
export const RELEASES = ["1.1.65", "1.2.1", "1.2.27", "1.14.34", "1.15.13", "1.18.33"]

export const recordedStorage = (release: string) => recorded<Recorded>(`storage/${release}.json`)

/** A new folder like `~/.local/share`, in which OpenCode keeps these sessions. */
export async function storedSessions({ sql, files = {} }: Recorded): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "better-share-data-"))
  const folder = join(home, "opencode")
  await mkdir(folder)
  if (sql !== undefined) {
    using database = new Database(join(folder, "opencode.db"))
    database.exec(`PRAGMA journal_mode = WAL; ${sql}`)
  }
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, "storage", name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, JSON.stringify(content))
  }
  return home
}
