import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { gunzipSync } from "node:zlib"
import type { SyncItem } from "../src/opencode/client"
import type { NativeShare } from "../src/sharing/bridge"
import { message, SESSION, texts, transcript } from "./support/fake-client"
import { type OpenCode, World } from "./support/world"

const ID = SESSION.slice(-8)
const CHILD = "ses_child"

let world: World
beforeEach(async () => {
  world = await World.create()
  world.server.commits = true
})
afterEach(() => world.close())

/** A shared session of three messages. */
async function shared(): Promise<{ opencode: OpenCode; share: NativeShare }> {
  put(2, "the second")
  put(3, "the third")
  const opencode = world.start()
  return { opencode, share: await opencode.created() }
}

function put(number: number, text: string): SyncItem[] {
  const messages = world.host.transcripts.get(SESSION)?.messages ?? []
  const made = message(number, text)
  messages[number - 1] = made
  return [
    { type: "message", data: made.info },
    ...(made.parts as unknown[]).map((part) => ({ type: "part", data: part })),
  ]
}

const revision = (): number => world.server.shares.get(ID)?.revision ?? 0
const until = (number: number): Promise<unknown> => world.server.until(() => revision() >= number || undefined)
const stored = (): unknown => texts(world.server.document(ID)?.messages)

/** What was uploaded since the first document: lists of items. */
const uploads = (): { type: string; data: { info?: { id: string } } }[][] =>
  world.server.requests
    .filter(({ kind }) => kind === "upload")
    .map(({ body }) => JSON.parse(gunzipSync(body).toString()))
    .slice(1)

