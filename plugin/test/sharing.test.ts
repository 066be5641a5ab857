import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { ShareSeal } from "../src/state/share-seal"
import { StateLock } from "../src/state/state-lock"
import { FakeClient, message, SESSION, texts, transcript } from "./support/fake-client"
import { recordedCalls, recordedSession } from "./support/fixtures"
import { World } from "./support/world"

let world: World
beforeEach(async () => {
  world = await World.create()
})
afterEach(() => world.close())

const inWorldOf = async (host: FakeClient) => {
  await world.close()
  world = await World.create(host)
}
const ID = SESSION.slice(-8)
const add = (host: FakeClient, number: number, text: string) =>
  host.transcripts.get(SESSION)?.messages.push(message(number, text))

describe("the life of a share", () => {
  test("the link that OpenCode gets is readable at once", async () => {
    const share = await world.start().created()
    expect(share).toMatchObject({ id: ID, url: `${world.server.base}/share/${ID}` })
    expect(new ShareSeal(world.folder).open(ID, share.secret)).toEqual({
      id: ID,
      base: world.server.base,
      secret: world.server.shares.get(ID)?.secret ?? "",
    })
    expect(world.server.document(ID)).toMatchObject({
      shareId: ID,
      sessionId: SESSION,
      session: { id: SESSION },
      createdAt: world.server.shares.get(ID)?.createdAt,
    })
    expect(
      (
        await world.host.told(
          /^Shared on 127\.0\.0\.1:\d+: http\S+ - 1 message, 0 redactions\. \/unshare removes it\.$/,
        )
      ).variant,
    ).toBe("success")
  })

  test("the page follows, also after a restart, and its time of creation stays", async () => {
    const first = world.start()
    const share = await first.created()
    const { createdAt } = world.server.document(ID) ?? {}
    add(world.host, 2, "more")
    await first.sync(share)
    await world.server.until(() => world.server.document(ID)?.messages.length === 2)
    await first.share.dispose()
    const second = world.start()
    add(world.host, 3, "after the restart")
    await second.sync(share)
    await world.server.until(() => world.server.document(ID)?.messages.length === 3)
    expect(world.server.document(ID)?.createdAt).toBe(createdAt)
  })

  test("after unsharing nothing is left, and a late sync brings nothing back", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    expect((await opencode.remove(share)).status).toBe(200)
    expect(world.server.shares.size).toBe(0)
    await world.host.told(/^Unshared/)
    const before = world.server.requests.length
    expect((await opencode.sync(share)).status).toBe(200)
    await opencode.share.dispose()
    expect(world.server.requests).toHaveLength(before)
  })

  test("every call that a real OpenCode made is answered as it wants", async () => {
    await inWorldOf(
      new FakeClient(
        ...recordedCalls().flatMap(({ request }) =>
          request.sessionID ? [transcript("hello", request.sessionID)] : [],
        ),
      ),
    )
    const opencode = world.start()
    const secrets = new Map<string, string>()
    for (const { kind, path, request } of recordedCalls()) {
      const id = path.split("/")[3] ?? ""
      if (kind === "create") {
        const share = await opencode.created(request.sessionID)
        secrets.set(share.id, share.secret)
        expect([share.id, share.url, share.secret].every((value) => typeof value === "string")).toBe(true)
        continue
      }
      const secret = secrets.get(id) ?? ""
      const response =
        kind === "sync" ? await opencode.sync({ id, secret }, request.data) : await opencode.remove({ id, secret })
      expect(response.status).toBe(200)
    }
    expect([...world.server.shares.keys()].sort()).toEqual(["Gp0aCVCd", "TYa3gcYg"])
  })

  test("an imported session, whose name is taken, gets a share of another name", async () => {
    await world.start().created()
    // Whoever imports it has a state folder of their own.
    for (const name of await readdir(world.folder)) await rm(join(world.folder, name))
    const other = await world.start().created()
    expect(other.id).not.toBe(ID)
    expect(world.server.document(other.id)).toMatchObject({ shareId: other.id, sessionId: SESSION })
  })

  test("two processes that share it at once give it one link", async () => {
    const [one, other] = [world.start(), world.start()]
    const [first, second] = await Promise.all([one.created(), other.created()])
    expect(first.id).toBe(second.id)
    expect(first.url).toBe(second.url)
    expect(world.server.count("create", 201)).toBe(1)
    expect((await other.remove(second)).status).toBe(200)
    expect(world.server.shares.size).toBe(0)
  })

  test("shared again it keeps its link, and gets a new one only if that is gone", async () => {
    const first = await world.start().created()
    expect((await world.start().created()).id).toBe(first.id)
    world.server.shares.delete(first.id)
    const second = await world.start().created()
    expect(world.server.shares.has(second.id)).toBe(true)
  })

  test("a session that is deleted in another process loses its link there", async () => {
    await world.start().created()
    await world.start().share.sessionDeleted(SESSION)
    expect(world.server.shares.size).toBe(0)
  })

  test("a lock of a process that was killed is passed over", async () => {
    const lock = new StateLock(world.folder, 0)
    const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const held = lock.run("ses_1", async () => {
      begun.resolve()
      await ended.promise
    })
    await begun.promise
    expect(await lock.run("ses_1", async () => "done")).toBe("done")
    ended.resolve()
    await held
  })

  test("sub-agents' sessions are uploaded with it, flat, and followed", async () => {
    const parent = recordedSession("subagents")
    const child = recordedSession("subagents.child1")
    const grandchild = transcript("deep", "ses_deep", { parentID: child.session.id })
    await inWorldOf(new FakeClient(parent, child, grandchild))
    const opencode = world.start()
    const share = await opencode.created(parent.session.id)
    expect(world.server.document(share.id)?.children?.map(({ session }) => session.id)).toEqual([
      child.session.id,
      "ses_deep",
    ])
    grandchild.messages.push(message(2, "deeper", "ses_deep"))
    opencode.share.contentChanged("ses_deep")
    await world.server.until(() => texts(world.server.document(share.id)?.children?.[1]?.messages)?.length === 2)
    const late = transcript("new", "ses_late", { parentID: parent.session.id })
    world.host.transcripts.set("ses_late", late)
    await opencode.share.sessionChanged(late.session)
    await world.server.until(() => world.server.document(share.id)?.children?.length === 3)
  })

  test("a session of 40 MB is uploaded, compressed, in one piece", async () => {
    const large = transcript()
    for (let n = 2; n < 42; n++)
      large.messages.push(message(n, Buffer.alloc(500_000, `line ${n} of the output\n`).toString("hex")))
    await inWorldOf(new FakeClient(large))
    const opencode = world.start({ timeouts: { create: 60_000, firstUpload: 60_000, request: 10_000, upload: 60_000 } })
    await opencode.created()
    const document = world.server.document(ID)
    expect(document?.messages).toEqual(large.messages)
    expect(JSON.stringify(document).length).toBeGreaterThan(40_000_000)
  }, 60_000)
})

