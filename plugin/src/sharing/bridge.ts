import { randomBytes } from "node:crypto"
import { isObject, type Json, type SyncItem } from "../opencode/client"
import { Failure } from "../server/errors"

export interface NativeShare {
  id: string
  url: string
  secret: string
}

/** The three calls that OpenCode makes to a share server. */
export interface NativeCalls {
  create(sessionId: string): Promise<NativeShare>
  sync(id: string, secret: string, items: readonly SyncItem[]): void
  remove(id: string, secret: string): Promise<void>
}

export interface Bridge {
  url: string
  close(): void
}

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
  const body = await readJson(request)
  if (!body) return Response.json({ error: "The body must be a JSON object." }, { status: 400 })
  try {
    if (request.method === "POST" && id === undefined) return Response.json(await calls.create(text(body.sessionID)))
    if (id === undefined) return notFound()
    if (request.method === "POST" && action === "sync") {
      calls.sync(id, text(body.secret), Array.isArray(body.data) ? body.data.filter(isSyncItem) : [])
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

const readJson = async (request: Request): Promise<Json | undefined> => {
  const body: unknown = await request.json().catch(() => undefined)
  return isObject(body) ? body : undefined
}

const isSyncItem = (value: unknown): value is SyncItem => isObject(value) && typeof value.type === "string"

function text(value: unknown): string {
  if (typeof value === "string" && value) return value
  throw new Failure("refused", "OpenCode sent an incomplete share request.")
}
