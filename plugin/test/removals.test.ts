import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { readdir, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { StateRecord } from "../src/state/records"
import { openStateFolder, StateFiles } from "../src/state/state-files"
import { message, SESSION } from "./support/fake-client"
import { World } from "./support/world"

let world: World
beforeEach(async () => {
  world = await World.create()
})
afterEach(() => world.close())

const broken = () =>
  Response.json({ error: "The database is unreachable.", code: "database_unavailable" }, { status: 503 })
const notes = () => new StateFiles(world.folder).readAll()

/** OpenCode ends while its server cannot be reached, with a share still to be removed. */
async function leaveForLater(): Promise<void> {
  const opencode = world.start({ timeouts: { backoff: [3_600_000] } })
  const share = await opencode.created()
  world.server.always.delete = broken
  await opencode.remove(share)
  await opencode.share.dispose()
  delete world.server.always.delete
}

describe("a share that cannot be removed now", () => {
  test("is remembered by this user alone, tried again, and the person is told the truth both times", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    world.server.always.delete = broken
    expect((await opencode.remove(share)).status).toBe(200)
    expect((await world.host.told(/^Not unshared yet: .*the link still works/)).variant).toBe("warning")
    for (const file of await readdir(world.folder))
      expect((await stat(join(world.folder, file))).mode & 0o777).toBe(0o600)
    expect((await notes()).map(({ kind }) => kind).sort()).toEqual(["removal", "secret", "share", "size"])
    delete world.server.always.delete
    await world.host.told(/is removed now/)
    expect(world.server.shares.size).toBe(0)
    expect(await notes()).toEqual([])
  })

  test("is removed after OpenCode was started again", async () => {
    await leaveForLater()
    expect(world.server.shares.size).toBe(1)
    void world.start().share.start()
    await world.host.told(/is removed now/)
    expect(world.server.shares.size).toBe(0)
  })

  test("is removed although other notes are damaged", async () => {
    await leaveForLater()
    await writeFile(join(world.folder, "removal-x.json"), "null")
    await writeFile(join(world.folder, "share-x.json"), '{"kind": "removal"}')
    await world.start().share.start()
    await world.host.told(/is removed now/)
    expect(world.server.shares.size).toBe(0)
  })

  test("is not held on to when the server no longer has it", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    world.server.shares.clear()
    expect((await opencode.remove(share)).status).toBe(200)
    await world.host.told(/^Unshared/)
    expect(await notes()).toEqual([])
  })

  test("does not keep OpenCode waiting when the server does not answer", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    world.server.always.delete = () => "hang"
    expect((await opencode.remove(share)).status).toBe(200)
    expect((await notes()).filter(({ kind }) => kind === "removal")).toMatchObject([{ share: { id: share.id } }])
  })

  test("stays OpenCode's when the server refuses for good", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    world.server.always.delete = () => Response.json({ error: "Wrong secret.", code: "wrong_secret" }, { status: 401 })
    expect((await opencode.remove(share)).status).toBe(500)
    await world.host.told(/^Not unshared, the link still works: .*does not accept the secret/)
    expect((await notes()).filter(({ kind }) => kind === "removal")).toEqual([])
    // Its page goes on with the session, which is what the person was told.
    world.host.transcripts.get(SESSION)?.messages.push(message(2, "more"))
    await opencode.sync(share)
    await world.server.until(() => world.server.document(share.id)?.messages.length === 2)
  })

  test("is said to follow no more, when the server refuses that too", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    const refusal = () => Response.json({ error: "Wrong secret.", code: "wrong_secret" }, { status: 401 })
    Object.assign(world.server.always, { delete: refusal, renew: refusal })
    expect((await opencode.remove(share)).status).toBe(500)
    await world.host.told(/^Not unshared, the link still works/)
    await world.host.told(/no longer follows this session: .*does not accept the secret/)
  })

  test("stays OpenCode's when it cannot be remembered either", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    world.server.always.delete = broken
    const blocked = await World.create(world.host)
    await blocked.close()
    await writeFile(blocked.folder, "a file where the folder should be")
    const elsewhere = blocked.start()
    expect((await elsewhere.remove(share)).status).toBe(500)
    await world.host.told(/^Not unshared, the link still works/)
    await blocked.close()
  })
})

