import { sleep } from "../lib/sleep"
import type { SyncItem } from "../opencode/client"
import type { CreatedShare } from "../server/api"
import type { Failure } from "../server/errors"
import type { Share } from "../server/share"
import type { Published } from "./published"
import { type Dependencies, TrackedShare } from "./tracked-share"

/** Keeps the documents of all shares up to date. */
export class Publisher {
  readonly #tracked = new Map<string, TrackedShare>()

  constructor(private readonly dependencies: Dependencies) {}

  /** The first upload of a new share: the published document, its failure, or "running" if the deadline came first. */
  publishFirst(
    { share, url, createdAt }: CreatedShare,
    sessionId: string,
    deadline: AbortSignal,
  ): Promise<Failure | "running" | Published> {
    return this.#track(new TrackedShare(share, sessionId, this.dependencies, { url, createdAt })).publishFirst(deadline)
  }

  /** Called when OpenCode syncs the session of a share. */
  changed(share: Share, sessionId: string, items: readonly SyncItem[] = []): void {
    const tracked =
      this.#tracked.get(keyOf(share)) ??
      this.#track(new TrackedShare(share, sessionId, this.dependencies, { url: undefined, createdAt: undefined }))
    tracked.changed(items)
  }

  /** Called on every event about a session, which may be a sub-agent's. */
  sessionTouched(sessionId: string, parentId?: string): void {
    for (const tracked of this.#tracked.values()) tracked.sessionTouched(sessionId, parentId)
  }

  /** Called on every event about a message. */
  messageTouched(sessionId: string, messageId: string | undefined, isRemoval: boolean): void {
    for (const tracked of this.#tracked.values()) tracked.messageTouched(sessionId, messageId, isRemoval)
  }

  sessionOf(share: Share): string | undefined {
    return this.#tracked.get(keyOf(share))?.sessionId
  }

  /** Stops uploading this share. */
  async forget(share: Share): Promise<void> {
    const tracked = this.#tracked.get(keyOf(share))
    if (tracked) await Promise.race([tracked.stop(), sleep(this.dependencies.timeouts.remove)])
  }

  /** Resumes a share whose removal the server refused: its page follows the session again. */
  resume(share: Share): void {
    const forgotten = this.#tracked.get(keyOf(share))
    if (forgotten) this.#track(forgotten.restarted()).changed()
  }

  /** Uploads pending changes before OpenCode exits, as far as the time allows. */
  async dispose(): Promise<void> {
    const all = [...this.#tracked.values()]
    await Promise.race([Promise.all(all.map((tracked) => tracked.flush())), sleep(this.dependencies.timeouts.dispose)])
    for (const tracked of all) void tracked.stop()
  }

  #track(tracked: TrackedShare): TrackedShare {
    this.#tracked.set(keyOf(tracked.share), tracked)
    return tracked
  }
}

const keyOf = (share: Share): string => `${share.base}/${share.id}`
