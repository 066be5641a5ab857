import { createHash, randomBytes } from "node:crypto"
import { gunzipSync, gzipSync } from "node:zlib"
import { type Message, messageId, type Session } from "../../src/opencode/client"
import type { Transcript } from "../../src/opencode/snapshot"
import type { SessionDocument } from "../../src/publishing/document"
import { Watch } from "./watch"

export type Kind = "create" | "renew" | "upload" | "commit" | "get" | "delete" | "health" | "other"

export interface Recorded {
  kind: Kind
  method: string
  path: string
  headers: Headers
  body: Buffer
  status: number
}

interface StoredShare {
  secret: string
  sessionId: string
  createdAt: number
  object: Buffer | undefined
  revision: number
}

interface Link {
  shareId: string
  /** Undefined for any size. */
  size: number | undefined
  /** What is to be committed. */
  kind?: string
}

/** What to answer instead; "hang" never answers, "drop" does the work but loses the answer. */
export type Fault = Response | "hang" | "drop"

/** What a server answers that has understood who may read. */
function readersOf(body: Buffer) {
  const { audience = "link", expiresIn } = JSON.parse(body.toString()) as { audience?: string; expiresIn?: number }
  return {
    audience,
    ...(audience === "password" ? { password: "made-by-server" } : {}),
    ...(expiresIn === undefined ? {} : { shareExpiresAt: Date.now() + expiresIn * 1000 }),
  }
}

const failure = (status: number, code: string, headers: Record<string, string> = {}) =>
  Response.json({ error: `A sentence about ${code}.`, code }, { status, headers })

/** A Better Share server and its storage, as the API describes them, with faults on demand. */
export class FakeServer extends Watch {
  readonly shares = new Map<string, StoredShare>()
  readonly requests: Recorded[] = []
  readonly faults: Partial<Record<Kind, Fault[]>> = {}
  /** Answered to every request of a kind. */
  readonly always: Partial<Record<Kind, () => Fault>> = {}
  token: string | undefined
  /** The release of the plugin that it hands out, if it says so. */
  plugin: string | undefined
  /** Whether it takes changes, as servers do since 0.2. */
  commits = false
  /** Whether it takes messages of sub-agents' sessions by themselves, as servers do after 0.2.0. */
  childItems = true
  /** Whether it knows who may read, as servers do after 0.2. */
  audiences = false
  /** What the server calls itself in links; else as it is reached. */
  name: string | undefined
  uploadsInFlight = 0
  mostUploadsInFlight = 0
  readonly #links = new Map<string, Link>()
  readonly #objects = new Map<string, Buffer>()
  readonly #server: Bun.Server<undefined>

