import type { KnownChildren, SessionChanges, TranscriptChanges } from "../opencode/changes"
import type { SyncItem } from "../opencode/client"
import type { Transcript } from "../opencode/snapshot"
import { TimeSlices } from "../redaction/time-slices"
import type { Committed } from "../server/answers"
import type { SessionDocument } from "./document"
import { UploadedTranscript } from "./uploaded-transcript"

/** What the server lacks, and what to call when it has it. */
export interface Delta {
  items: SyncItem[]
  confirm(committed: Pick<Committed, "revision">): void
}

/** Servers that take this type take the others for parts of sub-agents' sessions. */
const PART = "put_child_message"
const NONE_GONE = { gone: [], isWhole: true }

/** What the server has of a session and of those of its sub-agents. */
export class UploadedState implements KnownChildren {
  readonly #children = new Map<string, UploadedTranscript>()

  private constructor(
    private readonly own: UploadedTranscript,
    private committed: Pick<Committed, "revision">,
    /** Whether the sessions of sub-agents may change in parts. */
    private readonly takesParts: boolean,
  ) {}

  static async of(document: SessionDocument, committed: Committed): Promise<UploadedState> {
    const slices = new TimeSlices()
    const own = await UploadedTranscript.of(document, slices)
    const state = new UploadedState(own, committed, committed.items.has(PART))
    for (const child of document.children ?? [])
      state.#children.set(child.session.id, await UploadedTranscript.of(child, slices))
    return state
  }

  /** The revision of the share with all that was confirmed. */
  get revision(): number {
    return this.committed.revision
  }

  get messages(): number {
    return this.own.messages
  }

  /** Whether the server takes all types of items that this makes. */
  isTakenBy({ items }: Committed): boolean {
    return !this.takesParts || items.has(PART)
  }

  hasChild(id: string): boolean {
    return this.takesParts && this.#children.has(id)
  }

  /** The items that bring the server to the parts of the session in `document`, which are redacted `changes`. */
  async delta(document: SessionDocument, changes: SessionChanges): Promise<Delta> {
    const slices = new TimeSlices()
    const { session, messages, removed, confirm } = await this.own.delta(document, changes, slices)
    const children: Delta[] = []
    for (const child of document.children ?? []) {
      const read = changes.children.find((changed) => changed.session.id === child.session.id)
      children.push(await this.#childDelta(child, read ?? NONE_GONE, slices))
    }
    return {
      items: [
        ...(session ? [{ type: "session", data: session }] : []),
        ...removed.map((id) => ({ type: "delete_message", data: { id } })),
        ...messages.map((message) => ({ type: "put_message", data: message })),
        ...children.flatMap(({ items }) => items),
      ],
      confirm: (committed) => {
        this.committed = committed
        confirm()
        for (const child of children) child.confirm(committed)
      },
    }
  }

  async #childDelta(
    child: Transcript,
    read: Pick<TranscriptChanges, "gone" | "isWhole">,
    slices: TimeSlices,
  ): Promise<Delta> {
    const { id } = child.session
    const uploaded = this.#children.get(id)
    const put = { type: "put_child", data: child }
    if (!uploaded) {
      const added = await UploadedTranscript.of(child, slices)
      return { items: [put], confirm: () => this.#children.set(id, added) }
    }
    const { session, messages, removed, confirm } = await uploaded.delta(child, read, slices)
    const items = [
      ...(session ? [{ type: "put_child_session", data: session }] : []),
      ...removed.map((message) => ({ type: "delete_child_message", data: { sessionID: id, id: message } })),
      ...messages.map((message) => ({ type: PART, data: { sessionID: id, message } })),
    ]
    return { items: this.takesParts || items.length === 0 ? items : [put], confirm }
  }
}
