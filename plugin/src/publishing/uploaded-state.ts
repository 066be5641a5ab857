import { createHash } from "node:crypto"
import { jsonPieces } from "../lib/json-pieces"
import { type Message, messageId, type SyncItem } from "../opencode/client"
import type { Transcript } from "../opencode/snapshot"
import { TimeSlices } from "../redaction/time-slices"
import type { SessionDocument } from "./document"

/** What the server lacks, and what to call when it has it. */
export interface Delta {
  items: SyncItem[]
  confirm(revision: number): void
}

/** What the server has of a session, as digests: the session would otherwise be in memory twice. */
export class UploadedState {
  readonly #messages = new Map<string, string>()
  readonly #children = new Map<string, string>()

  private constructor(
    private session: string,
    private currentRevision: number,
  ) {}

  static async of({ session, messages, children = [] }: SessionDocument, revision: number): Promise<UploadedState> {
    const slices = new TimeSlices()
    const state = new UploadedState(await digest(session, slices), revision)
    for (const message of messages) state.#messages.set(messageId(message), await digest(message, slices))
    for (const child of children) state.#children.set(child.session.id, await digest(child, slices))
    return state
  }

  /** The revision of the share with all that was confirmed. */
  get revision(): number {
    return this.currentRevision
  }

  get messages(): number {
    return this.#messages.size
  }

  /** The items that bring the server to the parts of the session in `document`, and rid it of the messages that are `gone`. */
  async delta({ session, messages, children = [] }: SessionDocument, gone: readonly string[]): Promise<Delta> {
    const slices = new TimeSlices()
    const head = await digest(session, slices)
    const changed = new Map<string, { digest: string; message: Message }>()
    for (const message of messages) {
      const now = await digest(message, slices)
      if (this.#messages.get(messageId(message)) !== now) changed.set(messageId(message), { digest: now, message })
    }
    const grown = new Map<string, { digest: string; child: Transcript }>()
    for (const child of children) {
      const now = await digest(child, slices)
      if (this.#children.get(child.session.id) !== now) grown.set(child.session.id, { digest: now, child })
    }
    const removed = gone.filter((id) => this.#messages.has(id))
    return {
      items: [
        ...(head === this.session ? [] : [{ type: "session", data: session }]),
        ...removed.map((id) => ({ type: "delete_message", data: { id } })),
        ...[...changed.values()].map(({ message }) => ({ type: "put_message", data: message })),
        ...[...grown.values()].map(({ child }) => ({ type: "put_child", data: child })),
      ],
      confirm: (revision) => {
        this.session = head
        this.currentRevision = revision
        for (const id of removed) this.#messages.delete(id)
        for (const [id, { digest }] of changed) this.#messages.set(id, digest)
        for (const [id, { digest }] of grown) this.#children.set(id, digest)
      },
    }
  }
}

async function digest(value: unknown, slices: TimeSlices): Promise<string> {
  const hash = createHash("sha256")
  for (const piece of jsonPieces(value)) {
    hash.update(piece)
    await slices.yield()
  }
  return hash.digest("base64url")
}