  constructor(port = 0) {
    super()
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port,
      idleTimeout: 0,
      maxRequestBodySize: 500_000_000,
      fetch: (request) => this.#handle(request),
    })
  }

  get base(): string {
    return `http://127.0.0.1:${this.#server.port}`
  }

  async stop(): Promise<void> {
    await this.#server.stop(true)
  }

  count(kind: Kind, status?: number): number {
    return this.requests.filter(
      (request) => request.kind === kind && (status === undefined || request.status === status),
    ).length
  }

  document(shareId: string): SessionDocument | undefined {
    const object = this.shares.get(shareId)?.object
    return object && (JSON.parse(gunzipSync(object).toString()) as SessionDocument)
  }

  /** All upload links expire. */
  expireLinks(): void {
    this.#links.clear()
  }

  async #handle(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname
    const kind = kindOf(request.method, path)
    if (kind === "upload") this.mostUploadsInFlight = Math.max(this.mostUploadsInFlight, ++this.uploadsInFlight)
    const finish = (status: number, body: Buffer) => {
      if (kind === "upload") this.uploadsInFlight--
      this.requests.push({ kind, method: request.method, path, headers: request.headers, body, status })
      this.changed()
    }
    const fault = this.faults[kind]?.shift() ?? this.always[kind]?.()
    if (fault === "hang") {
      finish(0, Buffer.alloc(0))
      return await new Promise<Response>(() => undefined)
    }
    const body = Buffer.from(await request.arrayBuffer())
    const answer = fault instanceof Response ? fault : this.#answer(kind, path, request.headers, body)
    finish(fault === "drop" ? 0 : answer.status, body)
    return fault === "drop" ? new Response("lost", { status: 502 }) : answer
  }

  #answer(kind: Kind, path: string, headers: Headers, body: Buffer): Response {
    if (kind === "other")
      return new Response("<h1>Not here</h1>", { status: 404, headers: { "content-type": "text/html" } })
    if (kind === "health") return Response.json({ status: "ok" })
    if (kind === "create") return this.#create(headers, body)
    if (kind === "upload") return this.#upload(path, headers, body)
    const id = path.split("/")[3] ?? ""
    const share = this.shares.get(id)
    if (!share) return failure(404, "not_found")
    if (kind === "get")
      return share.object
        ? new Response(gunzipSync(share.object), { headers: { "content-type": "application/json" } })
        : failure(404, "not_uploaded")
    if (headers.get("x-share-secret") !== share.secret) return failure(401, "wrong_secret")
    if (kind === "renew") return Response.json({ ...this.#link(id, body), createdAt: share.createdAt })
    if (kind === "commit") return this.#commit(id, share, body)
    this.shares.delete(id)
    return Response.json({ ok: true })
  }

  #create(headers: Headers, body: Buffer): Response {
    if (this.token && headers.get("authorization") !== `Bearer ${this.token}`) return failure(401, "token_required")
    const { shareId, sessionId } = JSON.parse(body.toString()) as { shareId: string; sessionId: string }
    if (this.shares.has(shareId)) return failure(409, "share_exists")
    const share = {
      secret: randomBytes(24).toString("base64url"),
      sessionId,
      createdAt: 1_700_000_000_000 + this.shares.size,
      object: undefined,
      revision: 0,
    }
    this.shares.set(shareId, share)
    return Response.json(
      {
        shareId,
        url: `${this.name ?? this.base}/share/${shareId}`,
        secret: share.secret,
        ...this.#link(shareId, body),
        createdAt: share.createdAt,
        ...(this.plugin === undefined ? {} : { plugin: this.plugin }),
        ...(this.audiences ? readersOf(body) : {}),
      },
      { status: 201 },
    )
  }

  #link(shareId: string, body: Buffer) {
    const { size, contentEncoding, kind } = JSON.parse(body.toString()) as {
      size?: number
      contentEncoding: string
      kind?: string
    }
    if (contentEncoding !== "gzip") throw new Error("the plugin compresses")
    const key = randomBytes(12).toString("hex")
    const target = this.commits && kind !== undefined ? { kind } : {}
    this.#links.set(key, { shareId, size, ...target })
    const signed = {
      "Content-Type": "application/json",
      "Content-Encoding": "gzip",
      "Cache-Control": "private, no-store",
      ...(size === undefined ? {} : { "Content-Length": String(size) }),
    }
    return {
      presignedUrl: `${this.base}/upload/${key}`,
      headers: signed,
      expiresAt: Date.now() + 3_600_000,
      ...("kind" in target ? { ...target, revision: this.shares.get(shareId)?.revision } : {}),
    }
  }

  #upload(path: string, headers: Headers, body: Buffer): Response {
    const link = this.#links.get(path.split("/")[2] ?? "")
    const share = link && this.shares.get(link.shareId)
    const signed =
      headers.get("content-type") === "application/json" &&
      headers.get("content-encoding") === "gzip" &&
      headers.get("cache-control") === "private, no-store"
    if (
      !link ||
      !share ||
      !signed ||
      headers.get("content-length") !== String(body.byteLength) ||
      (link.size !== undefined && body.byteLength !== link.size)
    )
      return new Response("<Error/>", { status: 403 })
    if (link.kind) this.#objects.set(`${link.shareId}/${link.kind}`, body)
    else share.object = body
    return new Response(null)
  }

  #commit(id: string, share: StoredShare, body: Buffer): Response {
    if (!this.commits) return failure(404, "not_found")
    const { kind, sha256, base } = JSON.parse(body.toString()) as { kind: string; sha256: string; base: number }
    if (base !== share.revision) return failure(409, "revision_conflict")
    const uploaded = this.#objects.get(`${id}/${kind}`)
    if (!uploaded || createHash("sha256").update(gunzipSync(uploaded)).digest("hex") !== sha256)
      return failure(404, "object_missing")
    this.#objects.delete(`${id}/${kind}`)
    if (kind === "snapshot") share.object = uploaded
    else share.object = merged(share.object, uploaded, this.childItems)
    share.revision++
    const wanted = Buffer.from(JSON.stringify({ contentEncoding: "gzip", kind: "changes" }))
    return Response.json({
      revision: share.revision,
      ...(this.childItems ? { items: ["put_child_session", "put_child_message", "delete_child_message"] } : {}),
      next: { ...this.#link(id, wanted), createdAt: share.createdAt },
    })
  }
}

interface Item {
  type: string
  data: Message & { id: string; session: { id: string }; sessionID: string; message: Message }
}

/** A stored document with changes in it, as the API describes them. */
function merged(stored: Buffer | undefined, uploaded: Buffer, childItems: boolean): Buffer {
  if (!stored) throw new Error("there is nothing to change")
  const document = JSON.parse(gunzipSync(stored).toString()) as SessionDocument
  const messages = new Map(document.messages.map((message) => [messageId(message), message]))
  const children = new Map((document.children ?? []).map((child) => [child.session.id, child]))
  for (const { type, data } of JSON.parse(gunzipSync(uploaded).toString()) as Item[]) {
    if (type === "session") document.session = data as Session
    else if (type === "put_message") messages.set(messageId(data), data)
    else if (type === "delete_message") messages.delete(data.id)
    else if (type === "put_child") children.set(data.session.id, data as unknown as Transcript)
    else if (childItems) changeChild(children, type, data)
    else if (!type.includes("_child_")) throw new Error(`unknown type ${type}`)
  }
  document.messages = [...messages.values()]
  if (children.size > 0) document.children = [...children.values()]
  return gzipSync(JSON.stringify(document))
}

function changeChild(children: Map<string, Transcript>, type: string, data: Item["data"]): void {
  const child = children.get(type === "put_child_session" ? data.id : data.sessionID)
  if (!child) throw new Error("there is nothing to change")
  if (type === "put_child_session") child.session = data as Session
  const id = type === "put_child_message" ? messageId(data.message) : data.id
  const place = child.messages.findIndex((message) => messageId(message) === id)
  if (type === "put_child_message") child.messages.splice(place < 0 ? child.messages.length : place, 1, data.message)
  else if (type === "delete_child_message") child.messages.splice(place, 1)
}

function kindOf(method: string, path: string): Kind {
  if (method === "PUT" && path.startsWith("/upload/")) return "upload"
  if (method === "GET" && path === "/api/health") return "health"
  if (method === "POST" && path === "/api/share/presign") return "create"
  if (method === "POST" && /^\/api\/share\/[\w-]+\/presign$/.test(path)) return "renew"
  if (method === "POST" && /^\/api\/share\/[\w-]+\/commit$/.test(path)) return "commit"
  if (/^\/api\/share\/[\w-]+$/.test(path)) return method === "GET" ? "get" : method === "DELETE" ? "delete" : "other"
  return "other"
}
