import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { StateFiles } from "../src/state/state-files"
import { FakeClient, message, SESSION, texts, transcript } from "./support/fake-client"
import { World } from "./support/world"

let world: World
const host = () => {
  const fake = new FakeClient(
    transcript(),
    transcript("old", "ses_old", { share: { url: "https://org.example/share/old" } }),
  )
  fake.organisation = true
  return fake
}
beforeEach(async () => {
  world = await World.create(host())
})
afterEach(() => world.close())

const LINK = { share: { url: "https://org.example/share/1" } }
const ID = SESSION.slice(-8)

async function started(fake = world.host) {
  const opencode = world.start({ host: fake })
  await opencode.share.start()
  const updated = (more: { share?: { url: string } } = {}, id = SESSION) => {
    const transcript = world.host.transcripts.get(id)
    const { share: _, ...session } = transcript?.session ?? { id }
    if (transcript) transcript.session = { ...session, ...more, id }
    return opencode.share.sessionChanged({ ...session, ...more, id })
  }
  return { ...opencode, share: opencode.share, updated }
}

describe("logged in to an organisation", () => {
  test("a link that appears publishes the session on our server, and says once that the organisation has it too", async () => {
    const { updated } = await started()
    await updated()
    expect(world.server.requests).toEqual([])
    await updated(LINK)
    expect(world.server.document(ID)).toMatchObject({ sessionId: SESSION })
    expect(world.host.toasts.filter(({ message }) => /org\.example has this session too/.test(message))).toHaveLength(1)
    await updated(LINK)
    expect(world.server.count("create")).toBe(1)
  })

  test("nothing is published that OpenCode shares by itself", async () => {
    const { share, updated } = await started()
    share.configure({ share: "auto" }, [], {})
    await updated()
    await updated(LINK)
    expect(world.server.requests).toEqual([])
  })

  test("the page follows, also after a restart, until the session is unshared", async () => {
    const first = await started()
    await first.updated(LINK)
    await first.share.dispose()
    const second = await started()
    world.host.transcripts.get(SESSION)?.messages.push(message(2, "more"))
    second.share.contentChanged(SESSION)
    await world.server.until(() => texts(world.server.document(ID)?.messages)?.length === 2)
    await second.updated(LINK)
    await second.updated()
    expect(world.server.shares.size).toBe(0)
    await world.host.told(/^Removed from /)
  })

  test("what was unshared is never published again, although OpenCode repeats the dead link", async () => {
    const first = await started()
    await first.updated(LINK)
    await first.updated()
    const before = world.server.requests.length
    await first.updated(LINK)
    first.share.contentChanged(SESSION)
    await first.share.dispose()
    const second = await started()
    await second.updated()
    await second.updated(LINK)
    await second.share.dispose()
    expect(world.server.requests).toHaveLength(before)
    expect(await new StateFiles(world.folder).readAll()).toEqual([{ kind: "unshared", sessionId: SESSION }])
  })

  test("a link that was there before, or belongs to a session never heard of, publishes nothing", async () => {
    const { updated } = await started()
    await updated({ share: { url: "https://org.example/share/old" } }, "ses_old")
    await updated({}, "ses_old")
    await updated({ share: { url: "https://org.example/share/old" } }, "ses_old")
    await updated(LINK, "ses_unknown")
    expect(world.server.requests).toEqual([])
  })

  test("unsharing while the upload is under way removes it all the same", async () => {
    const reading = Promise.withResolvers<void>()
    const { updated } = await started()
    world.host.whileReading = () => reading.promise
    const publishing = updated(LINK)
    await world.server.until(() => world.server.count("create") === 1)
    await updated()
    reading.resolve()
    await publishing
    expect(world.server.shares.size).toBe(0)
  })

  test("a session that was unshared while nobody was watching is removed at the next start", async () => {
    const first = await started()
    await first.updated(LINK)
    await first.share.dispose()
    const unwatched = world.host.transcripts.get(SESSION)
    if (unwatched) unwatched.session = { id: SESSION }
    await started()
    expect(world.server.shares.size).toBe(0)
  })

  test("a deleted session is removed from our server", async () => {
    const { updated, share } = await started()
    await updated(LINK)
    await share.sessionDeleted(SESSION)
    expect(world.server.shares.size).toBe(0)
  })

  test("a failure is told, with the organisation's part in it", async () => {
    world.server.always.create = () => Response.json({ error: "No.", code: "x" }, { status: 400 })
    const { updated } = await started()
    await updated(LINK)
    await world.host.told(/^Not shared on your server: .*org\.example has this session too/)
  })
})

test("without an organisation links in sessions mean nothing: OpenCode asks the bridge", async () => {
  world.host.organisation = false
  const { updated, share } = await started()
  await updated()
  await updated(LINK)
  await updated()
  await share.sessionDeleted(SESSION)
  expect(world.server.requests).toEqual([])
  expect(await new StateFiles(world.folder).readAll()).toEqual([])
})
