import { randomBytes } from "node:crypto"
import type { Timeouts } from "../lib/timeouts"
import { isObject, type Json, type Message } from "../opencode/client"
import type { Settings } from "../settings/server"
import { readCreation, readUploadLink, type UploadLink } from "./answers"
import { Failure } from "./errors"
import { type Call, MAX_ANSWER_BYTES, misdirected, send, sendJson, withRetries } from "./http"
import { machineResolver } from "./resolver"
import type { Share } from "./share"
import { checkUploadLink, type UploadPolicy } from "./upload-link"

export interface CreatedShare {
  share: Share
  url: string
  createdAt: number
  /** The release of the plugin that the server hands out, if it says so. */
  plugin?: string | undefined
}

/**
 * An upload link is signed for an exact size, but the document contains `createdAt`, which only the server's response has.
 * So the first call of each kind declares this size, its link is never used, and every upload asks for a link of its own.
 */
const UNKNOWN_SIZE = 1

const ASKS_FOR_TOKEN = "asks for a token: set BETTER_SHARE_TOKEN"
const TOKEN_MISSING: Record<Settings["chosenBy"], string> = {
  user: ASKS_FOR_TOKEN,
  project: `${ASKS_FOR_TOKEN}, and BETTER_SHARE_BASE_URL, because a token is not sent to a server that only a project names`,
}

export const hostOf = (base: string): string => new URL(base).host

/** A client for the API of a Better Share server, with timeouts and retries. */
export class ShareApi {
  readonly #uploads: UploadPolicy

  /** `uploadHosts` are hosts of the user's own networks that upload links may lead to. */
  constructor(
    private readonly timeouts: Timeouts,
    uploadHosts: readonly string[] = [],
  ) {
    this.#uploads = { hosts: uploadHosts, resolverFor: machineResolver(process.env) }
  }

  async create(settings: Settings, sessionId: string, signal: AbortSignal): Promise<CreatedShare> {
    // OpenCode's own naming. An imported session keeps its author's id, so that name may be taken.
    const preferred = sessionId.slice(-8)
    try {
      return await this.#create(settings, sessionId, preferred, signal)
    } catch (error) {
      if (error instanceof Failure && error.kind === "taken")
        return await this.#create(settings, sessionId, randomBytes(9).toString("base64url"), signal)
      throw error
    }
  }

  async #create(
    { base, token, chosenBy }: Settings,
    sessionId: string,
    shareId: string,
    signal: AbortSignal,
  ): Promise<CreatedShare> {
    const host = hostOf(base)
    const answer = await this.#json({
      method: "POST",
      url: `${base}/api/share/presign`,
      who: host,
      headers: token ? { authorization: `Bearer ${token}` } : {},
      body: JSON.stringify({ shareId, sessionId, size: UNKNOWN_SIZE, contentEncoding: "gzip" }),
      signal,
    }).catch((error: unknown) => {
      if (error instanceof Failure && error.kind === "unauthorized") {
        throw new Failure(
          "unauthorized",
          `${host} ${token ? "does not accept BETTER_SHARE_TOKEN" : TOKEN_MISSING[chosenBy]}.`,
        )
      }
      if (error instanceof Failure && error.kind === "missing") throw misdirected(host)
      throw error
    })
    const created = readCreation(answer)
    if (!created) throw misdirected(host)
    const { url, secret, createdAt, plugin } = created
    return { share: { id: shareId, base, secret }, url, createdAt, plugin }
  }

  /** When a share was created, and when it ends. Throws a Failure of the kind "missing" if it is gone. */
  async about(share: Share, signal: AbortSignal): Promise<Pick<UploadLink, "createdAt" | "expiresAt">> {
    return await withRetries(() => this.#renew(share, UNKNOWN_SIZE, signal), this.#retry(signal))
  }

  /** Uploads the encoded document. Every attempt requests a new link, so an expired one costs one retry. */
  async upload(share: Share, body: Uint8Array, signal: AbortSignal): Promise<void> {
    await withRetries(async () => {
      const link = await this.#renew(share, body.byteLength, signal)
      await this.#put(share, link, body, signal)
    }, this.#retry(signal))
  }

  async #renew(share: Share, size: number, signal: AbortSignal): Promise<UploadLink> {
    const host = hostOf(share.base)
    const answer = await sendJson({
      method: "POST",
      url: `${share.base}/api/share/${share.id}/presign`,
      who: host,
      headers: { "x-share-secret": share.secret },
      body: JSON.stringify({ size, contentEncoding: "gzip" }),
      timeout: this.timeouts.request,
      signal,
    })
    const link = readUploadLink(answer)
    if (!link) throw misdirected(host)
    return link
  }

  async #put(share: Share, link: UploadLink, body: Uint8Array, signal: AbortSignal): Promise<void> {
    await checkUploadLink(link.url, share.base, this.#uploads)
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

  /** The messages of the stored document of at most `bytes`; empty if nothing was uploaded yet. */
  async storedMessages(share: Share, bytes: number, signal: AbortSignal): Promise<Message[]> {
    try {
      const document = await this.#json({
        method: "GET",
        url: `${share.base}/api/share/${share.id}`,
        who: hostOf(share.base),
        maxBytes: Math.max(bytes, MAX_ANSWER_BYTES),
        timeout: this.timeouts.upload,
        signal,
      })
      return Array.isArray(document.messages) ? document.messages.filter(isObject) : []
    } catch (error) {
      if (error instanceof Failure && error.kind === "missing") return []
      throw error
    }
  }

  /** Deletes the share. A share that does not exist counts as deleted. */
  async remove(share: Share, timeout: number): Promise<void> {
    const signal = AbortSignal.timeout(timeout)
    try {
      await this.#json({
        method: "DELETE",
        url: `${share.base}/api/share/${share.id}`,
        who: hostOf(share.base),
        headers: { "x-share-secret": share.secret },
        signal,
      })
    } catch (error) {
      if (!(error instanceof Failure && error.kind === "missing")) throw error
    }
  }

  #json(call: Omit<Call, "timeout"> & { timeout?: number; signal: AbortSignal }): Promise<Json> {
    return withRetries(() => sendJson({ timeout: this.timeouts.request, ...call }), this.#retry(call.signal))
  }

  #retry(signal: AbortSignal) {
    return { pauses: this.timeouts.retries, maxRetryAfter: this.timeouts.maxRetryAfter, signal }
  }
}
