import { isShort } from "../lib/json-pieces"
import { aborted, sleep } from "../lib/sleep"
import type { Timeouts } from "../lib/timeouts"
import { readChanges, Touched } from "../opencode/changes"
import type { OpenCodeClient } from "../opencode/client"
import { type Snapshot, takeSnapshot } from "../opencode/snapshot"
import { type Sync, SyncedItems } from "../opencode/sync-items"
import type { Toasts } from "../opencode/toasts"
import { type FilteredDocument, type Machine, PrivacyFilter } from "../privacy/filter"
import type { ShareApi } from "../server/api"
import { asFailure, type Failure, type FailureKind } from "../server/errors"
import type { Share } from "../server/share"
import type { PrivacyResult } from "../settings/privacy"
import type { PendingRemovals } from "../state/pending-removals"
import type { PendingUploads } from "../state/pending-uploads"
import type { ShareList } from "../state/share-list"
import { buildDocument, encode } from "./document"
import type { Published } from "./published"
import { Reports } from "./reports"
import { titleOf } from "./title"
import { MAX_ATTEMPTS, uploadDocument } from "./upload-document"
import { ShareQueue } from "./upload-queue"
import { UploadedState } from "./uploaded-state"

/** The collaborators of every tracked share. */
export interface Dependencies {
  client: OpenCodeClient
  api: ShareApi
  privacy: PrivacyResult
  machine: Machine
  shareList: ShareList
  toasts: Toasts
  timeouts: Timeouts
  removals: PendingRemovals
  pendingUploads: PendingUploads
}

/** A session that takes no time to redact and to upload. */
const SHORT_CHARACTERS = 1_000_000

/** What no other way to upload can mend. */
const FINAL: ReadonlySet<FailureKind> = new Set(["missing", "unauthorized"])

/** What is known of a new share. */
export interface Created {
  url: string | undefined
  createdAt: number | undefined
}

/** A share whose document follows its session: uploads it after each change and reports the outcome. */
export class TrackedShare {
  readonly #children = new Set<string>()
  readonly #items = new SyncedItems()
  readonly #touched = new Touched()
  readonly #filter: PrivacyFilter
  readonly #queue: ShareQueue
  #createdAt: number | undefined
  /** Undefined before the first upload, and where the next one has to be of everything. */
  #uploaded: UploadedState | undefined
  /** The revision that the next snapshot follows, if that is known. */
  #base: number | undefined
  #published: Published | undefined
  #isShort = false
  readonly #reports: Reports

