import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import type { NativeShare } from "../src/sharing/bridge"
import { message, SESSION, texts } from "./support/fake-client"
import { unsealed, World } from "./support/world"

let world: World
beforeEach(async () => {
  world = await World.create()
})
afterEach(() => world.close())

const ID = SESSION.slice(-8)
const html = () => new Response("<h1>Welcome to nginx</h1>", { headers: { "content-type": "text/html" } })
const status = (code: number, headers: Record<string, string> = {}) =>
  Response.json({ error: `A sentence about ${code}.`, code: "c" }, { status: code, headers })

describe("/share fails with a sentence that helps, and OpenCode is told so, when the server", () => {
  const refuses = async (sentence: RegExp) => {
    const response = await world.start().create()
    expect(response.status).toBe(500)
    expect(await world.host.told(/^Not shared: /)).toMatchObject({
      variant: "error",
      message: expect.stringMatching(sentence),
    })
    expect(((await response.json()) as { error: string }).error).toMatch(sentence)
  }

  test("is down", async () => {
    const { base } = world.server
    await world.server.stop()
    const response = await world
      .start({ settings: { base, token: undefined, chosenBy: "user", uploadHosts: [] } })
      .create()
    expect(response.status).toBe(500)
    await world.host.told(/^Not shared: 127\.0\.0\.1:\d+ refuses connections: /)
  })

  test("does not answer in time", async () => {
    world.server.always.create = () => "hang"
    await refuses(/did not answer in time/)
  })

  test.each([html, () => status(404)])("answers with a web page, or knows no such route", async (answer) => {
    world.server.faults.create = [answer()]
    await refuses(/does not answer like a Better Share server: check BETTER_SHARE_BASE_URL/)
  })

  test("redirects, so that no secret follows to another host", async () => {
    world.server.faults.create = [
      new Response(null, { status: 302, headers: { location: `${world.server.base}/elsewhere` } }),
    ]
    await refuses(/127\.0\.0\.1:\d+ redirects to http:\/\/127\.0\.0\.1:\d+, which is not followed\./)
    expect(world.server.count("other")).toBe(0)
  })

  test("has a storage that redirects, so that no session follows to another host", async () => {
    world.server.always.upload = () =>
      new Response(null, { status: 307, headers: { location: `${world.server.base}/elsewhere` } })
    await refuses(/The storage of 127\.0\.0\.1:\d+ redirects/)
    expect(world.server.count("other")).toBe(0)
  })

  test("speaks in control characters, and without end", async () => {
    const error = `\u001b]0;owned\u0007\u009b2J\nsudo \u202e${"x".repeat(60_000)}`
    world.server.always.create = () => Response.json({ error }, { status: 400 })
    await refuses(/refused with status 400 \(\\x1b\]0;owned\\x07\\x9b2J\\nsudo \\u202ex{100,200}…\)\.$/)
  })

  test("answers without end: it is heard for 64 KB", async () => {
    let sent = 0
    world.server.always.create = () =>
      new Response(
        new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(((sent += 65_536), 65_536))) }),
      )
    await refuses(/does not answer like a Better Share server/)
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })

  test("asks for a token", async () => {
    world.server.token = "secret-token"
    await refuses(/asks for a token: set BETTER_SHARE_TOKEN/)
  })

  test("does not accept the token", async () => {
    world.server.token = "secret-token"
    const response = await world
      .start({ settings: { base: world.server.base, token: "wrong-token", chosenBy: "user", uploadHosts: [] } })
      .create()
    expect(response.status).toBe(500)
    await world.host.told(/does not accept BETTER_SHARE_TOKEN/)
  })

  test("does not accept the token in its address", async () => {
    world.server.always.other = () => status(401)
    const base = `${world.server.base}/t/revoked-token`
    await world.start({ settings: { base, token: undefined, chosenBy: "user", uploadHosts: [] } }).create()
    await world.host.told(/does not accept the token in its address/)
  })

  test("has both names taken", async () => {
    world.server.always.create = () => status(409)
    await refuses(/refused \(A sentence about 409/)
    expect(world.server.count("create")).toBe(2)
  })

  test("limits new shares, and says how long", async () => {
    world.server.always.create = () => status(429, { "retry-after": "1800" })
    await refuses(/asks to slow down: try again in 30 min/)
    expect(world.server.count("create")).toBe(1)
  })

  test("breaks again and again", async () => {
    world.server.always.create = () => status(500)
    await refuses(/has a problem \(status 500\)/)
    expect(world.server.count("create")).toBe(3)
  })

  test("answers without a secret", async () => {
    world.server.faults.create = [
      Response.json({ url: "https://share.example.com/share/1", createdAt: 1 }, { status: 201 }),
    ]
    await refuses(/does not answer like a Better Share server/)
  })

  test("finds the session too large, and the empty share is removed again", async () => {
    world.server.always.renew = () => status(413)
    await refuses(/too large for 127\.0\.0\.1:\d+ \(A sentence about 413/)
    await world.server.until(() => world.server.shares.size === 0)
  })

  test("has a storage that refuses every upload, and the empty share is removed again", async () => {
    world.server.always.upload = () => new Response("<Error/>", { status: 403 })
    await refuses(/The storage of 127\.0\.0\.1:\d+ refuses the upload \(status 403\)/)
    await world.server.until(() => world.server.shares.size === 0)
  })
})

