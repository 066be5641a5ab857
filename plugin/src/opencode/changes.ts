import { isObject, type Message, type OpenCodeClient, type Session } from "./client"
import type { Transcript } from "./snapshot"
import { type Sync, UnparsedSync } from "./sync-items"

/** The ids of what changed since it was read last: messages of a session, and the sessions of its sub-agents. */
export class Touched {
  /** Whether anything may have changed. */
  everything = false
  readonly messages = new Set<string>()
  readonly children = new Set<string>()

  /** Adds what a sync of OpenCode is about. One of all of a session adds nothing: events have named what changed. */
  addSync(sync: Sync): void {
    if (sync instanceof UnparsedSync) return
    for (const { type, data } of sync) {
      if (!isObject(data)) continue
      if (type === "message") this.messages.add(String(data.id))
      if (type === "part") this.messages.add(String(data.messageID))
    }
  }

  add({ everything, messages, children }: Touched): void {
    this.everything ||= everything
    for (const id of messages) this.messages.add(id)
    for (const id of children) this.children.add(id)
  }

  /** Hands everything over. */
  take(): Touched {
    const taken = new Touched()
    taken.add(this)
    this.everything = false
    this.messages.clear()
    this.children.clear()
    return taken
  }
}

/** The present state of what was touched. */
export interface SessionChanges {
  session: Session
  messages: Message[]
  /** The ids of messages that do not exist any more. */
  gone: string[]
  children: Transcript[]
}

/** Reads what was touched, and nothing else; undefined where only a snapshot tells. */
export async function readChanges(
  client: OpenCodeClient,
  sessionId: string,
  touched: Touched,
): Promise<SessionChanges | undefined> {
  if (touched.everything) return undefined
  const session = await client.session(sessionId)
  const messages: Message[] = []
  const gone: string[] = []
  for (const id of touched.messages) {
    const message = await client.message(sessionId, id)
    if (message === undefined) return undefined
    if (message === null) gone.push(id)
    else messages.push(message)
  }
  const children: Transcript[] = []
  for (const id of touched.children) {
    const child = await readChild(client, id)
    if (!child) return undefined
    children.push(child)
  }
  return { session, messages, gone, children }
}

async function readChild(client: OpenCodeClient, id: string): Promise<Transcript | undefined> {
  try {
    const [session, messages] = await Promise.all([client.session(id), client.messages(id)])
    return messages && { session, messages }
  } catch {
    // It may have been deleted.
    return undefined
  }
}
