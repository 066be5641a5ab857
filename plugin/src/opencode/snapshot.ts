import type { Message, Session, SessionSource } from "./client"

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

/** Reads the state of a session; `rebuild` supplies the messages if the source cannot list them. */
export async function takeSnapshot(
  source: SessionSource,
  sessionId: string,
  rebuild: () => Promise<Message[]>,
): Promise<Snapshot> {
  const [session, messages, children] = await Promise.all([
    source.session(sessionId),
    source.messages(sessionId),
    descendants(source, sessionId),
  ])
  return { session, messages: messages ?? (await rebuild()), children }
}

async function descendants(source: SessionSource, parentId: string): Promise<Transcript[]> {
  const children = await source.children(parentId)
  const families = await Promise.all(
    children.map(async (session) => {
      const [messages, below] = await Promise.all([source.messages(session.id), descendants(source, session.id)])
      // A sub-agent whose messages cannot be listed is left out; the parent has the result of its task.
      return messages ? [{ session, messages }, ...below] : below
    }),
  )
  return families.flat()
}
