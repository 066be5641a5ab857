import { type Message, messageId, type OpenCodeClient, type Session, type Toast } from "../../src/opencode/client"
import type { Transcript } from "../../src/opencode/snapshot"
import { Watch } from "./watch"

/** OpenCode, as far as the plugin knows it. */
export class FakeClient extends Watch implements OpenCodeClient {
  readonly transcripts = new Map<string, Transcript>()
  readonly toasts: Toast[] = []
  listable = true
  organisation = false
  reads = 0
  /** Runs in the middle of a snapshot, before the messages are handed out. */
  whileReading: () => void | Promise<void> = () => undefined

  constructor(...transcripts: Transcript[]) {
    super()
    for (const transcript of transcripts) this.transcripts.set(transcript.session.id, transcript)
  }

  async session(id: string): Promise<Session> {
    this.reads++
    return this.#transcript(id).session
  }

  async messages(id: string): Promise<Message[] | undefined> {
    await this.whileReading()
    return this.listable ? [...this.#transcript(id).messages] : undefined
  }

  async message(sessionId: string, id: string): Promise<Message | null | undefined> {
    if (!this.listable) return undefined
    return this.#transcript(sessionId).messages.find((message) => messageId(message) === id) ?? null
  }

  async children(id: string): Promise<Session[]> {
    return [...this.transcripts.values()].map(({ session }) => session).filter((session) => session.parentID === id)
  }

  async sessions(): Promise<Session[]> {
    return [...this.transcripts.values()].map(({ session }) => session)
  }

  async unshare(id: string): Promise<void> {
    delete this.#transcript(id).session.share
    this.changed()
  }

  async inOrganisation(): Promise<boolean> {
    return this.organisation
  }

  async toast(toast: Toast): Promise<void> {
    this.toasts.push(toast)
    this.changed()
  }

  /** Waits for a toast. */
  told(pattern: RegExp): Promise<Toast> {
    return this.until(() => this.toasts.find(({ message }) => pattern.test(message)))
  }

  #transcript(id: string): Transcript {
    const found = this.transcripts.get(id)
    if (!found) throw new Error(`no session ${id}`)
    return found
  }
}

export const SESSION = "ses_dfdcb1c80ffeesxOqc7NSn851p"

export const message = (number: number, text: string, sessionID = SESSION): Message => ({
  info: { id: `msg_${number}`, sessionID, role: "user", time: { created: number } },
  parts: [{ id: `prt_${number}`, sessionID, messageID: `msg_${number}`, type: "text", text }],
})

export const transcript = (text = "hello", id = SESSION, more = {}): Transcript => ({
  session: { id, title: "A session", ...more },
  messages: [message(1, text, id)],
})

/** The text of every message, in order. */
export const texts = (messages: readonly Message[] | undefined): unknown[] | undefined =>
  messages?.map(({ parts }) => (parts as { text: string }[])[0]?.text)
