import type { OpenCodeClient } from "../opencode/client"
import type { Toasts } from "../opencode/toasts"
import type { Failure } from "../server/errors"
import { hostOf, type Share } from "../server/share"
import type { PendingRemovals } from "../state/pending-removals"
import { addressOf } from "../state/share-list"
import { counts, type Published } from "./published"

interface Dependencies {
  client: OpenCodeClient
  removals: PendingRemovals
  toasts: Toasts
}

/** Tells the user, and OpenCode, what became of the uploads of one share. */
export class Reports {
  /** Who reports outcomes: the waiting caller while "opening", this class when "following" or when the first upload is "late". */
  stage: "opening" | "late" | "following" = "following"
  #isFailing = false

  constructor(
    private readonly share: Share,
    private readonly sessionId: string,
    private readonly url: string | undefined,
    private readonly dependencies: Dependencies,
  ) {}

  /** Called after each upload, with its failure if there was one. */
  report(failure: Failure | undefined, published: Published | undefined): void {
    if (this.stage === "opening") return
    const wasFailing = this.#isFailing
    this.#isFailing = failure !== undefined
    if (failure?.temporary && !wasFailing)
      this.#show("warning", `The shared page is not up to date: ${failure.message} Better Share keeps trying.`)
    if (failure && !failure.temporary) this.#end(failure)
    if (failure || !published) return
    const isLate = this.stage === "late"
    this.stage = "following"
    const host = hostOf(this.share.base)
    // After the toast which says that the upload is under way.
    if (isLate)
      void this.dependencies.toasts.replace(
        "success",
        `Uploaded to ${host}: ${counts(published)}. /unshare removes it.`,
      )
    else if (wasFailing) this.#show("success", `The shared page on ${host} is up to date again.`)
  }

  #end(failure: Failure): void {
    if (failure.kind === "missing") void this.#forget().catch(() => undefined)
    else if (this.stage === "late") return void this.#abandon(failure).catch(() => undefined)
    this.#show("error", `The shared page no longer follows this session: ${failure.message}`)
  }

  /** Removes a share whose first upload failed for good: a link without a session is useless. */
  async #abandon(failure: Failure): Promise<void> {
    await this.dependencies.removals.remove(this.share)
    await this.#forget()
    await this.dependencies.toasts.replace("error", `Not shared: ${failure.message}`)
  }

  /** Has OpenCode forget a link that is gone: it would show it, and copy it for /share. The session may have another one. */
  async #forget(): Promise<void> {
    const { client } = this.dependencies
    const { share } = await client.session(this.sessionId)
    if (share?.url === (this.url ?? addressOf(this.share))) await client.unshare(this.sessionId)
  }

  #show(variant: "success" | "warning" | "error", message: string): void {
    void this.dependencies.toasts.show(variant, message)
  }
}
