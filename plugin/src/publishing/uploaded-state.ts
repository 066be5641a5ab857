import { createHash } from "node:crypto"
import { type Message, messageId, type SyncItem } from "../opencode/client"
import { TimeSlices } from "../redaction/time-slices"
import type { SessionDocument } from "./document"

/** What the server lacks, and what to call when it has it. */
export interface Delta {
  items: SyncItem[]
  confirm(revision: number): void
}

/** What the server has of a session, as digests: the session would otherwise be in memory twice. */
export class UploadedState {
  #session: string
  #revision: number
  readonly #messages = new Map<string, string>()
  readonly #children = new Map<string, string>()

  private constructor(session: string, revision: number) {
    this.#session = session
    this.#revision = revision
  }

  /** In time slices: a session may have many megabytes. */
  static async of({ session, messages, children = [] }: SessionDocument, revision: number): Promise<UploadedState> {
    const slices = new TimeSlices()
    const state = new UploadedState(digest(session), revision)
    for (const message of messages) {
      state.#messages.set(messageId(message), digest(message))
      await slices.yield()
    }
    for (const child of children) {
      state.#children.set(child.session.id, digest(child))
      await slices.yield()
    }
    return state
  }

  /** The revision of the share with all that was confirmed. */
  get revision(): number {
    return this.#revision
  }

  get messages(): number {
    return this.#messages.size
  }

  /** The items that bring the server to the parts of the session in `document`, and rid it of the messages that are `gone`. */
  delta({ session, messages, children = [] }: SessionDocument, gone: readonly string[]): Delta {
    const head = digest(session)
    const changed = new Map<string, { digest: string; message: Message }>()
    for (const message of messages) {
      const now = digest(message)
      if (this.#messages.get(messageId(message)) !== now) changed.set(messageId(message), { digest: now, message })
    }
    const grown = children.filter((child) => this.#children.get(child.session.id) !== digest(child))
    const removed = gone.filter((id) => this.#messages.has(id))
    return {
      items: [
        ...(head === this.#session ? [] : [{ type: "session", data: session }]),
        ...removed.map((id) => ({ type: "delete_message", data: { id } })),
        ...[...changed.values()].map(({ message }) => ({ type: "put_message", data: message })),
        ...grown.map((child) => ({ type: "put_child", data: child })),
      ],
      confirm: (revision) => {
        this.#session = head
        this.#revision = revision
        for (const id of removed) this.#messages.delete(id)
        for (const [id, { digest }] of changed) this.#messages.set(id, digest)
        for (const child of grown) this.#children.set(child.session.id, digest(child))
      },
    }
  }
}

const digest = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("base64url")
