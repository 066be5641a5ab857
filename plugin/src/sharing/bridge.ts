import { randomBytes } from "node:crypto"
import { isObject, type Json } from "../opencode/client"
import { itemsOf, type Sync, UnparsedSync } from "../opencode/sync-items"
import { Failure } from "../server/errors"

export interface NativeShare {
  id: string
  url: string
  secret: string
}

/** The three calls that OpenCode makes to a share server. */
export interface NativeCalls {
  create(sessionId: string): Promise<NativeShare>
  sync(id: string, secret: string, sync: Sync): void
  remove(id: string, secret: string): Promise<void>
}

export interface Bridge {
  url: string
  close(): void
}

/** A larger sync is one of all of a session. */
const LARGE_BYTES = 1_000_000
/** How the body of a sync begins, as OpenCode writes it. */
const SECRET_FIRST = /^\{"secret":"([^"\\]{1,2000})",/

/** A share server for this OpenCode process only, on loopback, under an unguessable path. */
export function openBridge(calls: NativeCalls): Bridge {
  const token = randomBytes(24).toString("base64url")
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    // OpenCode's first sync contains the whole session.
    maxRequestBodySize: 1_000_000_000,
    fetch: (request, { port }) => {
      // A web page can reach this port, but only with an Origin, or under a host name of its own (DNS rebinding).
      if (request.headers.has("origin") || request.headers.get("host") !== `127.0.0.1:${port}`)
        return new Response(null, { status: 403 })
      return route(calls, token, request)
    },
  })
  return { url: `http://127.0.0.1:${server.port}/${token}`, close: () => void server.stop(true) }
}

async function route(calls: NativeCalls, token: string, request: Request): Promise<Response> {
  const [given, api, shares, id, action, ...rest] = new URL(request.url).pathname.slice(1).split("/")
  if (given !== token || api !== "api" || shares !== "share" || rest.length > 0) return notFound()
  const bytes = new Uint8Array(await request.arrayBuffer())
  const largeSecret = action === "sync" && bytes.byteLength > LARGE_BYTES ? secretOf(bytes) : undefined
  const body = largeSecret === undefined ? parse(bytes) : { secret: largeSecret }
  if (!body) return Response.json({ error: "The body must be a JSON object." }, { status: 400 })
  try {
    if (request.method === "POST" && id === undefined) return Response.json(await calls.create(text(body.sessionID)))
    if (id === undefined) return notFound()
    if (request.method === "POST" && action === "sync") {
      calls.sync(id, text(body.secret), largeSecret === undefined ? itemsOf(body) : new UnparsedSync(bytes))
      return Response.json({})
    }
    if (request.method === "DELETE" && action === undefined) {
      await calls.remove(id, text(body.secret))
      return Response.json({})
    }
    return notFound()
  } catch (error) {
    return Response.json({ error: error instanceof Failure ? error.message : "Better Share failed." }, { status: 500 })
  }
}

const notFound = () => new Response(null, { status: 404 })

function parse(body: Uint8Array): Json | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const secretOf = (body: Uint8Array): string | undefined =>
  SECRET_FIRST.exec(new TextDecoder().decode(body.subarray(0, 4_096)))?.[1]

function text(value: unknown): string {
  if (typeof value === "string" && value) return value
  throw new Failure("refused", "OpenCode sent an incomplete share request.")
}