  constructor(
    readonly share: Share,
    readonly sessionId: string,
    private readonly dependencies: Dependencies,
    private readonly created: Created,
    /** Called when nothing is uploaded any more. */
    private readonly onStopped: () => void,
  ) {
    this.#createdAt = created.createdAt
    this.#base = created.createdAt === undefined ? undefined : 0
    this.#filter = new PrivacyFilter(dependencies.privacy, dependencies.machine)
    this.#queue = new ShareQueue(
      (signal) => this.#publish(signal),
      dependencies.timeouts,
      (failure) => {
        if (failure && !failure.temporary) this.onStopped()
        this.#reports.report(failure, this.#published)
      },
      (isPending) => {
        if (isPending) dependencies.pendingUploads.add(share, sessionId)
        else dependencies.pendingUploads.remove(share)
      },
    )
    this.#reports = new Reports(share, sessionId, created.url, dependencies)
  }

  /** As `Publisher.publishFirst`. */
  async publishFirst(deadline: AbortSignal): Promise<Failure | "running" | Published> {
    this.#reports.stage = "opening"
    const outcome = await Promise.race([this.#queue.changed(0), this.#running(deadline)])
    this.#reports.stage = outcome === "running" ? "late" : "following"
    return outcome ?? this.#published ?? "running"
  }

  /** Resolves when nobody should wait for the first upload any more. */
  async #running(deadline: AbortSignal): Promise<"running"> {
    await sleep(this.dependencies.timeouts.firstUpload, deadline)
    if (this.#isShort) await aborted(deadline)
    return "running"
  }

  /** Schedules an upload, because the session changed. */
  changed(sync: Sync = []): void {
    if (this.#queue.stopped) return
    this.#items.add(sync)
    this.#touched.addSync(sync)
    void this.#queue.changed()
  }

  /** Called when any session changed. OpenCode syncs shared sessions, but not the sessions of their sub-agents. */
  sessionTouched(sessionId: string, parentId: string | undefined): void {
    if (parentId !== undefined && (parentId === this.sessionId || this.#children.has(parentId)))
      this.#children.add(sessionId)
    if (sessionId === this.sessionId) this.#queue.touch()
    if (!this.#children.has(sessionId)) return
    this.#touched.child(sessionId)
    void this.#queue.changed()
  }

  /** Called when a message of any session changed. OpenCode does not sync that one was removed. */
  messageTouched(sessionId: string, messageId: string | undefined, isRemoval: boolean): void {
    const isChild = this.#children.has(sessionId)
    if (sessionId !== this.sessionId && !isChild) return
    const touched = isChild ? this.#touched.child(sessionId) : this.#touched
    if (messageId === undefined) touched.everything = true
    else touched.messages.add(messageId)
    // OpenCode itself syncs what else happens in the shared session.
    if (isRemoval || isChild) void this.#queue.changed()
    else this.#queue.touch()
  }

  /** Uploads pending changes now. */
  flush(): Promise<void> {
    return this.#queue.flush()
  }

  /** Stops uploading; later changes are ignored. */
  async stop(): Promise<void> {
    this.onStopped()
    await this.#queue.stop()
  }

  /** What a new tracker of the same share needs, after `stop`. */
  get facts(): Created {
    return { url: this.created.url, createdAt: this.#createdAt }
  }

  /** Uploads what changed, or all of it. */
  async #publish(signal: AbortSignal): Promise<number> {
    const touched = this.#touched.take()
    try {
      return (await this.#publishChanges(touched, signal)) ?? (await this.#publishSnapshot(signal))
    } catch (error) {
      this.#touched.add(touched)
      throw error
    }
  }

  /** Undefined if that needs a snapshot. */
  async #publishChanges(touched: Touched, signal: AbortSignal): Promise<number | undefined> {
    const { client, api, shareList } = this.dependencies
    const uploaded = this.#uploaded
    this.#uploaded = undefined
    const changes = uploaded && (await readChanges(client, this.sessionId, touched, uploaded))
    if (!changes) return undefined
    const known = this.#filter.knownSecrets
    const { document, redactions, removed } = await this.#redacted(changes)
    // A secret that was not known before may stand in what was uploaded before.
    if (this.#filter.knownSecrets > known) return undefined
    if (removed.length > 0 && !signal.aborted) await shareList.rememberRedacted(this.share, removed)
    const { items, confirm } = await uploaded.delta(document, changes)
    const encoded = await encode(items)
    // The server keeps all of it, which a rebuilt session is read from.
    await shareList.rememberSize(this.share, (await shareList.sizeOf(this.share)) + encoded.bytes)
    try {
      if (items.length > 0) {
        const committed = await api.uploads.changes(this.share, encoded, uploaded.revision, signal)
        this.#base = committed.revision
        // A server that was changed back to an older one has ignored what it does not know.
        if (!uploaded.isTakenBy(committed)) return undefined
        confirm(committed)
      }
    } catch (error) {
      const { kind, temporary } = asFailure(error)
      // What is refused as changes may be taken as a whole; whatever is wrong with that is final.
      if (kind === "conflict" || !(temporary || FINAL.has(kind))) return undefined
      if (temporary) this.#uploaded = uploaded
      throw error
    }
    this.#items.clear()
    this.#uploaded = uploaded
    this.#published = {
      messages: uploaded.messages,
      redactions: Math.max(redactions, this.#published?.redactions ?? 0),
    }
    const title = titleOf({ session: document.session, messages: [] })
    if (title && !signal.aborted)
      await shareList.add(this.share, {
        url: this.created.url,
        sessionId: this.sessionId,
        title,
        createdAt: document.createdAt,
      })
    return 0
  }

  /** Reads the session again if another process was faster, so that the newest state is the last one. */
  async #publishSnapshot(signal: AbortSignal): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#tryToPublishSnapshot(signal, attempt)
      } catch (error) {
        if (asFailure(error).kind !== "conflict" || attempt === MAX_ATTEMPTS) throw error
      }
    }
  }

  async #tryToPublishSnapshot(signal: AbortSignal, attempt: number): Promise<number> {
    const { client, api, shareList } = this.dependencies
    // Before the session is read: what another process commits meanwhile may be newer than what is read here.
    const about = this.#base === undefined || attempt > 1 ? await api.about(this.share, signal) : undefined
    const base = about ? (about.revision ?? 0) : this.#base
    this.#createdAt ??= about?.createdAt
    let isListed = true
    const snapshot = await takeSnapshot(client, this.sessionId, async () => {
      isListed = false
      return this.#items.applyTo(await api.storedMessages(this.share, await shareList.sizeOf(this.share), signal))
    })
    this.#isShort = isShort(snapshot, SHORT_CHARACTERS)
    // Messages that could be listed are not rebuilt: a large session should not be in memory twice.
    if (isListed) this.#items.clear()
    for (const { session } of snapshot.children) this.#children.add(session.id)
    const filtered = await this.#redacted(snapshot)
    const tools = { api, shareList }
    const { bytes, committed } = await uploadDocument(filtered, this.share, this.created.url, tools, signal, base)
    const { document, redactions } = filtered
    this.#published = { messages: document.messages.length, redactions }
    this.#base = committed?.revision ?? 0
    if (!committed || !isListed) return bytes
    this.#uploaded = await UploadedState.of(document, committed)
    return 0
  }

  async #redacted(snapshot: Snapshot): Promise<FilteredDocument> {
    const known = await this.dependencies.shareList.redactedFrom(this.share)
    const document = await buildDocument(this.share, this.#createdAt ?? 0, snapshot, Date.now())
    return await this.#filter.apply(document, known)
  }
}
