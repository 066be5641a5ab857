import type { Memory, Note } from "./memory"
import type { Secret } from "./redaction/environment"
import type { Share } from "./secret"

export type Entry = Extract<Note, { kind: "share" }>

/** Remembers one's own shares, so that they can be found and removed also when their sessions are gone. */
export class Ledger {
  readonly #titles = new Map<string, string>()

  constructor(private readonly memory: Memory) {}

  /** A share was made or has changed. That it cannot be written down is no reason not to share. */
  async enter(share: Share, sessionId: string, title: string, createdAt: number): Promise<void> {
    const { id, base } = share
    const url = `${base}/share/${id}`
    if (this.#titles.get(url) === title) return
    this.#titles.set(url, title)
    const note = { kind: "share", id, base, url, sessionId, title, createdAt } as const
    await Promise.all([this.memory.keep({ kind: "secret", share }), this.memory.keep(note)]).catch(() => undefined)
  }

  async strike(share: Share): Promise<void> {
    this.#titles.delete(`${share.base}/share/${share.id}`)
    await this.memory.drop({ kind: "share", ...share })
    await this.memory.drop({ kind: "secret", share })
    await this.memory.drop({ kind: "redacted", ...share })
  }

  /** What was removed from the documents of a share: another process may know none of it, and uploads the whole session again. */
  async redactedFrom({ id, base }: Share): Promise<readonly Secret[]> {
    return (await this.memory.note({ kind: "redacted", id, base }))?.secrets ?? []
  }

  async rememberRedacted({ id, base }: Share, secrets: readonly Secret[]): Promise<void> {
    await this.memory.keep({ kind: "redacted", id, base, secrets }).catch(() => undefined)
  }

  /** The newest first. */
  async entries(): Promise<Entry[]> {
    const notes = await this.memory.notes()
    return notes.filter((note) => note.kind === "share").sort((a, b) => b.createdAt - a.createdAt)
  }

  /** What it takes to remove a share. */
  async secretOf({ id, base }: Entry): Promise<Share | undefined> {
    const notes = await this.memory.notes()
    return notes.filter((note) => note.kind === "secret").find(({ share }) => share.id === id && share.base === base)?.share
  }
}
