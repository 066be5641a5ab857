import { backoffAt, sleep } from "../lib/sleep"
import type { Timeouts } from "../lib/timeouts"
import type { Toasts } from "../opencode/toasts"
import type { ShareApi } from "../server/api"
import { asFailure } from "../server/errors"
import { hostOf, type Share } from "../server/share"
import type { StateRecord } from "./records"
import type { ShareList } from "./share-list"
import type { StateFiles } from "./state-files"

/** Removes shares from their servers, and remembers those that could not be removed. */
export class PendingRemovals {
  readonly #closed = new AbortController()
  #retrying = false
  #asked = false

  constructor(
    private readonly api: ShareApi,
    private readonly stateFiles: StateFiles,
    private readonly shareList: ShareList,
    private readonly toasts: Toasts,
    private readonly timeouts: Timeouts,
  ) {}

  /** Returns "removed", or "later" if the removal is on disk and will be retried. Throws a Failure if it can never succeed. */
  async remove(share: Share): Promise<"removed" | "later"> {
    try {
      await this.api.remove(share, this.timeouts.remove)
      await this.shareList.remove(share)
      return "removed"
    } catch (error) {
      if (!asFailure(error).temporary) throw error
      await this.stateFiles.write({ kind: "removal", share })
      void this.retry()
      return "later"
    }
  }

  /** Retries the removals on disk until none is left; also called when OpenCode starts. */
  async retry(): Promise<void> {
    this.#asked = true
    if (this.#retrying) return
    this.#retrying = true
    for (let round = 0; !this.#closed.signal.aborted; round++) {
      this.#asked = false
      const records = (await this.stateFiles.readAll()).filter((record) => record.kind === "removal")
      // Another record may have been written while the folder was read.
      if (records.length === 0 && !this.#asked) break
      await sleep(backoffAt(this.timeouts.backoff, round), this.#closed.signal)
      if (this.#closed.signal.aborted) break
      await Promise.all(records.map((record) => this.#retryOne(record)))
    }
    this.#retrying = false
  }

  close(): void {
    this.#closed.abort()
  }

  async #retryOne(record: Extract<StateRecord, { kind: "removal" }>): Promise<void> {
    const host = hostOf(record.share.base)
    try {
      await this.api.remove(record.share, this.timeouts.remove)
      await this.shareList.remove(record.share)
      // Another OpenCode process may have removed and reported it.
      if (await this.stateFiles.remove(record))
        await this.toasts.show("success", `The share that could not be removed from ${host} before is removed now.`)
    } catch (error) {
      const failure = asFailure(error)
      if (failure.temporary) return
      await this.stateFiles.remove(record)
      await this.toasts.show(
        "error",
        `A share could not be removed and its link still works: ${failure.message} Ask who runs ${host}.`,
      )
    }
  }
}