describe("/share succeeds although", () => {
  test("the server broke once", async () => {
    world.server.faults.create = [status(500)]
    expect((await world.start().created()).id).toBe(ID)
  })

  test("the server asked for a moment's patience", async () => {
    world.server.faults.create = [status(429, { "retry-after": "0" })]
    expect((await world.start().created()).id).toBe(ID)
  })

  test("the answer was lost on its way: the name is taken then, by nobody", async () => {
    world.server.faults.create = ["drop"]
    const share = await world.start().created()
    expect(share.id).not.toBe(ID)
    expect(world.server.document(share.id)).toBeDefined()
  })

  test("the upload was refused once", async () => {
    world.server.faults.upload = [new Response("<Error>expired</Error>", { status: 403 })]
    await world.start().created()
    expect(world.server.document(ID)).toBeDefined()
    expect(world.server.count("renew")).toBe(2)
  })

  test("the upload takes longer than OpenCode should wait: it goes on behind", async () => {
    const reading = Promise.withResolvers<void>()
    world.host.whileReading = () => reading.promise
    await world.start({ timeouts: { firstUpload: 50 } }).created()
    await world.host.told(/upload is still under way/)
    expect(world.server.document(ID)).toBeUndefined()
    reading.resolve()
    await world.host.told(/^Uploaded to 127\.0\.0\.1:\d+: 1 message, 0 redactions\. \/unshare removes it\.$/)
    expect(world.server.document(ID)).toBeDefined()
  })

  test("the server takes its time with a short session: the link is readable at once all the same", async () => {
    world.server.faults.upload = [status(503)]
    await world.start({ timeouts: { create: 30_000, retries: [1_200] } }).created()
    expect(world.server.document(ID)).toBeDefined()
  })

  test("the upload takes longer, and fails before it succeeds", async () => {
    const reading = Promise.withResolvers<void>()
    world.host.whileReading = () => reading.promise
    world.server.always.renew = () => status(500)
    await world.start({ timeouts: { firstUpload: 50 } }).created()
    await world.host.told(/upload is still under way/)
    reading.resolve()
    await world.host.told(/not up to date: .* keeps trying/)
    delete world.server.always.renew
    await world.host.told(/^Uploaded to .*: 1 message, 0 redactions/)
    expect(world.host.toasts.filter(({ message }) => /up to date again/.test(message))).toEqual([])
  })

  test("the upload takes longer, and is refused for good: nothing is left, and the person is told", async () => {
    const reading = Promise.withResolvers<void>()
    world.host.whileReading = () => reading.promise
    const opencode = world.start({ timeouts: { firstUpload: 50 } })
    const share = await opencode.created()
    const session = world.host.transcripts.get(SESSION)?.session
    if (session) session.share = { url: share.url }
    world.server.always.renew = () => status(413)
    reading.resolve()
    expect((await world.host.told(/^Not shared: The session is too large/)).variant).toBe("error")
    expect(world.server.shares.size).toBe(0)
    expect(session?.share).toBeUndefined()
    const before = world.server.requests.length
    await opencode.sync(share)
    await opencode.share.dispose()
    expect(world.server.requests).toHaveLength(before)
  })

  test("the server wants a token, which it gets on creation and nowhere else", async () => {
    world.server.token = "secret-token"
    const opencode = world.start({
      settings: { base: world.server.base, token: "secret-token", chosenBy: "user", uploadHosts: [] },
    })
    await opencode.remove(await opencode.created())
    expect(world.server.requests.filter(({ headers }) => headers.has("authorization")).map(({ kind }) => kind)).toEqual(
      ["create"],
    )
  })
})

