import { createHash, randomUUID } from "node:crypto"
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { isNote, type Note, type NoteName } from "./records"

export const defaultFolder = (env: Record<string, string | undefined>): string =>
  join(env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "opencode-better-share")

/**
 * One small file per note, readable by its owner only. Notes come and go as whole files, so several OpenCode processes
 * can work in the same folder without locks and without losing each other's notes.
 */
export class Memory {
  constructor(private readonly folder: string) {}

  async keep(note: Note): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    const unfinished = join(this.folder, `.${randomUUID()}`)
    await writeFile(unfinished, JSON.stringify(note), { mode: 0o600, flush: true })
    await rename(unfinished, this.#path(note))
  }

  /** Whether the note was there: of several processes, one is told so. */
  async drop(note: NoteName): Promise<boolean> {
    return await rm(this.#path(note)).then(
      () => true,
      () => false,
    )
  }

  /** The note of that name, if there is one. */
  async note<Kind extends Note["kind"]>(name: Extract<NoteName, { kind: Kind }>): Promise<Extract<Note, { kind: Kind }> | undefined> {
    const notes = await read(this.#path(name))
    return notes.find((note): note is Extract<Note, { kind: Kind }> => note.kind === name.kind)
  }

  async notes(): Promise<Note[]> {
    const names = await readdir(this.folder).catch(() => [])
    const notes = await Promise.all(names.filter((name) => name.endsWith(".json")).map((name) => read(join(this.folder, name))))
    return notes.flat()
  }

  #path(note: NoteName): string {
    const subject = subjectOf(note)
    return join(this.folder, `${note.kind}-${createHash("sha256").update(subject).digest("hex").slice(0, 32)}.json`)
  }
}

function subjectOf(note: NoteName): string {
  if (note.kind === "share" || note.kind === "redacted") return `${note.base}/${note.id}`
  if (note.kind === "removal" || note.kind === "secret") return `${note.share.base}/${note.share.id}`
  return note.sessionId
}

/** None for a file that vanished meanwhile or is damaged. */
async function read(path: string): Promise<Note[]> {
  try {
    const note: unknown = JSON.parse(await readFile(path, "utf8"))
    return isNote(note) ? [note] : []
  } catch {
    return []
  }
}
