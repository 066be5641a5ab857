import { isObject, type Message, type OpenCodeClient } from "./client"
import type { Transcript } from "./snapshot"
import { type Sync, UnparsedSync } from "./sync-items"

/** What changed in a session since it was read last: the ids of messages, and what changed in the sessions of sub-agents. */
export class Touched {
  /** Whether anything may have changed. */
  everything = false
  readonly messages = new Set<string>()
  readonly children = new Map<string, Touched>()

  /** What changed in the session of a sub-agent; at least that session itself. */
  child(id: string): Touched {
    const child = this.children.get(id) ?? new Touched()
    this.children.set(id, child)
    return child
  }

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
    for (const [id, child] of children) this.child(id).add(child)
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

/** The present state of what was touched in a session. */
export interface TranscriptChanges extends Transcript {
  /** Whether these are all messages. */
  isWhole: boolean
  /** The ids of messages that do not exist any more. */
  gone: string[]
}

export interface SessionChanges extends TranscriptChanges {
  children: TranscriptChanges[]
}

/** Which sessions of sub-agents may change in parts. */
export interface KnownChildren {
  hasChild(id: string): boolean
}

/** Reads what was touched, and nothing else; undefined where only a snapshot tells. */
export async function readChanges(
  client: OpenCodeClient,
  sessionId: string,
  touched: Touched,
  known: KnownChildren,
): Promise<SessionChanges | undefined> {
  const own = touched.everything ? undefined : await readTouched(client, sessionId, touched)
  if (!own) return undefined
  const children: TranscriptChanges[] = []
  for (const [id, child] of touched.children) {
    const isPart = known.hasChild(id) && !child.everything
    // It may have been deleted.
    const read = await (isPart ? readTouched(client, id, child) : readWhole(client, id)).catch(() => undefined)
    if (!read) return undefined
    children.push(read)
  }
  return { ...own, children }
}

async function readTouched(
  client: OpenCodeClient,
  sessionId: string,
  touched: Touched,
): Promise<TranscriptChanges | undefined> {
  const session = await client.session(sessionId)
  const messages: Message[] = []
  const gone: string[] = []
  for (const id of touched.messages) {
    const message = await client.message(sessionId, id)
    if (message === undefined) return undefined
    if (message === null) gone.push(id)
    else messages.push(message)
  }
  return { session, messages, gone, isWhole: false }
}

async function readWhole(client: OpenCodeClient, sessionId: string): Promise<TranscriptChanges | undefined> {
  const [session, messages] = await Promise.all([client.session(sessionId), client.messages(sessionId)])
  return messages && { session, messages, gone: [], isWhole: true }
}