describe("a share on a server that takes changes", () => {
  test("uploads only the messages that changed, with one request to the API for each upload", async () => {
    const { opencode, share } = await shared()
    expect(revision()).toBe(1)
    await opencode.sync(share, put(2, "changed"))
    await until(2)
    const before = world.server.count("renew")
    await opencode.sync(share, put(4, "new"))
    await until(3)
    expect(stored()).toEqual(["hello", "changed", "the third", "new"])
    expect(uploads().map((items) => items.map(({ type, data }) => [type, data.info?.id]))).toEqual([
      [["put_message", "msg_2"]],
      [["put_message", "msg_4"]],
    ])
    expect(world.server.count("renew")).toBe(before)
  })

  test("waits no longer the larger the session is", async () => {
    put(2, "x".repeat(6_000_000))
    const sizes = new Set<number>()
    const opencode = world.start({ timeouts: { firstUpload: 10_000, debounce: (bytes) => (sizes.add(bytes), 5) } })
    const share = await opencode.created()
    await opencode.sync(share, put(3, "more"))
    await until(2)
    await opencode.sync(share, put(4, "and more"))
    await until(3)
    expect([...sizes]).toEqual([0])
  })

  test("uploads nothing if nothing is different", async () => {
    const { opencode, share } = await shared()
    await opencode.sync(share, put(2, "the second"))
    await opencode.sync(share, put(3, "different"))
    await until(2)
    expect(uploads()).toHaveLength(1)
  })

  test("removes messages that OpenCode removed, which it does not sync", async () => {
    const { opencode } = await shared()
    world.host.transcripts.get(SESSION)?.messages.splice(1, 1)
    opencode.share.contentChanged(SESSION, "msg_2", true)
    await until(2)
    expect(stored()).toEqual(["hello", "the third"])
  })

  test("follows the title, and the list of shares with it", async () => {
    const { opencode, share } = await shared()
    const { session } = world.host.transcripts.get(SESSION) ?? transcript()
    session.title = "Another title"
    await opencode.sync(share, [{ type: "session", data: session }])
    await until(2)
    expect(world.server.document(ID)?.session.title).toBe("Another title")
    expect(uploads()).toEqual([[{ type: "session", data: expect.objectContaining({ title: "Another title" }) }]])
  })

  test("uploads the session of a sub-agent that goes on", async () => {
    const { opencode } = await shared()
    world.host.transcripts.set(CHILD, transcript("of the sub-agent", CHILD, { parentID: SESSION }))
    await opencode.share.sessionChanged({ id: CHILD, parentID: SESSION })
    await until(2)
    world.host.transcripts.get(CHILD)?.messages.push(message(9, "more", CHILD))
    opencode.share.contentChanged(CHILD, "msg_9")
    await until(3)
    const [child] = world.server.document(ID)?.children ?? []
    expect(texts(child?.messages)).toEqual(["of the sub-agent", "more"])
    expect(uploads().map((items) => items.map(({ type }) => type))).toEqual([["put_child"], ["put_child_message"]])
  })

  test("follows what is edited, removed and renamed in the session of a sub-agent, and reads nothing else of it", async () => {
    const child = transcript("one", CHILD, { parentID: SESSION })
    child.messages.push(message(2, "two", CHILD), message(3, "three", CHILD))
    world.host.transcripts.set(CHILD, child)
    const { opencode } = await shared()
    const listed: string[] = []
    world.host.whileReading = () => void listed.push("all messages")
    child.messages.splice(1, 2, message(3, "three, edited", CHILD))
    child.session = { ...child.session, title: "Another title" }
    opencode.share.contentChanged(CHILD, "msg_2", true)
    opencode.share.contentChanged(CHILD, "msg_3")
    await until(2)
    const [stored] = world.server.document(ID)?.children ?? []
    expect(stored).toEqual(child)
    expect(uploads().map((items) => items.map(({ type }) => type))).toEqual([
      ["put_child_session", "delete_child_message", "put_child_message"],
    ])
    expect(listed).toEqual([])
  })

  test("compares all of a sub-agent's session after an event that names no message", async () => {
    const child = transcript("one", CHILD, { parentID: SESSION })
    child.messages.push(message(2, "two", CHILD))
    world.host.transcripts.set(CHILD, child)
    const { opencode } = await shared()
    child.messages.splice(0, 1)
    opencode.share.contentChanged(CHILD)
    await until(2)
    expect(world.server.document(ID)?.children).toEqual([child])
    expect(uploads()[0]?.map(({ type }) => type)).toEqual(["delete_child_message"])
  })

  test("uploads sub-agents' sessions whole where the server takes no messages of them", async () => {
    world.server.childItems = false
    world.host.transcripts.set(CHILD, transcript("one", CHILD, { parentID: SESSION }))
    const { opencode } = await shared()
    world.host.transcripts.get(CHILD)?.messages.push(message(9, "more", CHILD))
    opencode.share.contentChanged(CHILD, "msg_9")
    await until(2)
    expect(texts(world.server.document(ID)?.children?.[0]?.messages)).toEqual(["one", "more"])
    expect(uploads()[0]?.map(({ type }) => type)).toEqual(["put_child"])
  })

  test("uploads everything when the server was changed back to one that ignores messages of sub-agents", async () => {
    world.host.transcripts.set(CHILD, transcript("one", CHILD, { parentID: SESSION }))
    const { opencode } = await shared()
    world.server.childItems = false
    world.host.transcripts.get(CHILD)?.messages.push(message(9, "more", CHILD))
    opencode.share.contentChanged(CHILD, "msg_9")
    await until(3)
    expect(texts(world.server.document(ID)?.children?.[0]?.messages)).toEqual(["one", "more"])
  })

  test("uploads everything after another process has changed the share", async () => {
    const { opencode, share } = await shared()
    const entry = world.server.shares.get(ID)
    if (entry) entry.revision = 7
    await opencode.sync(share, put(4, "mine"))
    await until(8)
    expect(stored()).toEqual(["hello", "the second", "the third", "mine"])
    await opencode.sync(share, put(5, "next"))
    await until(9)
    expect(uploads().at(-1)).toHaveLength(1)
  })

  test("takes a commit whose answer was lost for one of another process, and doubles nothing", async () => {
    const { opencode, share } = await shared()
    world.server.faults.commit = ["drop"]
    await opencode.sync(share, put(4, "once"))
    await until(3)
    expect(stored()).toEqual(["hello", "the second", "the third", "once"])
  })

  test("keeps what it could not upload, and uploads it later", async () => {
    const { opencode, share } = await shared()
    const down = () => new Response("down", { status: 503 })
    world.server.always.upload = down
    await opencode.sync(share, put(4, "while down"))
    await world.host.told(/not up to date/)
    delete world.server.always.upload
    await until(2)
    expect(stored()).toEqual(["hello", "the second", "the third", "while down"])
  })

  test("goes back over everything when it learns a secret that was not known before", async () => {
    const { opencode, share } = await shared()
    await opencode.sync(share, put(4, "the word is Wk9zU3FtN2Rqc2VhN3Y"))
    await until(2)
    await opencode.sync(share, put(5, "export DB_PASSWORD=Wk9zU3FtN2Rqc2VhN3Y"))
    await until(3)
    expect(JSON.stringify(world.server.document(ID))).not.toContain("Wk9zU3FtN2Rqc2VhN3Y")
    expect(stored()).toContain("the word is [redacted:password]")
  })

  test("uploads everything where OpenCode does not hand out the message", async () => {
    const { opencode, share } = await shared()
    world.host.message = async () => undefined
    await opencode.sync(share, put(4, "not by itself"))
    await until(2)
    expect(stored()).toEqual(["hello", "the second", "the third", "not by itself"])
  })

  test("reads the session again when another process was faster, and covers nothing that is newer", async () => {
    const { opencode, share } = await shared()
    let isFirst = true
    world.host.message = async () => undefined
    world.host.whileReading = () => {
      if (!isFirst) return
      isFirst = false
      // Another process commits, after this one began to read.
      const entry = world.server.shares.get(ID)
      if (entry) entry.revision = 5
      put(5, "by the other process")
    }
    await opencode.sync(share, put(4, "mine"))
    await until(6)
    expect(stored()).toEqual(["hello", "the second", "the third", "mine", "by the other process"])
  })

  test("uploads everything where the changes are refused", async () => {
    const { opencode, share } = await shared()
    world.server.faults.commit = [Response.json({ error: "too odd", code: "unreadable_document" }, { status: 422 })]
    await opencode.sync(share, put(4, "odd"))
    await until(2)
    expect(stored()).toEqual(["hello", "the second", "the third", "odd"])
  })

  test("uploads everything after an event that names no message, also if it comes during an upload", async () => {
    const { opencode, share } = await shared()
    const { message: read } = world.host
    world.host.message = async (...about) => {
      world.host.message = read
      put(1, "changed, which no event names")
      opencode.share.contentChanged(SESSION)
      return await read.apply(world.host, about)
    }
    await opencode.sync(share, put(4, "named"))
    await until(2)
    await opencode.sync(share, put(5, "named as well"))
    await until(3)
    expect(stored()).toEqual(["changed, which no event names", "the second", "the third", "named", "named as well"])
  })

  test("reads nothing again when OpenCode has synced all of a large session", async () => {
    const { opencode, share } = await shared()
    const read: string[] = []
    const { message: hand } = world.host
    world.host.message = (session, id) => (read.push(id), hand.call(world.host, session, id))
    await opencode.sync(share, [...put(2, "the second"), ...put(3, "x".repeat(1_000_000))])
    opencode.share.contentChanged(SESSION, "msg_3")
    await opencode.sync(share, put(4, "new"))
    await until(2)
    await opencode.share.dispose()
    expect(read).not.toContain("msg_2")
    expect(stored()).toEqual(["hello", "the second", "x".repeat(1_000_000), "new"])
  })

  test("removes the session of a sub-agent that was deleted", async () => {
    world.host.transcripts.set(CHILD, transcript("of the sub-agent", CHILD, { parentID: SESSION }))
    const { opencode } = await shared()
    expect(world.server.document(ID)?.children).toHaveLength(1)
    world.host.transcripts.delete(CHILD)
    await opencode.share.sessionDeleted(CHILD)
    await until(2)
    expect(world.server.document(ID)?.children).toBeUndefined()
  })

  test("begins with everything after a restart", async () => {
    const { opencode, share } = await shared()
    await opencode.share.dispose()
    put(1, "changed meanwhile")
    const second = world.start()
    await second.sync(share, put(4, "after the restart"))
    await until(2)
    expect(stored()).toEqual(["changed meanwhile", "the second", "the third", "after the restart"])
  })
})

test("a server that takes no changes gets whole documents", async () => {
  world.server.commits = false
  const { opencode, share } = await shared()
  await opencode.sync(share, put(4, "whole"))
  await world.server.until(() => world.server.document(ID)?.messages.length === 4 || undefined)
  expect(world.server.count("commit")).toBe(0)
})

test("a server that was replaced by an older one gets whole documents from then on", async () => {
  const { opencode, share } = await shared()
  world.server.commits = false
  await opencode.sync(share, put(4, "whole"))
  await world.server.until(() => world.server.document(ID)?.messages.length === 4 || undefined)
  await opencode.sync(share, put(5, "again"))
  await world.server.until(() => world.server.document(ID)?.messages.length === 5 || undefined)
})