describe("uploads", () => {
  test("of one share never overlap, and the newest state wins", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    for (let n = 2; n < 30; n++) {
      add(world.host, n, `change ${n}`)
      await opencode.sync(share)
    }
    await world.server.until(() => world.server.document(ID)?.messages.length === 29)
    expect(world.server.mostUploadsInFlight).toBe(1)
    expect(world.server.count("upload")).toBeLessThan(28)
  })

  test("a change in the middle of a snapshot is not forgotten", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    let changes = 0
    world.host.whileReading = () => {
      if (++changes > 1) return
      setTimeout(async () => {
        add(world.host, 2, "meanwhile")
        await opencode.sync(share)
      })
    }
    await opencode.sync(share)
    await world.server.until(() => world.server.document(ID)?.messages.length === 2)
  })

  test("what OpenCode did not sync before it exits is uploaded on exit", async () => {
    const opencode = world.start()
    await opencode.created()
    add(world.host, 2, "the last word")
    opencode.share.contentChanged(SESSION)
    await opencode.share.dispose()
    expect(texts(world.server.document(ID)?.messages)).toEqual(["hello", "the last word"])
  })

  test("nothing is uploaded on exit when nothing changed", async () => {
    const opencode = world.start()
    await opencode.created()
    await opencode.share.dispose()
    expect(world.server.count("upload")).toBe(1)
  })

  test("that hang do not keep OpenCode from exiting, leave the old document whole, and are made up for later", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    world.server.faults.upload = ["hang"]
    add(world.host, 2, "interrupted")
    await opencode.sync(share)
    await world.server.until(() => world.server.count("upload") === 2)
    await opencode.share.dispose()
    expect(world.server.document(ID)?.messages).toHaveLength(1)
    await world.start().sync(share)
    await world.server.until(() => world.server.document(ID)?.messages.length === 2)
  })

  test("of two OpenCode processes on one session both succeed, each with the whole session", async () => {
    const first = world.start()
    const share = await first.created()
    const second = world.start()
    add(world.host, 2, "from the first")
    add(world.host, 3, "from the second")
    await Promise.all([first.sync(share), second.sync(share)])
    await world.server.until(() => world.server.count("upload", 200) >= 3)
    expect(texts(world.server.document(ID)?.messages)).toEqual(["hello", "from the first", "from the second"])
    expect((await second.remove(share)).status).toBe(200)
    await first.sync(share)
    await world.host.told(/no longer follows.*no longer has this share/)
    expect(world.server.shares.size).toBe(0)
  })
})

