import { Failure } from "../server/errors"
import { isObject, type Message, type Session } from "./client"
import type { Snapshot, Transcript } from "./snapshot"

/**
 * Reads what `opencode export` writes, `{info, messages}`, or a document as it is shared, `{session, messages, children}`.
 * Throws a Failure if the text is neither.
 */
export function readExport(text: string, name: string): Snapshot {
  const value = parsed(text)
  const transcript = transcriptOf(value)
  if (!transcript) throw new Failure("unreadable", `${name} is not a session as "opencode export" writes it.`)
  const children = isObject(value) && Array.isArray(value.children) ? value.children : []
  return { ...transcript, children: children.flatMap((child: unknown) => transcriptOf(child) ?? []) }
}

function transcriptOf(value: unknown): Transcript | undefined {
  if (!isObject(value) || !Array.isArray(value.messages)) return undefined
  const session = value.info ?? value.session
  if (!isObject(session) || typeof session.id !== "string") return undefined
  return { session: session as Session, messages: value.messages.filter(isObject) as Message[] }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
