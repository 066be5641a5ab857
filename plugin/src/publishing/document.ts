import { promisify } from "node:util"
import { gzip } from "node:zlib"
import type { Snapshot, Transcript } from "../opencode/snapshot"
import type { Share } from "../server/share"
import { sanitizeMessage, sanitizeSession } from "./sanitize"

/** The stored form of a share: the only thing that is ever uploaded. */
export interface SessionDocument extends Transcript {
  shareId: string
  sessionId: string
  createdAt: number
  updatedAt: number
  children?: Transcript[]
}

export function buildDocument(share: Share, createdAt: number, snapshot: Snapshot, now: number): SessionDocument {
  const children = snapshot.children.map(sanitizeTranscript)
  return {
    shareId: share.id,
    sessionId: snapshot.session.id,
    createdAt,
    updatedAt: now,
    ...sanitizeTranscript(snapshot),
    ...(children.length > 0 ? { children } : {}),
  }
}

const sanitizeTranscript = ({ session, messages }: Transcript): Transcript => ({
  session: sanitizeSession(session),
  messages: messages.map(sanitizeMessage),
})

export interface Encoded {
  body: Uint8Array
  /** Size of the document before compression. */
  bytes: number
}

const compress = promisify(gzip)

/** Gzip runs in another thread: OpenCode stays responsive while a large session is packed. */
export async function encodeDocument(document: SessionDocument): Promise<Encoded> {
  const json = Buffer.from(JSON.stringify(document))
  return { body: await compress(json), bytes: json.byteLength }
}
