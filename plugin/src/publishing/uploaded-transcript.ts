import { createHash } from "node:crypto"
import { jsonPieces } from "../lib/json-pieces"
import type { TranscriptChanges } from "../opencode/changes"
import { type Message, messageId, type Session } from "../opencode/client"
import type { Transcript } from "../opencode/snapshot"
import type { TimeSlices } from "../redaction/time-slices"

/** What the server lacks of a session, and what to call when it has it. */
export interface TranscriptDelta {
  /** Undefined if the server has it. */
  session: Session | undefined
  messages: Message[]
  /** The ids of messages to be removed. */
  removed: string[]
  confirm(): void
}

/** What the server has of a session, as digests: the session would otherwise be in memory twice. */
export class UploadedTranscript {
  readonly #messages = new Map<string, string>()

  private constructor(private session: string) {}

  static async of({ session, messages }: Transcript, slices: TimeSlices): Promise<UploadedTranscript> {
    const uploaded = new UploadedTranscript(await digest(session, slices))
    for (const message of messages) uploaded.#messages.set(messageId(message), await digest(message, slices))
    return uploaded
  }

  get messages(): number {
    return this.#messages.size
  }

  /** What the server lacks of a transcript, as redacted; `gone` and `isWhole` are as it was read. */
  async delta(
    { session, messages }: Transcript,
    { gone, isWhole }: Pick<TranscriptChanges, "gone" | "isWhole">,
    slices: TimeSlices,
  ): Promise<TranscriptDelta> {
    const head = await digest(session, slices)
    const changed = new Map<string, { digest: string; message: Message }>()
    for (const message of messages) {
      const now = await digest(message, slices)
      if (this.#messages.get(messageId(message)) !== now) changed.set(messageId(message), { digest: now, message })
    }
    const present = new Set(messages.map(messageId))
    const removed = isWhole
      ? [...this.#messages.keys()].filter((id) => !present.has(id))
      : gone.filter((id) => this.#messages.has(id))
    return {
      session: head === this.session ? undefined : session,
      messages: [...changed.values()].map(({ message }) => message),
      removed,
      confirm: () => {
        this.session = head
        for (const id of removed) this.#messages.delete(id)
        for (const [id, { digest }] of changed) this.#messages.set(id, digest)
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
