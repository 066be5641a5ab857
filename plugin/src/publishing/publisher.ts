import { Censor, type Machine } from "../privacy/filter"
import { buildDocument, encodeDocument } from "./document"
import type { Failure } from "../server/errors"
import type { Host, SyncItem } from "../opencode/client"
import type { Ledger } from "../state/share-list"
import type { Limits } from "../lib/timeouts"
import { pause } from "../lib/sleep"
import type { PrivacyResult } from "../settings/privacy"
import type { Secret } from "../redaction/environment"
import { ShareQueue } from "./upload-queue"
import type { Share } from "../server/share"
import { type CreatedShare, hostOf, type Server } from "../server/api"
import { takeSnapshot } from "../opencode/snapshot"
import { SyncedItems } from "../opencode/sync-items"
import type { Toasts } from "../opencode/toasts"

/** What readers see now. */
export interface Published {
  messages: number
  redactions: number
}

/** A share that follows its session. */
interface Followed {
  share: Share
  sessionId: string
  url: string | undefined
  children: Set<string>
  items: SyncedItems
  censor: Censor
  published: Published | undefined
  createdAt: number | undefined
  failing: boolean
  /** Who tells of outcomes: whoever opened the share and waits, or we; first of the upload that came too late for that. */
  stage: "opening" | "late" | "following"
  queue: ShareQueue
}

/** Keeps the documents of all shares up to date. */
export class Publisher {
  readonly #followed = new Map<string, Followed>()

  constructor(
    private readonly host: Host,
    private readonly server: Server,
    private readonly privacy: PrivacyResult,
    private readonly machine: Machine,
    private readonly ledger: Ledger,
    private readonly toasts: Toasts,
    private readonly limits: Limits,
  ) {}

  /** The first upload of a new share: what was published, its failure, or "running" when the deadline came first. */
  async publishFirst({ share, url, createdAt }: CreatedShare, sessionId: string, deadline: AbortSignal): Promise<Failure | "running" | Published> {
    const followed = this.#follow(share, sessionId, createdAt)
    followed.url = url
    followed.stage = "opening"
    const outcome = await Promise.race([followed.queue.changed(0), expiry(deadline)])
    followed.stage = outcome === "running" ? "late" : "following"
    return outcome ?? followed.published ?? "running"
  }

  /** OpenCode says that the session changed. */
  changed(share: Share, sessionId: string, items: readonly SyncItem[] = []): void {
    const followed = this.#followed.get(keyOf(share)) ?? this.#follow(share, sessionId, undefined)
    followed.items.add(items)
    void followed.queue.changed()
  }

  /** An event says that a session changed. OpenCode syncs shared sessions itself, but not their sub-agents'. */
  touch(sessionId: string, parentId?: string): void {
    for (const { sessionId: shared, children, queue } of this.#followed.values()) {
      if (parentId !== undefined && (parentId === shared || children.has(parentId))) children.add(sessionId)
      if (sessionId === shared) queue.touch()
      if (children.has(sessionId)) void queue.changed()
    }
  }

  sessionOf(share: Share): string | undefined {
    return this.#followed.get(keyOf(share))?.sessionId
  }

  /** Nothing more is uploaded for this share; a sync that is still on its way is ignored. */
  async forget(share: Share): Promise<void> {
    const followed = this.#followed.get(keyOf(share))
    if (!followed) return
    followed.items.clear()
    await Promise.race([followed.queue.stop(), pause(this.limits.remove)])
  }

  /** A share that was to be forgotten could not be removed: its page goes on with the session. */
  resume(share: Share): void {
    const forgotten = this.#followed.get(keyOf(share))
    if (!forgotten) return
    const { sessionId, createdAt, url } = forgotten
    const followed = this.#follow(share, sessionId, createdAt)
    followed.url = url
    void followed.queue.changed()
  }

  /** Before OpenCode exits: upload what is not uploaded yet, as far as the time allows. */
  async dispose(): Promise<void> {
    const queues = [...this.#followed.values()].map(({ queue }) => queue)
    await Promise.race([Promise.all(queues.map((queue) => queue.flush())), pause(this.limits.dispose)])
    for (const queue of queues) void queue.stop()
  }

  #follow(share: Share, sessionId: string, createdAt: number | undefined): Followed {
    const followed: Followed = {
      share,
      sessionId,
      createdAt,
      url: undefined,
      children: new Set(),
      items: new SyncedItems(),
      censor: new Censor(this.privacy, this.machine),
      published: undefined,
      failing: false,
      stage: "following",
      queue: new ShareQueue((signal) => this.#publish(followed, signal), this.limits, (failure) => this.#announce(followed, failure)),
    }
    this.#followed.set(keyOf(share), followed)
    return followed
  }

  async #publish(followed: Followed, signal: AbortSignal): Promise<number> {
    const { share, sessionId, items } = followed
    let listed = true
    const snapshot = await takeSnapshot(this.host, sessionId, async () => {
      listed = false
      return items.onto(await this.server.storedMessages(share, signal))
    })
    // What could be listed needs no rebuilding, and a large session should not be kept twice.
    if (listed) items.clear()
    for (const { session } of snapshot.children) followed.children.add(session.id)
    followed.createdAt ??= await this.server.createdAt(share, signal)
    const known = await this.ledger.redactedFrom(share)
    const { document, redactions, removed } = await followed.censor.censored(buildDocument(share, followed.createdAt, snapshot, Date.now()), known)
    if (!signal.aborted && hasMore(removed, known)) await this.ledger.rememberRedacted(share, removed)
    const { body, bytes } = await encodeDocument(document)
    await this.server.upload(share, body, signal)
    followed.published = { messages: document.messages.length, redactions }
    // A removal that came meanwhile has struck the share already.
    if (!signal.aborted) await this.ledger.enter(share, { url: followed.url, sessionId, title: String(document.session.title ?? ""), createdAt: followed.createdAt })
    return bytes
  }

  #announce(followed: Followed, failure: Failure | undefined): void {
    const { share, published, stage, failing } = followed
    if (stage === "opening") return
    const host = hostOf(share.base)
    followed.failing = failure !== undefined
    if (failure?.temporary && !failing) void this.toasts.show("warning", `The shared page is not up to date: ${failure.message} Better Share keeps trying.`)
    if (failure && !failure.temporary) void this.toasts.show("error", `The shared page no longer follows this session: ${failure.message}`)
    if (failure || !published) return
    followed.stage = "following"
    if (stage === "late") void this.toasts.show("success", `Uploaded to ${host}: ${counts(published)}. /unshare removes it.`)
    else if (failing) void this.toasts.show("success", `The shared page on ${host} is up to date again.`)
  }
}

/** What was published, in words. */
export const counts = ({ messages, redactions }: Published): string => `${counted(messages, "message")}, ${counted(redactions, "redaction")}`

const counted = (amount: number, noun: string): string => `${amount} ${noun}${amount === 1 ? "" : "s"}`

const keyOf = (share: Share): string => `${share.base}/${share.id}`

function hasMore(removed: readonly Secret[], known: readonly Secret[]): boolean {
  const values = new Set(known.map(([value]) => value))
  return removed.some(([value]) => !values.has(value))
}

function expiry(deadline: AbortSignal): Promise<"running"> {
  return new Promise((resolve) => {
    if (deadline.aborted) return resolve("running")
    deadline.addEventListener("abort", () => resolve("running"), { once: true })
  })
}