describe("the memory", () => {
  const share = (n: number) => ({ id: `share${n}`, base: "https://share.example.com", secret: `s${n}` })

  test("loses nothing when two processes write at once", async () => {
    const [first, second] = [new StateFiles(world.folder), new StateFiles(world.folder)]
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => (n % 2 ? first : second).write({ kind: "removal", share: share(n) })),
    )
    expect(await first.readAll()).toHaveLength(40)
    const dropped = await Promise.all(
      [first, second].flatMap((stateFiles) =>
        Array.from({ length: 40 }, (_, n) => stateFiles.remove({ kind: "removal", share: share(n) })),
      ),
    )
    expect(dropped.filter(Boolean)).toHaveLength(40)
    expect(await readdir(world.folder)).toEqual([])
  })

  test("tells shares apart that differ only in case or server", async () => {
    const stateFiles = new StateFiles(world.folder)
    const shares = [
      { ...share(1), id: "abc" },
      { ...share(1), id: "ABC" },
      { ...share(1), id: "abc", base: "https://other.example" },
    ]
    for (const one of shares) await stateFiles.write({ kind: "removal", share: one })
    expect(await stateFiles.readAll()).toHaveLength(3)
  })

  test("passes over damaged files and a missing folder", async () => {
    const note: StateRecord = { kind: "unshared", sessionId: SESSION }
    await new StateFiles(world.folder).write(note)
    const share = '{"id": "1", "base": "https://share.example.com", "secret": "s"}'
    for (const [n, damaged] of [
      '{"kind": "remov',
      "null",
      "7",
      "[]",
      '{"kind": "removal"}',
      '{"kind": "removal", "share": null}',
      '{"kind": "removal", "share": {"id": "1", "base": "nowhere", "secret": "s"}}',
      '{"kind": "share", "id": "1", "base": "x", "url": "x", "sessionId": "x", "title": "x", "createdAt": "x"}',
      '{"kind": "secret", "share": {"id": "1"}}',
      '{"kind": "unshared"}',
      `{"kind": "organisation", "share": ${share}}`,
      '{"kind": "redacted", "id": "1", "base": "x", "secrets": ["x"]}',
      '{"kind": "redacted", "id": "1", "base": "x", "secrets": [["", "x"]]}',
      '{"kind": "toString"}',
      '{"kind": "later"}',
    ].entries())
      await writeFile(join(world.folder, `removal-${n}.json`), damaged)
    expect(await notes()).toEqual([note])
    expect(await new StateFiles(join(world.folder, "nowhere")).readAll()).toEqual([])
  })

  test("makes its folder for this user alone, where the system keeps state", async () => {
    const folder = join(world.folder, "deep", "down")
    await new StateFiles(folder).write({ kind: "unshared", sessionId: SESSION })
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    const env = { XDG_STATE_HOME: world.folder }
    expect(openStateFolder(env)).toBe(join(world.folder, "opencode-own-share"))
  })

  test("moves what a version with the old name left, which goes on working there", async () => {
    const env = { XDG_STATE_HOME: join(world.folder, "state") }
    const old = new StateFiles(join(env.XDG_STATE_HOME, "opencode-better-share"))
    await old.write({ kind: "unshared", sessionId: SESSION })
    const current = new StateFiles(openStateFolder(env))
    expect(await current.readAll()).toEqual([{ kind: "unshared", sessionId: SESSION }])
    await old.write({ kind: "unshared", sessionId: "ses_2" })
    await current.remove({ kind: "unshared", sessionId: SESSION })
    expect(await old.readAll()).toEqual(await current.readAll())
    expect(openStateFolder(env)).toBe(join(env.XDG_STATE_HOME, "opencode-own-share"))
    expect(await current.readAll()).toEqual([{ kind: "unshared", sessionId: "ses_2" }])
  })

  test("moves what an old process wrote while another one moved its folder", async () => {
    const env = { XDG_STATE_HOME: join(world.folder, "state") }
    const [old, name] = [new StateFiles(join(env.XDG_STATE_HOME, "opencode-better-share")), "opencode-own-share"]
    await new StateFiles(join(env.XDG_STATE_HOME, name)).write({ kind: "unshared", sessionId: "ses_1" })
    await old.write({ kind: "unshared", sessionId: "ses_2" })
    const records = await new StateFiles(openStateFolder(env)).readAll()
    expect(records.map((record) => record.kind === "unshared" && record.sessionId).sort()).toEqual(["ses_1", "ses_2"])
    expect(await old.readAll()).toHaveLength(2)
  })
})
