import { Database } from "bun:sqlite"
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { mkdir, rm, stat, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { dataPlace, storageOf } from "../src/opencode/storage/open-storage"
import { ShareSeal } from "../src/state/share-seal"
import { CommandLine } from "./support/command-line"
import { RELEASES, recordedStorage, storedSessions } from "./support/stored-sessions"
import { World } from "./support/world"

let world: World
let cli: CommandLine
let data: string
beforeEach(async () => {
  world = await World.create()
  cli = await CommandLine.create(world.folder)
})
afterEach(async () => {
  await world.close()
  await cli[Symbol.asyncDispose]()
  await rm(data, { recursive: true })
})

const run = (...args: string[]) =>
  cli.run(args, { runtime: process.execPath, env: { BETTER_SHARE_BASE_URL: world.server.base, XDG_DATA_HOME: data } })

/** Has an OpenCode of a release in which a session is shared by the plugin; returns the id of the session, and the link. */
async function shared(release: string): Promise<{ id: string; link: string }> {
  const recording = recordedStorage(release)
  data = await storedSessions(recording)
  const [, id = ""] = Object.keys(recording.sessions)
  const link = (await run("share", id)).out.trim()
  await storeSecret(id, (share) => new ShareSeal(world.folder).seal(share))
  return { id, link }
}

/** Stores what the plugin hands to OpenCode as the secret of the share. */
async function storeSecret(
  sessionId: string,
  secretOf: (share: { id: string; base: string; secret: string }) => string,
): Promise<void> {
  const id = sessionId.slice(-8)
  const secret = secretOf({ id, base: world.server.base, secret: world.server.shares.get(id)?.secret ?? "" })
  const path = join(data, "opencode", "storage", "session_share", `${sessionId}.json`)
  if (existsSync(path)) await writeFile(path, JSON.stringify({ id, secret, url: `${world.server.base}/share/${id}` }))
  else {
    using database = new Database(join(data, "opencode", "opencode.db"))
    database.run("UPDATE session_share SET secret = ?", [secret])
  }
}

const stored = async (id: string) => {
  const storage = await storageOf(id, dataPlace({ XDG_DATA_HOME: data }, ""))
  const found = { share: (await storage.session(id)).share, shares: await storage.shares() }
  storage.close()
  return found
}

const copyIn = (out: string): string => (JSON.parse(out) as { edited: { copy: string }[] }).edited[0]?.copy ?? ""

describe("uninstall", () => {
  test.each(RELEASES)("removes the links, and OpenCode %s forgets them", async (release) => {
    const { id, link } = await shared(release)
    expect((await stored(id)).shares).toHaveLength(1)
    const { out, err, code } = await run("uninstall")
    expect(code).toBe(0)
    expect(err).toMatch(/: 1 session unshared\. A copy from before is .*\.before-\d{8}T\d{6}\.\n$/)
    expect(out).toStartWith(`Removed: ${link}\n1. Remove the line of the plugin from `)
    expect(await stored(id)).toEqual({ share: undefined, shares: [] })
    expect(world.server.shares.size).toBe(0)
    const { title } = (await (await storageOf(id, dataPlace({ XDG_DATA_HOME: data }, ""))).session(id)) ?? {}
    expect(title).toBe("A scripted session")
  })

  test("keeps a copy for its owner alone", async () => {
    const { id } = await shared("1.18.33")
    const copy = copyIn((await run("uninstall", "--json")).out)
    expect((await stat(copy)).mode & 0o777).toBe(0o600)
    using database = new Database(copy)
    expect(database.query("SELECT session_id FROM session_share").all()).toEqual([{ session_id: id }])
  })

  test("keeps the links that are to be kept", async () => {
    const { id, link } = await shared("1.18.33")
    const { out, code } = await run("uninstall", "--keep-links")
    expect(code).toBe(0)
    expect(out).toContain(
      `3. Keep ${join(cli.folder, "opencode-own-share")}: it has what it takes to remove the links.`,
    )
    expect(await stored(id)).toEqual({ share: undefined, shares: [] })
    expect((await run("remove", link)).code).toBe(0)
  })

  test("removes a link that only OpenCode knows", async () => {
    const { id } = await shared("1.18.33")
    await Bun.$`rm ${world.folder}/share-*.json ${world.folder}/secret-*.json`.quiet()
    expect((await run("list")).out).toBe("")
    expect((await run("uninstall")).code).toBe(0)
    expect(world.server.shares.size).toBe(0)
    expect((await stored(id)).shares).toEqual([])
  })

  test("leaves sessions as they are that were shared without the plugin", async () => {
    const { id } = await shared("1.18.33")
    await storeSecret(id, ({ secret }) => secret)
    expect((await run("uninstall", "--keep-links", "--json")).out).toContain('"edited": []')
    expect((await stored(id)).shares).toHaveLength(1)
  })

  test("says which link stays because its key is gone", async () => {
    const { id } = await shared("1.18.33")
    await rm(join(world.folder, "key"))
    const { err, code } = await run("uninstall", "--keep-links")
    expect(code).toBe(0)
    expect(err).toContain("stays: it was shared with a state folder that is not here.")
    expect((await stored(id)).shares).toEqual([])
  })

  test("changes nothing while OpenCode runs", async () => {
    const { id } = await shared("1.18.33")
    using running = new Database(join(data, "opencode", "opencode.db"))
    running.query("SELECT * FROM session").all()
    const { out, err, code } = await run("uninstall")
    expect(code).toBe(1)
    expect(err).toMatch(/^OpenCode is running \(.*opencode\.db is in use\): close it, and try again\.\n$/)
    expect(out).toStartWith('1. Leave all lines of the configuration as they are: without "enterprise", OpenCode ')
    expect((await stored(id)).shares).toHaveLength(1)
    expect(world.server.shares.size).toBe(1)
  }, 30_000)

  test("changes nothing in a database of another form", async () => {
    const { id } = await shared("1.18.33")
    const path = join(data, "opencode", "opencode.db")
    using database = new Database(path)
    database.run("ALTER TABLE session_share RENAME COLUMN secret TO key")
    database.close()
    expect(await run("uninstall")).toMatchObject({ code: 1, err: expect.stringContaining("does not know") })
    using unchanged = new Database(path)
    expect(unchanged.query("SELECT session_id FROM session_share").all()).toEqual([{ session_id: id }])
  })

  test("says which links still work, and names the lines to remove in their order", async () => {
    await shared("1.1.65")
    world.server.always.delete = () => new Response("no", { status: 503 })
    const folder = join(cli.home, ".config", "opencode")
    await mkdir(folder, { recursive: true })
    const plugin = ["opencode-own-share@https://share.example.com/plugin.tgz"]
    await writeFile(
      join(folder, "opencode.json"),
      JSON.stringify({ plugin, enterprise: { url: "http://127.0.0.1:9" } }),
    )
    await writeFile(join(folder, "tui.json"), JSON.stringify({ plugin }))
    const { out, err, code } = await run("uninstall")
    expect(code).toBe(1)
    expect(err).toContain("Not removed, the link still works: ")
    expect(out.split("\n")).toEqual([
      "1. Run this command again: links still work, and nothing tries later without the plugin.",
      `2. Remove the line of the plugin from ${folder}/opencode.json and ${folder}/tui.json.`,
      `3. Then remove "enterprise" from ${folder}/opencode.json. /share goes to OpenCode's vendor from then on.`,
      `4. Keep ${join(cli.folder, "opencode-own-share")}: it has what it takes to remove the links.`,
      "",
    ])
  })

  test("does nothing where nothing was shared", async () => {
    data = await storedSessions({ sessions: {} })
    await mkdir(dirname(data), { recursive: true })
    expect(await run("uninstall")).toMatchObject({ code: 0, err: "" })
  })
})
