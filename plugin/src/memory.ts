import { createHash, randomUUID } from "node:crypto"
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import type { Secret } from "./redaction/environment"
import type { Share } from "./secret"

/** What must survive a restart, because OpenCode does not keep it for us. */
export type Note =
  | { kind: "removal"; share: Share } // still to be removed from its server
  | { kind: "organisation"; sessionId: string; share: Share } // made beside an organisation's share
  | { kind: "unshared"; sessionId: string } // never to be published again by itself
  | { kind: "share"; id: string; base: string; url: string; sessionId: string; title: string; createdAt: number } // one's own, for finding it again
  | { kind: "secret"; share: Share } // what it takes to remove one's own share, apart from what may be shown
  | { kind: "redacted"; id: string; base: string; secrets: readonly Secret[] } // removed from its documents, and to be removed from the next ones

/** As much of a note as tells which one it is. */
export type NoteName =
  | { kind: "removal"; share: ShareName }
  | { kind: "secret"; share: ShareName }
  | { kind: "organisation"; sessionId: string }
  | { kind: "unshared"; sessionId: string }
  | { kind: "share"; id: string; base: string }
  | { kind: "redacted"; id: string; base: string }

type ShareName = Pick<Share, "id" | "base">

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
    return [JSON.parse(await readFile(path, "utf8")) as Note]
  } catch {
    return []
  }
}
