import { asFailure } from "../server/errors"
import type { Ledger } from "./share-list"
import type { Limits } from "../lib/timeouts"
import type { Memory } from "./state-files"
import type { Note } from "./records"
import { nth, pause } from "../lib/sleep"
import type { Share } from "../server/share"
import { hostOf, type Server } from "../server/api"
import type { Toasts } from "../opencode/toasts"

/** Removes shares from their servers, and does not forget those that could not be removed. */
export class Removals {
  readonly #closed = new AbortController()
  #retrying = false
  #asked = false

  constructor(
    private readonly server: Server,
    private readonly memory: Memory,
    private readonly ledger: Ledger,
    private readonly toasts: Toasts,
    private readonly limits: Limits,
  ) {}

  /** "removed", or "later" when it is on disk and will be tried again. What can never succeed is a Failure. */
  async remove(share: Share): Promise<"removed" | "later"> {
    try {
      await this.server.remove(share, this.limits.remove)
      await this.ledger.strike(share)
      return "removed"
    } catch (error) {
      if (!asFailure(error).temporary) throw error
      await this.memory.keep({ kind: "removal", share })
      void this.retry()
      return "later"
    }
  }

  /** Tries what is on disk until nothing is left; also called when OpenCode starts. */
  async retry(): Promise<void> {
    this.#asked = true
    if (this.#retrying) return
    this.#retrying = true
    for (let round = 0; !this.#closed.signal.aborted; round++) {
      this.#asked = false
      const notes = (await this.memory.notes()).filter((note) => note.kind === "removal")
      // A note may have been written while the folder was read.
      if (notes.length === 0 && !this.#asked) break
      await pause(nth(this.limits.offline, round), this.#closed.signal)
      if (this.#closed.signal.aborted) break
      await Promise.all(notes.map((note) => this.#again(note)))
    }
    this.#retrying = false
  }

  close(): void {
    this.#closed.abort()
  }

  async #again(note: Extract<Note, { kind: "removal" }>): Promise<void> {
    const host = hostOf(note.share.base)
    try {
      await this.server.remove(note.share, this.limits.remove)
      await this.ledger.strike(note.share)
      // Another OpenCode process may have been faster, and has told already.
      if (await this.memory.drop(note)) await this.toasts.show("success", `The share that could not be removed from ${host} before is removed now.`)
    } catch (error) {
      const failure = asFailure(error)
      if (failure.temporary) return
      await this.memory.drop(note)
      await this.toasts.show("error", `A share could not be removed and its link still works: ${failure.message} Ask who runs ${host}.`)
    }
  }
}