describe("a session that OpenCode cannot list", () => {
  const item = (number: number, text: string) => {
    const { info, parts } = message(number, text)
    return [
      { type: "message", data: info },
      { type: "part", data: (parts as unknown[])[0] },
    ]
  }

  test("is built from the stored document and what OpenCode synced", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    world.host.listable = false
    await opencode.sync(share, [...item(3, "third"), ...item(2, "second")])
    await world.server.until(() => world.server.document(ID)?.messages.length === 3)
    await opencode.sync(share, item(2, "second, changed"))
    await world.server.until(() => texts(world.server.document(ID)?.messages)?.[1] === "second, changed")
    expect(texts(world.server.document(ID)?.messages)).toEqual(["hello", "second, changed", "third"])
  })

  test("is built from a sync of all of a large session", async () => {
    world.host.listable = false
    const opencode = world.start()
    const share = await opencode.created()
    await opencode.sync(share, [...item(1, "first"), ...item(2, "x".repeat(1_000_000))])
    await world.server.until(() => world.server.document(ID)?.messages.length === 2)
    await opencode.sync(share, item(3, "third"))
    await world.server.until(() => world.server.document(ID)?.messages.length === 3)
    expect(texts(world.server.document(ID)?.messages)).toEqual(["first", "x".repeat(1_000_000), "third"])
  })

  test("starts from nothing when nothing is stored yet", async () => {
    world.host.listable = false
    const opencode = world.start()
    const share = await opencode.created()
    expect(world.server.document(ID)?.messages).toEqual([])
    await opencode.sync(share, item(1, "hello"))
    await world.server.until(() => texts(world.server.document(ID)?.messages)?.[0] === "hello")
  })

  test("is read no further than the size last uploaded, also after a restart", async () => {
    const first = world.start()
    add(world.host, 2, "x".repeat(100_000))
    const share = await first.created()
    await first.share.dispose()
    world.host.listable = false
    const stored = () => JSON.stringify(world.server.document(ID))
    world.server.faults.get = [new Response(`${" ".repeat(100_000)}${stored()}`), new Response(stored())]
    const second = world.start()
    await second.sync(share, item(3, "third"))
    await world.host.told(/^The shared page is not up to date: .* does not answer like a Better Share server/)
    await world.server.until(() => world.server.document(ID)?.messages.length === 3)
    expect(world.server.count("get")).toBe(2)
  })

  test("is not overwritten with less while the stored document cannot be read", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    world.host.listable = false
    world.server.faults.get = [
      new Response("", { status: 503 }),
      new Response("", { status: 503 }),
      new Response("", { status: 503 }),
    ]
    await opencode.sync(share, item(2, "second"))
    await world.server.until(() => world.server.document(ID)?.messages.length === 2)
    expect(texts(world.server.document(ID)?.messages)).toEqual(["hello", "second"])
  })
})
