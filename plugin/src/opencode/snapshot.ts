import type { Message, OpenCodeClient, Session } from "./client"

/** A session and its messages. */
export interface Transcript {
  session: Session
  messages: Message[]
}

/** The whole state of a session, from which every document is built. */
export interface Snapshot extends Transcript {
  /** Sessions of sub-agents as a flat list; `parentID` names the parent. */
  children: Transcript[]
}

/** Reads the state of a session; `rebuild` supplies the messages if OpenCode cannot list them. */
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
      // A sub-agent whose messages cannot be listed is left out; the parent has the result of its task.
      return messages ? [{ session, messages }, ...below] : below
    }),
  )
  return families.flat()
}
