import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import type { NativeShare } from "../src/sharing/bridge"
import { CommandLine } from "./support/command-line"
import { FakeClient, SESSION, transcript } from "./support/fake-client"
import { FakeServer } from "./support/fake-server"
import { World } from "./support/world"

const OTHER = "ses_dfdcb1c80ffeesxOqc7NSn0000"

let world: World
let cli: CommandLine
beforeEach(async () => {
  world = await World.create(
    new FakeClient(
      transcript("hello", SESSION, { title: "Greet everybody" }),
      transcript("hi", OTHER, { title: "Another" }),
    ),
  )
  cli = await CommandLine.create(world.folder)
})
afterEach(async () => {
  await world.close()
  await cli[Symbol.asyncDispose]()
})

const run = (...args: string[]) => cli.run(args)

describe("one's own shares", () => {
  test("are listed, and removed without their sessions", async () => {
    const opencode = world.start()
    const first = await opencode.created()
    const second = await opencode.created(OTHER)
    await world.server.until(() => world.server.count("upload", 200) === 2)
    await opencode.share.dispose()

    const listed = await run("list")
    expect(listed).toMatchObject({ code: 0, err: "" })
    expect(listed.out.split("\n")).toEqual([
      `2023-11-14  ${second.url}  Another`,
      `2023-11-14  ${first.url}  Greet everybody`,
      "",
    ])

    expect(await run("remove", first.url)).toEqual({ code: 0, out: `Removed: ${first.url}\n`, err: "" })
    expect([...world.server.shares.keys()]).toEqual([second.id])
    expect((await run("remove", first.url)).code).toBe(1)
    expect((await run("remove", "--all")).out).toBe(`Removed: ${second.url}\n`)
    expect(world.server.shares.size).toBe(0)
    expect(await run("list")).toMatchObject({ out: "", err: "No shares are known on this machine.\n", code: 0 })
  })

  test("are listed on a line each, whatever their titles are", async () => {
    Object.assign(world.host.transcripts.get(SESSION)?.session ?? {}, {
      title: "\u001b]0;owned\u0007\u009b2J\u202e\n2023-11-14  https://evil.example/  forged",
    })
    const share = await world.start().created()
    expect((await run("list")).out).toBe(
      `2023-11-14  ${share.url}  \\x1b]0;owned\\x07\\x9b2J\\u202e\\n2023-11-14  https://evil.example/  forged\n`,
    )
    expect((await run("remove", "\u001b[2J")).err).toBe("No share \\x1b[2J is known on this machine: see `list`.\n")
  })

  test("are listed by the link that the server gave, also after a restart", async () => {
    world.server.name = "https://share.example.com/team"
    const first = world.start()
    const share = await first.created()
    expect(share.url).toBe(`https://share.example.com/team/share/${share.id}`)
    await first.share.dispose()
    Object.assign(world.host.transcripts.get(SESSION)?.session ?? {}, { title: "A better title" })
    const second = world.start()
    await second.sync(share)
    await world.server.until(() => world.server.count("upload", 200) === 2)
    await second.share.dispose()
    expect((await run("list")).out).toBe(`2023-11-14  ${share.url}  A better title\n`)
  })

  test.each([
    ["their link", ({ url }: NativeShare) => url],
    ["their link on the server's other name", ({ id }: NativeShare) => `${world.server.base}/share/${id}`],
    ["a permalink", ({ url }: NativeShare) => `${url}/m/msg_1#prt_1`],
    ["a page", ({ url }: NativeShare) => `${url}?page=2&theme=nord`],
    ["their Markdown", ({ url }: NativeShare) => `${url}.md`],
    ["their id", ({ id }: NativeShare) => id],
  ])("are removed by %s", async (_, name) => {
    world.server.name = "https://share.example.com"
    const opencode = world.start()
    const share = await opencode.created()
    await opencode.created(OTHER)
    expect(await run("remove", name(share))).toEqual({ code: 0, out: `Removed: ${share.url}\n`, err: "" })
    expect([...world.server.shares.keys()]).toEqual([OTHER.slice(-8)])
  })

  test("are not removed by an id that they have on two servers, but by the link of one", async () => {
    await using stack = new AsyncDisposableStack()
    const moved = stack.adopt(new FakeServer(), (server) => server.stop())
    const before = await world.start().created()
    const after = await world
      .start({ settings: { base: moved.base, token: undefined, chosenBy: "user", uploadHosts: [] } })
      .created()
    expect(after.id).toBe(before.id)

    const { code, out, err } = await run("remove", before.id)
    expect({ code, out }).toEqual({ code: 1, out: "" })
    expect(err).toStartWith("Nothing was removed: ")
    expect(err.trim().split("\n").slice(1).sort()).toEqual([before.url, after.url].sort())
    expect([world.server.shares.size, moved.shares.size]).toEqual([1, 1])

    expect(await run("remove", before.url)).toEqual({ code: 0, out: `Removed: ${before.url}\n`, err: "" })
    expect(await run("remove", after.id)).toEqual({ code: 0, out: `Removed: ${after.url}\n`, err: "" })
    expect([world.server.shares.size, moved.shares.size]).toEqual([0, 0])
  })

  test("are not removed by what only looks alike", async () => {
    const { id, url } = await world.start().created()
    for (const wrong of [
      `https://other.example.com/share/${id}`,
      url.slice(0, -1),
      `${url}x`,
      id.slice(1),
      world.server.base,
    ])
      expect((await run("remove", wrong)).code).toBe(1)
    expect(world.server.shares.size).toBe(1)
  })

  test("keep their secrets apart, and all of it is for their owner alone", async () => {
    const share = await world.start().created()
    const { secret } = world.server.shares.get(share.id) ?? { secret: "" }
    const files = await readdir(world.folder)
    expect(files).toHaveLength(4)
    for (const file of files) {
      expect((await stat(join(world.folder, file))).mode & 0o777).toBe(0o600)
      expect((await readFile(join(world.folder, file), "utf8")).includes(secret)).toBe(file.startsWith("secret-"))
    }
    expect((await run("list")).out).not.toContain(secret)
  })

  test("that cannot be removed stay listed, and the reason is said", async () => {
    const share = await world.start().created()
    world.server.always.delete = () => Response.json({ error: "Wrong secret.", code: "wrong_secret" }, { status: 401 })
    const refused = await run("remove", share.id)
    expect(refused).toMatchObject({ code: 1, out: "" })
    expect(refused.err).toMatch(/^Not removed, the link still works: .*does not accept the secret/)
    expect((await run("list")).out).toContain(share.url)
  })

  test("that cannot be removed now are removed when OpenCode starts again", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    await opencode.share.dispose()
    world.server.always.delete = () =>
      Response.json({ error: "The database is unreachable.", code: "database_unavailable" }, { status: 503 })
    const failed = await run("remove", share.url)
    expect(failed).toMatchObject({ code: 1, out: "" })
    expect(failed.err).toMatch(
      /^Not removed, the link still works: .*has a problem \(status 503\)\. OpenCode tries again when it starts\.$/m,
    )
    delete world.server.always.delete
    await world.start().share.start()
    await world.host.told(/is removed now/)
    expect(world.server.shares.size).toBe(0)
    expect(await readdir(world.folder)).toEqual(["key"])
  })

  test("are struck off when the session is unshared, and their titles follow it", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    Object.assign(world.host.transcripts.get(SESSION)?.session ?? {}, { title: "A better title" })
    await opencode.sync(share)
    await world.server.until(() => world.server.document(share.id)?.session.title === "A better title")
    await opencode.share.dispose()
    expect((await run("list")).out).toContain("A better title")
    await world.start().remove(share)
    expect(await readdir(world.folder)).toEqual(["key"])
  })

  test("wrong words are answered with the right ones", async () => {
    for (const words of [[], ["lst"], ["remove"], ["list", "more"], ["remove", "a", "b"]]) {
      const { code, out, err } = await run(...words)
      expect({ code, out }).toEqual({ code: 2, out: "" })
      expect(err).toStartWith("Usage:")
    }
  })
})

