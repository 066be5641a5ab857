import { createHash } from "node:crypto"
import { once } from "node:events"
import { buffer } from "node:stream/consumers"
import { createGzip } from "node:zlib"
import { jsonPieces } from "../lib/json-pieces"
import type { SyncItem } from "../opencode/client"
import type { Snapshot, Transcript } from "../opencode/snapshot"
import { TimeSlices } from "../redaction/time-slices"
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

export async function buildDocument(
  share: Share,
  createdAt: number,
  snapshot: Snapshot,
  now: number,
): Promise<SessionDocument> {
  const slices = new TimeSlices()
  const children: Transcript[] = []
  for (const child of snapshot.children) children.push(await sanitizeTranscript(child, slices))
  return {
    shareId: share.id,
    sessionId: snapshot.session.id,
    createdAt,
    updatedAt: now,
    ...(await sanitizeTranscript(snapshot, slices)),
    ...(children.length > 0 ? { children } : {}),
  }
}

const sanitizeTranscript = async ({ session, messages }: Transcript, slices: TimeSlices): Promise<Transcript> => ({
  session: sanitizeSession(session),
  messages: await slices.map(messages, sanitizeMessage),
})

export interface EncodedJson extends Encoded {
  /** Size before compression, in bytes. */
  bytes: number
}

/** Characters that are hashed and compressed at a time. */
const CHUNK = 65_536

/** The value as JSON, compressed in another thread, in time slices and without a second copy of it. */
export async function encode(value: SessionDocument | readonly SyncItem[]): Promise<EncodedJson> {
  const slices = new TimeSlices()
  const hash = createHash("sha256")
  const gzip = createGzip()
  const body = buffer(gzip)
  let bytes = 0
  for (const text of chunks(jsonPieces(value))) {
    const chunk = Buffer.from(text)
    bytes += chunk.byteLength
    hash.update(chunk)
    if (!gzip.write(chunk)) await once(gzip, "drain")
    await slices.yield()
  }
  gzip.end()
  return { body: await body, bytes, sha256: hash.digest("hex") }
}

function* chunks(pieces: Iterable<string>): Generator<string> {
  let chunk = ""
  for (const piece of pieces) {
    chunk += piece
    if (chunk.length < CHUNK) continue
    yield chunk
    chunk = ""
  }
  yield chunk
}
