import { randomBytes } from "node:crypto"
import type { Timeouts } from "../lib/timeouts"
import { isObject, type Json, type Message } from "../opencode/client"
import type { Settings } from "../settings/server"
import { readCreation } from "./answers"
import { Failure } from "./errors"
import { type Call, MAX_ANSWER_BYTES, misdirected, sendJson, withRetries } from "./http"
import { machineResolver } from "./resolver"
import { hostOf, type Share } from "./share"
import { Uploads } from "./uploads"

export interface CreatedShare {
  share: Share
  url: string
  createdAt: number
  /** The release of the plugin that the server hands out, if it says so. */
  plugin?: string | undefined
  /** Who may read it, as far as it is known here. */
  audience?: string | undefined
  /** What readers need, which only its creation says. */
  password?: string | undefined
  expiresAt?: number | undefined
}

/** What the server knows of a share. */
export interface About {
  createdAt: number
  expiresAt: number | undefined
  revision: number | undefined
}

/**
 * An upload link is signed for an exact size, but the document contains `createdAt`, which only the server's response has.
 * So the first call of each kind declares this size, its link is never used, and every upload asks for a link of its own.
 */
const UNKNOWN_SIZE = 1

/** The end of a server's address that has a token in it, as OpenCode's own settings need it. */
const TOKEN_IN_ADDRESS = /\/t\/[^/]+$/
const ASKS_FOR_TOKEN = "asks for a token: set BETTER_SHARE_TOKEN"
const TOKEN_MISSING: Record<Settings["chosenBy"], string> = {
  user: ASKS_FOR_TOKEN,
  project: `${ASKS_FOR_TOKEN}, and BETTER_SHARE_BASE_URL, because a token is not sent to a server that only a project names`,
}

/** Why a server refuses to create a share. */
function tokenProblem(base: string, token: Settings["token"], chosenBy: Settings["chosenBy"]): string {
  if (token) return "does not accept BETTER_SHARE_TOKEN"
  if (TOKEN_IN_ADDRESS.test(base)) return "does not accept the token in its address"
  return TOKEN_MISSING[chosenBy]
}

/** A client for the API of a Better Share server, with timeouts and retries. */
export class ShareApi {
  readonly uploads: Uploads

  /** `uploadHosts` are hosts of the user's own networks that upload links may lead to. */
  constructor(
    private readonly timeouts: Timeouts,
    uploadHosts: readonly string[] = [],
  ) {
    this.uploads = new Uploads(timeouts, { hosts: uploadHosts, resolverFor: machineResolver(process.env) })
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
    { base, token, chosenBy, audience, expiresIn }: Settings,
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
      body: JSON.stringify({ shareId, sessionId, size: UNKNOWN_SIZE, contentEncoding: "gzip", audience, expiresIn }),
      signal,
    }).catch((error: unknown) => {
      if (error instanceof Failure && error.kind === "unauthorized") {
        throw new Failure("unauthorized", `${host} ${tokenProblem(base, token, chosenBy)}.`)
      }
      if (error instanceof Failure && error.kind === "missing") throw misdirected(host)
      throw error
    })
    const created = readCreation(answer)
    if (!created) throw misdirected(host)
    const { secret, ...rest } = created
    const share = { id: shareId, base, secret }
    const isObeyed = audience === undefined || created.audience === audience
    if (!isObeyed || (expiresIn !== undefined && created.expiresAt === undefined)) {
      // An older server ignores what it does not know, and would show the session to everyone who has the link.
      await this.remove(share, this.timeouts.request)
      throw new Failure("refused", `${host} is too old for private links; ask who runs it for an update.`)
    }
    return { share, ...rest }
  }

  /**
   * When a share was created, when it ends, and its revision, which older servers do not know. Throws a Failure of the kind
   * "missing" if it is gone.
   */
  async about(share: Share, signal: AbortSignal): Promise<About> {
    const link = await withRetries(() => this.uploads.link(share, UNKNOWN_SIZE, signal), this.#retry(signal))
    return { createdAt: link.createdAt, expiresAt: link.expiresAt, revision: link.revision }
  }

  /** The messages of the stored document of at most `bytes`; empty if nothing was uploaded yet. */
  async storedMessages(share: Share, bytes: number, signal: AbortSignal): Promise<Message[]> {
    try {
      const document = await this.#json({
        method: "GET",
        url: `${share.base}/api/share/${share.id}`,
        who: hostOf(share.base),
        headers: { "x-share-secret": share.secret },
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
