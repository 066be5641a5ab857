import { promisify } from "node:util"
import { gzip } from "node:zlib"
import type { Snapshot, Transcript } from "../opencode/snapshot"
import type { Share } from "../server/share"
import { sanitizeMessage, sanitizeSession } from "./sanitize"

/** The stored document of a share, which is all that is ever uploaded. */
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
  /** Size of the document before compression, in bytes. */
  bytes: number
}

const compress = promisify(gzip)

/** Compresses in another thread, so that OpenCode stays responsive. */
export async function encodeDocument(document: SessionDocument): Promise<Encoded> {
  const json = Buffer.from(JSON.stringify(document))
  return { body: await compress(json), bytes: json.byteLength }
}
