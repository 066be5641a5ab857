import { createHash } from "node:crypto"
import { promisify } from "node:util"
import { gzip } from "node:zlib"
import type { SyncItem } from "../opencode/client"
import type { Snapshot, Transcript } from "../opencode/snapshot"
import type { Share } from "../server/share"
import type { Encoded } from "../server/uploads"
import { sanitizeMessage, sanitizeSession } from "./sanitize"

/** The stored document of a share, which is all that is ever uploaded. */
export interface SessionDocument extends Transcript {
  shareId: string
  sessionId: string
  createdAt: number
  updatedAt: number
  /** The revision of the share that this document makes; absent until it is uploaded. */
  revision?: number
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

export interface EncodedJson extends Encoded {
  /** Size before compression, in bytes. */
  bytes: number
}

const compress = promisify(gzip)

/** Compresses in another thread, so that OpenCode stays responsive. */
export async function encode(value: SessionDocument | readonly SyncItem[]): Promise<EncodedJson> {
  const json = Buffer.from(JSON.stringify(value))
  const sha256 = createHash("sha256").update(json).digest("hex")
  return { body: await compress(json), bytes: json.byteLength, sha256 }
}