describe("what would be removed from a text", () => {
  const token = `ghp_${"Aq7Zk2Wm9Xc4Vb6Nr8Ty".repeat(2).slice(0, 36)}`

  test("is listed with its line and the rules that found it, and not shown", async () => {
    const file = join(cli.folder, "notes.txt")
    await Bun.write(file, `first line\nTOKEN=${token}\n`)
    const { out, err, code } = await run("redact", "--explain", file)
    expect({ err, code }).toEqual({ err: "", code: 0 })
    expect(out).toBe(
      "     2     40 characters  github-token              GitHub token, Token with any prefix, Value of a secret name\n",
    )
  })

  test("includes the user's own formats", async () => {
    const formats = [{ name: "ACME token", prefix: ["acme_"], alphabet: "A-Za-z0-9", length: 8 }]
    const [file, list] = [join(cli.folder, "notes.txt"), join(cli.folder, "formats.json")]
    await Bun.write(file, "acme_Zk2Wm9Xc\n")
    await Bun.write(list, JSON.stringify(formats))
    expect((await run("redact", "--explain", file)).out).toBe("")
    expect((await run("redact", "--explain", file, "--formats", list)).out).toContain("acme-token")
    expect(await run("redact", "--explain", file, "--formats", file)).toMatchObject({ out: "", code: 1 })
    expect((await run("redact", "--explain", file, "--format", list)).code).toBe(2)
  })

  test("is nothing where there is no file", async () => {
    const missing = join(cli.folder, "missing.txt")
    expect(await run("redact", "--explain", missing)).toEqual({ out: "", err: `${missing} cannot be read.\n`, code: 1 })
  })
})

describe("a server that only a project names", () => {
  const settings = () => ({ base: world.server.base, token: undefined, chosenBy: "project", uploadHosts: [] }) as const

  test("is used after the user allowed it, until that is taken back", async () => {
    const opencode = world.start({ settings: settings() })
    const refused = await opencode.create()
    expect(refused.status).toBe(500)
    expect(((await refused.json()) as { error: string }).error).toContain(`allow ${world.server.base}"`)
    expect(world.server.requests).toEqual([])

    expect(await run("allow", `${world.server.base}/`)).toMatchObject({
      code: 0,
      out: `Projects may share on ${world.server.base}.\n`,
    })
    expect((await opencode.create()).status).toBe(200)
    expect((await run("allow", world.server.base, "--undo")).code).toBe(0)
    expect((await opencode.create(OTHER)).status).toBe(500)
  })

  test("is used where the environment lists it", async () => {
    const env = { BETTER_SHARE_ALLOWED_SERVERS: `https://share.example.com, ${world.server.base}/` }
    expect((await world.start({ settings: settings(), machine: { env, home: "" } }).create()).status).toBe(200)
  })

  test("is not allowed by an address that is none", async () => {
    expect(await run("allow", "share.example.com")).toMatchObject({ code: 2, out: "" })
    expect(await run("allow", world.server.base, "--undone")).toMatchObject({ code: 2, out: "" })
  })

  test("gets no token", async () => {
    world.server.token = "secret-token"
    const env = { BETTER_SHARE_ALLOWED_SERVERS: world.server.base }
    await world.start({ settings: settings(), machine: { env, home: "" } }).create()
    await world.host.told(/asks for a token: set BETTER_SHARE_TOKEN, and BETTER_SHARE_BASE_URL/)
  })
})
