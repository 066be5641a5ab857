import { backoffAt, sleep } from "../lib/sleep"
import { excerpt } from "../lib/visible"
import { isObject, type Json } from "../opencode/client"
import { connectionFailure } from "./connection-failure"
import { Failure, type FailureKind } from "./errors"

export interface Call {
  method: "GET" | "POST" | "PUT" | "DELETE"
  url: string
  /** Name of the server for error messages; the URL itself may contain a signature and is never shown. */
  who: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** Bytes of the response that are read at most; the rest is never received. */
  maxBytes?: number
  timeout: number
  signal?: AbortSignal | undefined
}

export interface Answer {
  status: number
  text: string
  retryAfter: number | undefined
  /** The clock of the server; undefined if it does not say. */
  date: number | undefined
}

export const MAX_ANSWER_BYTES = 65_536
const MAX_SAID_CHARACTERS = 200
const DAY = 86_400_000
/** Milliseconds after its time limit at which a call cannot still be waiting, unless the machine slept. */
const MAX_OVERTIME = 5_000
/** What is read is then what was received; a few bytes could decompress to any number. An option of bun. */
const AS_RECEIVED = { decompress: false }

/**
 * Sends one request and returns the response of any status but a redirect. Throws a Failure for a redirect, which would send
 * secrets to a host that nobody chose, and if there is no response.
 */
export async function send(call: Call): Promise<Answer> {
  const { location, ...answer } = await awake(call, () => fetchAnswer(call))
  if (answer.status < 300 || answer.status > 399) return answer
  throw new Failure(
    "misdirected",
    `${call.who} redirects to ${location}, which is not followed. Set the address of the server to the one that answers itself.`,
  )
}

/** Gives what fails because the machine slept that reason. */
async function awake<T>({ who, timeout }: Call, action: () => Promise<T>): Promise<T> {
  const began = Date.now()
  try {
    return await action()
  } catch (error) {
    if (Date.now() - began < timeout + MAX_OVERTIME) throw error
    throw new Failure("unreachable", `This machine slept while ${who} was to answer. Try again.`)
  }
}

async function fetchAnswer(call: Call): Promise<Answer & { location: string }> {
  const { method, url, who, headers = {}, body, maxBytes = MAX_ANSWER_BYTES, timeout, signal } = call
  const limit = AbortSignal.timeout(timeout)
  const stop = signal ? AbortSignal.any([limit, signal]) : limit
  try {
    const response = await fetch(url, {
      ...AS_RECEIVED,
      method,
      headers: { ...headers, "accept-encoding": "identity" },
      ...(body === undefined ? {} : { body }),
      signal: stop,
      redirect: "manual",
    })
    const text = await readText(response, maxBytes)
    // A body whose reading was stopped may only look as if it had ended.
    stop.throwIfAborted()
    return {
      status: response.status,
      text,
      retryAfter: retryAfter(response.headers.get("retry-after")),
      date: timeOf(response.headers.get("date")),
      location: originOf(response.headers.get("location"), url),
    }
  } catch (error) {
    if (stop.aborted) throw new Failure("unreachable", `${who} did not answer in time. Try again.`)
    throw connectionFailure(error, who, url, process.env)
  }
}

/** The first `maxBytes` of the body; leaving the loop closes the connection. */
async function readText(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let left = maxBytes
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk.subarray(0, left))
    left -= chunk.byteLength
    if (left <= 0) break
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

/** Sends a request and returns the JSON object of a successful response. Throws a Failure for any other. */
export async function sendJson(call: Call): Promise<Json> {
  const answer = await send({
    ...call,
    headers: { "content-type": "application/json", accept: "application/json", ...call.headers },
  })
  const body = parse(answer.text)
  if (answer.status < 200 || answer.status > 299) throw refusal(call.who, answer, body)
  if (!body) throw misdirected(call.who)
  return body
}

/** Codes of what another client, or an earlier attempt whose answer was lost, has done already. */
const CONFLICTS: ReadonlySet<unknown> = new Set(["revision_conflict", "object_missing"])

function refusal(who: string, { status, retryAfter }: Answer, body: Json | undefined): Failure {
  const said = typeof body?.error === "string" ? ` (${excerpt(body.error, MAX_SAID_CHARACTERS)})` : ""
  if (body && CONFLICTS.has(body.code)) return new Failure("conflict", `${who} has another version of this session.`)
  if (status >= 500) return new Failure("broken", `${who} has a problem (status ${status}).`, retryAfter)
  if (status === 429) return new Failure("busy", `${who} asks to slow down${inMinutes(retryAfter)}.`, retryAfter)
  if (status === 413) return new Failure("too_large", `The session is too large for ${who}${said}.`)
  // A proxy that has lost its server answers with 404, too.
  if (status === 404 && typeof body?.code === "string")
    return new Failure("missing", `${who} no longer has this share.`)
  // A Better Share server describes every error in JSON; a response without is from another kind of server.
  if (!body) return misdirected(who)
  if (status === 401 || status === 403)
    return new Failure("unauthorized", `${who} does not accept the secret of this share.`)
  if (status === 410) return new Failure("missing", `This share has expired on ${who}.`)
  if (status === 409) return new Failure("taken", `${who} refused${said}.`)
  return new Failure("refused", `${who} refused with status ${status}${said}.`)
}

export const misdirected = (who: string): Failure =>
  new Failure("misdirected", `${who} does not answer like a Better Share server: check BETTER_SHARE_BASE_URL.`)

function parse(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function timeOf(header: string | null): number | undefined {
  const time = Date.parse(header ?? "")
  return Number.isNaN(time) ? undefined : time
}

/** Where a redirect leads, without what may be secret in it. */
function originOf(location: string | null, url: string): string {
  return location !== null && URL.canParse(location, url) ? new URL(location, url).origin : "another address"
}

function retryAfter(header: string | null): number | undefined {
  if (!header) return undefined
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now()
  return Number.isFinite(milliseconds) ? Math.min(Math.max(0, milliseconds), DAY) : undefined
}

function inMinutes(wait: number | undefined): string {
  if (wait === undefined) return ""
  return wait < 60_000
    ? `: try again in ${Math.ceil(wait / 1_000)} s`
    : `: try again in ${Math.ceil(wait / 60_000)} min`
}

export interface Retry {
  pauses: readonly number[]
  maxRetryAfter: number
  signal?: AbortSignal | undefined
}

/** What the same attempt will not change, though another one later may. */
const IN_VAIN: ReadonlySet<FailureKind> = new Set(["misdirected", "conflict"])

/** Retries after a temporary failure, unless the server asks to wait longer than `maxRetryAfter`. */
export async function withRetries<T>(attempt: () => Promise<T>, { pauses, maxRetryAfter, signal }: Retry): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      const final = !(error instanceof Failure) || !error.temporary || IN_VAIN.has(error.kind) || tries >= pauses.length
      if (final || (error.retryAfter ?? 0) > maxRetryAfter) throw error
      await sleep(Math.max(backoffAt(pauses, tries), error.retryAfter ?? 0), signal)
      if (signal?.aborted) throw error
    }
  }
}
