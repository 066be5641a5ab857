import type { Message, OpenCodeClient, Session } from "./client"

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
export async function takeSnapshot(
  client: OpenCodeClient,
  sessionId: string,
  rebuild: () => Promise<Message[]>,
): Promise<Snapshot> {
  const [session, messages, children] = await Promise.all([
    client.session(sessionId),
    client.messages(sessionId),
    descendants(client, sessionId),
  ])
  return { session, messages: messages ?? (await rebuild()), children }
}

async function descendants(client: OpenCodeClient, parentId: string): Promise<Transcript[]> {
  const children = await client.children(parentId)
  const families = await Promise.all(
    children.map(async (session) => {
      const [messages, below] = await Promise.all([client.messages(session.id), descendants(client, session.id)])
      // A sub-agent whose messages cannot be listed is left out; its task's result is in the parent.
      return messages ? [{ session, messages }, ...below] : below
    }),
  )
  return families.flat()
}
