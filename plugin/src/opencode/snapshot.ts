import type { Host, Message, Session } from "./client"

/** A session and its messages, as OpenCode has them now. */
export interface Transcript {
  session: Session
  messages: Message[]
}

/** The whole state of a session: what every upload consists of. */
export interface Snapshot extends Transcript {
  /** Sub-agents' sessions, flat; `parentID` says whose they are. */
  children: Transcript[]
}

/** `rebuild` gives the messages when OpenCode cannot list them. */
export async function takeSnapshot(host: Host, sessionId: string, rebuild: () => Promise<Message[]>): Promise<Snapshot> {
  const [session, messages, children] = await Promise.all([host.session(sessionId), host.messages(sessionId), descendants(host, sessionId)])
  return { session, messages: messages ?? (await rebuild()), children }
}

async function descendants(host: Host, parentId: string): Promise<Transcript[]> {
  const children = await host.children(parentId)
  const families = await Promise.all(
    children.map(async (session) => {
      const [messages, below] = await Promise.all([host.messages(session.id), descendants(host, session.id)])
      // A sub-agent whose messages cannot be listed is left out; its task's result is in the parent.
      return messages ? [{ session, messages }, ...below] : below
    }),
  )
  return families.flat()
}
