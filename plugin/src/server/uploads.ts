import type { Timeouts } from "../lib/timeouts"
import { type Committed, readCommitted, readUploadLink, type UploadLink } from "./answers"
import { asFailure, Failure } from "./errors"
import { misdirected, type Retry, send, sendJson, withRetries } from "./http"
import { hostOf, type Share } from "./share"
import { checkUploadLink, type UploadPolicy } from "./upload-link"

/** What is uploaded: a whole document, or what changed in it. */
export type Kind = "snapshot" | "changes"

/** An upload as it is sent, and the SHA-256 of its JSON, in hexadecimal. */
export interface Encoded {
  body: Uint8Array
  sha256: string
}

/** Links are valid for an hour. */
const MAX_LINK_AGE = 30 * 60_000

/** The uploads of a server's shares: signed links, what is PUT there, and commits. */
export class Uploads {
  /** The links that came with the last commits, by share. */
  readonly #next = new Map<string, { link: UploadLink; at: number }>()

  constructor(
    private readonly timeouts: Timeouts,
    private readonly policy: UploadPolicy,
  ) {}

  /** A link for an upload of so many bytes. Throws a Failure of the kind "missing" if the share is gone. */
  async link(share: Share, size: number, signal: AbortSignal, kind: Kind = "snapshot"): Promise<UploadLink> {
    const who = hostOf(share.base)
    const answer = await sendJson({
      method: "POST",
      url: `${share.base}/api/share/${share.id}/presign`,
      who,
      headers: { "x-share-secret": share.secret },
      body: JSON.stringify({ kind, size, contentEncoding: "gzip" }),
      timeout: this.timeouts.request,
      signal,
    })
    const link = readUploadLink(answer)
    if (!link) throw misdirected(who)
    return link
  }

  /**
   * Uploads the encoded document that is to follow a revision. Undefined from a server that knows no revisions, where it replaces
   * the document. Every attempt requests a new link, so an expired one costs one retry. Throws a Failure of the kind
   * "conflict" if the share has another revision.
   */
  snapshot(share: Share, encoded: Encoded, base: number, signal: AbortSignal): Promise<Committed | undefined> {
    return withRetries(async () => {
      const link = await this.link(share, encoded.body.byteLength, signal)
      return await this.#deliver("snapshot", share, link, encoded, base, signal)
    }, this.#retry(signal))
  }

  /** As `snapshot`, with the encoded changes since that revision. A server that knows none is a conflict. */
  changes(share: Share, encoded: Encoded, base: number, signal: AbortSignal): Promise<Committed> {
    return withRetries(async () => {
      const link = this.#takeNext(share) ?? (await this.link(share, encoded.body.byteLength, signal, "changes"))
      // The link of an older server is one for the whole document.
      const isTaken = link.revision !== undefined
      const committed = isTaken ? await this.#deliver("changes", share, link, encoded, base, signal) : undefined
      if (!committed) throw conflict(share)
      return committed
    }, this.#retry(signal))
  }

  /** Forgets a share that nothing is uploaded to any more. */
  forget(share: Share): void {
    this.#next.delete(keyOf(share))
  }

  async #deliver(
    kind: Kind,
    share: Share,
    link: UploadLink,
    { body, sha256 }: Encoded,
    base: number,
    signal: AbortSignal,
  ): Promise<Committed | undefined> {
    if (link.revision !== undefined && link.revision !== base) throw conflict(share)
    await this.#put(share, link, body, signal)
    if (link.revision === undefined) return undefined
    const committed = await this.#commit(share, { kind, sha256, base }, signal)
    if (committed.next) this.#next.set(keyOf(share), { link: committed.next, at: Date.now() })
    return committed
  }

  async #put(share: Share, link: UploadLink, body: Uint8Array, signal: AbortSignal): Promise<void> {
    await checkUploadLink(link.url, share.base, this.policy)
    const who = `The storage of ${hostOf(share.base)}`
    const { status, retryAfter } = await send({
      method: "PUT",
      url: link.url.href,
      who,
      headers: link.headers,
      body,
      timeout: this.timeouts.upload,
      signal,
    })
    if (status >= 200 && status <= 299) return
    if (status === 413) throw new Failure("too_large", `The session is too large for ${hostOf(share.base)}.`)
    if (status === 429 || status >= 500)
      throw new Failure("broken", `${who} has a problem (status ${status}).`, retryAfter)
    throw new Failure("link", `${who} refuses the upload (status ${status}).`)
  }

  async #commit(
    share: Share,
    upload: { kind: Kind; sha256: string; base: number },
    signal: AbortSignal,
  ): Promise<Committed> {
    const who = hostOf(share.base)
    const answer = await sendJson({
      method: "POST",
      url: `${share.base}/api/share/${share.id}/commit`,
      who,
      headers: { "x-share-secret": share.secret },
      body: JSON.stringify({ ...upload, next: { contentEncoding: "gzip" } }),
      // The server reads all that was uploaded.
      timeout: this.timeouts.upload,
      signal,
    }).catch((error: unknown) => {
      // An older server, to which this one was changed back, has no commits. Whether the share is gone, the next link tells.
      throw asFailure(error).kind === "missing" ? conflict(share) : error
    })
    const committed = readCommitted(answer)
    if (!committed) throw misdirected(who)
    return committed
  }

  #takeNext(share: Share): UploadLink | undefined {
    const next = this.#next.get(keyOf(share))
    this.#next.delete(keyOf(share))
    return next && Date.now() - next.at < MAX_LINK_AGE ? next.link : undefined
  }

  #retry(signal: AbortSignal): Retry {
    return { pauses: this.timeouts.retries, maxRetryAfter: this.timeouts.maxRetryAfter, signal }
  }
}

const conflict = (share: Share): Failure =>
  new Failure("conflict", `${hostOf(share.base)} has another version of this session.`)

const keyOf = (share: Share): string => `${share.base}/${share.id}`
