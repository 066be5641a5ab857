import { sleep } from "../lib/sleep"
import type { Sync } from "../opencode/sync-items"
import type { CreatedShare } from "../server/api"
import type { Failure } from "../server/errors"
import type { Share } from "../server/share"
import type { Published } from "./published"
import { type Created, type Dependencies, TrackedShare } from "./tracked-share"

const UNKNOWN: Created = { url: undefined, createdAt: undefined }

/** Keeps the documents of all shares up to date. */
export class Publisher {
  readonly #tracked = new Map<string, TrackedShare>()
  /** What is left of those that nothing is uploaded to any more: a late sync must not bring them back. */
  readonly #stopped = new Map<string, { sessionId: string; created: Created }>()

  constructor(private readonly dependencies: Dependencies) {}

  /**
   * The first upload of a new share: the published document, its failure, or "running" if the deadline came first, or the session
   * turns out to be long.
   */
  publishFirst(
    { share, url, createdAt }: CreatedShare,
    sessionId: string,
    deadline: AbortSignal,
  ): Promise<Failure | "running" | Published> {
    return this.#track(share, sessionId, { url, createdAt }).publishFirst(deadline)
  }

  /** Called when OpenCode syncs the session of a share. */
  changed(share: Share, sessionId: string, sync: Sync = []): void {
    if (this.#stopped.has(keyOf(share))) return
    const tracked = this.#tracked.get(keyOf(share)) ?? this.#track(share, sessionId, UNKNOWN)
    tracked.changed(sync)
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
    return (this.#tracked.get(keyOf(share)) ?? this.#stopped.get(keyOf(share)))?.sessionId
  }

  /** Uploads what processes that have ended did not, of the sessions that this OpenCode has. */
  async resumePending(): Promise<void> {
    const { client, shareList, pendingUploads } = this.dependencies
    for (const { id, base, sessionId } of await pendingUploads.abandoned()) {
      const shares = (await shareList.ofSession(sessionId)).map(({ share }) => share)
      const share = shares.find((share) => share.id === id && share.base === base)
      const isHere = await client.session(sessionId).then(
        () => true,
        () => false,
      )
      if (share && isHere) this.changed(share, sessionId)
    }
  }

  /** Stops uploading this share. */
  async forget(share: Share): Promise<void> {
    const tracked = this.#tracked.get(keyOf(share))
    if (tracked) await Promise.race([tracked.stop(), sleep(this.dependencies.timeouts.remove)])
    this.dependencies.pendingUploads.remove(share)
  }

  /** Resumes a share whose removal the server refused: its page follows the session again. */
  resume(share: Share): void {
    const stopped = this.#stopped.get(keyOf(share))
    if (stopped) this.#track(share, stopped.sessionId, stopped.created).changed()
  }

  /** Uploads pending changes before OpenCode exits, as far as the time allows. */
  async dispose(): Promise<void> {
    const all = [...this.#tracked.values()]
    await Promise.race([
      Promise.all(all.map((tracked) => tracked.flush())).then(() => this.dependencies.pendingUploads.saved()),
      sleep(this.dependencies.timeouts.dispose),
    ])
    for (const tracked of all) void tracked.stop()
  }

  #track(share: Share, sessionId: string, created: Created): TrackedShare {
    const tracked = new TrackedShare(share, sessionId, this.dependencies, created, () => this.#release(tracked))
    this.#tracked.set(keyOf(share), tracked)
    this.#stopped.delete(keyOf(share))
    return tracked
  }

  #release(tracked: TrackedShare): void {
    const key = keyOf(tracked.share)
    if (this.#tracked.get(key) !== tracked) return
    this.#tracked.delete(key)
    this.#stopped.set(key, { sessionId: tracked.sessionId, created: tracked.facts })
    this.dependencies.api.uploads.forget(tracked.share)
  }
}

const keyOf = (share: Share): string => `${share.base}/${share.id}`