describe("while a share is followed", () => {
  const followed = async () => {
    const opencode = world.start()
    const share = await opencode.created()
    world.host.transcripts.get(SESSION)?.messages.push(message(2, "more"))
    return { opencode, share }
  }

  test.each([
    ["breaks", () => status(500)],
    ["answers with a web page", html],
    ["asks to slow down", () => status(429, { "retry-after": "0" })],
    ["does not answer", () => "hang" as const],
  ])("a server that %s gets the change later, and the person is told once", async (_, fault) => {
    const { opencode, share } = await followed()
    let failing = true
    world.server.always.renew = () => (failing ? fault() : (undefined as never))
    expect((await opencode.sync(share)).status).toBe(200)
    await world.host.told(/not up to date: .* keeps trying/)
    const tries = world.server.count("renew")
    await world.server.until(() => world.server.count("renew") > tries + 3)
    failing = false
    await world.host.told(/up to date again/)
    expect(texts(world.server.document(ID)?.messages)).toEqual(["hello", "more"])
    expect(world.host.toasts.filter(({ message }) => /keeps trying/.test(message))).toHaveLength(1)
  })

  test.each([
    [401, /does not accept the secret/],
    [404, /no longer has this share/],
    [409, /refused/],
    [410, /has expired/],
    [413, /too large/],
  ])("a final answer of %d ends it, and is not asked for again", async (code, sentence) => {
    const { opencode, share } = await followed()
    world.server.always.renew = () => status(code)
    await opencode.sync(share)
    expect(await world.host.told(/no longer follows/)).toMatchObject({
      variant: "error",
      message: expect.stringMatching(sentence),
    })
    const before = world.server.requests.length
    await opencode.sync(share)
    await opencode.share.dispose()
    expect(world.server.requests).toHaveLength(before)
  })

  test.each([
    ["its link", (share: NativeShare) => share.url, undefined],
    ["another link", () => "https://opncd.example/share/1", "https://opncd.example/share/1"],
  ])("a share that is gone is forgotten by OpenCode where the session has %s", async (_, linkOf, left) => {
    const { opencode, share } = await followed()
    const session = world.host.transcripts.get(SESSION)?.session
    if (session) session.share = { url: linkOf(share) }
    world.server.shares.clear()
    await opencode.sync(share)
    await world.host.told(/no longer follows this session: .* no longer has this share/)
    await world.host.until(() => session?.share?.url === left)
    await opencode.share.dispose()
    expect(session?.share?.url).toBe(left)
  })

  test("a page of a proxy that has lost the server is no reason to stop", async () => {
    const { opencode, share } = await followed()
    world.server.faults.renew = [new Response("<h1>404 Not Found</h1>", { status: 404 })]
    await opencode.sync(share)
    await world.server.until(() => world.server.document(ID)?.messages.length === 2)
  })

  test("links that have expired are asked for again", async () => {
    const { opencode, share } = await followed()
    world.server.faults.upload = [(world.server.expireLinks(), new Response("", { status: 403 }))]
    await opencode.sync(share)
    await world.server.until(() => world.server.document(ID)?.messages.length === 2)
  })

  test("a changed setting sends nothing of an old share to the new server", async () => {
    const { share } = await followed()
    const other = await World.create()
    const opencode = world.start({
      settings: { base: other.server.base, token: undefined, chosenBy: "user", uploadHosts: [] },
    })
    await opencode.sync(share)
    await world.server.until(() => world.server.document(ID)?.messages.length === 2)
    await opencode.remove(share)
    expect(world.server.shares.size).toBe(0)
    expect(other.server.requests).toEqual([])
    await other.close()
  })
})

describe("settings", () => {
  test("that are wrong refuse new shares, say why, and leave old ones working", async () => {
    const share = await world.start().created()
    const before = world.server.requests.length
    const opencode = world.start({ settings: { problem: "The address is wrong." } })
    expect((await opencode.create()).status).toBe(500)
    await world.host.told(/^Not shared: The address is wrong\./)
    expect(world.server.requests).toHaveLength(before)
    expect((await opencode.remove(share)).status).toBe(200)
    expect(world.server.shares.size).toBe(0)
  })
})

describe("a share that was made without the plugin", () => {
  test("is unshared where it is on the configured server, and its secret goes to no other", async () => {
    const share = await world.start().created()
    const secret = world.server.shares.get(share.id)?.secret ?? ""
    const session = world.host.transcripts.get(SESSION)?.session
    if (session) session.share = { url: "https://opncd.example/share/1" }
    const before = world.server.requests.length
    const opencode = world.start()
    expect((await opencode.remove({ id: share.id, secret })).status).toBe(500)
    expect(world.server.requests).toHaveLength(before)

    if (session) session.share = { url: share.url }
    await opencode.sync({ id: share.id, secret })
    await world.host.told(/its link is not updated any more\. \/unshare it, then \/share again\.$/)
    expect((await opencode.remove({ id: share.id, secret })).status).toBe(200)
    expect(world.server.shares.size).toBe(0)
  })

  test("is not synced and not pretended to be unshared", async () => {
    const opencode = world.start()
    expect((await opencode.sync({ id: ID, secret: "fbde2b8f8972990d" })).status).toBe(200)
    await world.host.told(/shared without Better Share/)
    expect((await opencode.remove({ id: ID, secret: "fbde2b8f8972990d" })).status).toBe(500)
    await world.host.told(/^Not unshared/)
    expect(world.server.requests).toEqual([])
  })
})

test("no toast shows a secret or an upload link", async () => {
  const opencode = world.start()
  const share = await opencode.created()
  world.server.always.renew = () => status(500)
  await opencode.sync(share)
  await world.host.told(/keeps trying/)
  world.server.always.delete = () => status(401)
  await opencode.remove(share)
  await world.host.told(/^Not unshared/)
  const secret = world.server.shares.get(ID)?.secret ?? ""
  const said = JSON.stringify(world.host.toasts)
  for (const hidden of [secret, unsealed({ id: ID, base: world.server.base, secret }), "/upload/"])
    expect(said).not.toContain(hidden)
})
