import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { CommandLine } from "./support/command-line"
import { World } from "./support/world"

let world: World
let cli: CommandLine
beforeEach(async () => {
  world = await World.create()
  cli = await CommandLine.create(world.folder)
})
afterEach(async () => {
  await world.close()
  await cli[Symbol.asyncDispose]()
})

interface Result {
  ok: boolean
  checks: { name: string; state: string; detail: string }[]
}

/** What doctor says in JSON, with the details by name. */
async function examined(env: Record<string, string | undefined> = {}) {
  const { out, err, code } = await cli.run(["doctor", "--json"], {
    env: { BETTER_SHARE_BASE_URL: world.server.base, ...env },
  })
  expect(err).toBe("")
  const { ok, checks } = JSON.parse(out) as Result
  expect(code).toBe(ok ? 0 : 1)
  const states = (state: string) => checks.filter((check) => check.state === state).map(({ name }) => name)
  return {
    failed: states("failed"),
    skipped: states("skipped"),
    of: (name: string) => checks.find((check) => check.name === name)?.detail,
  }
}

describe("doctor", () => {
  test("says that all is well, and leaves nothing behind", async () => {
    const { out, code } = await cli.run(["doctor"], { env: { BETTER_SHARE_BASE_URL: world.server.base } })
    expect(code).toBe(0)
    expect(out.split("\n").map((line) => line.slice(0, 20).trim())).toEqual([
      "ok       address",
      "ok       redaction",
      "ok       plugin",
      "ok       proxy",
      "ok       connection",
      "ok       clock",
      "ok       token",
      "ok       version",
      "ok       share",
      "ok       removal",
      "",
    ])
    expect(world.server.count("upload", 200)).toBe(1)
    expect(world.server.shares.size).toBe(0)
    expect((await cli.run(["list"])).out).toBe("")
  })

  test("says that no server is named", async () => {
    const { failed, skipped, of } = await examined({ BETTER_SHARE_BASE_URL: undefined })
    expect(failed).toEqual(["address"])
    expect(skipped).toHaveLength(9)
    expect(of("address")).toContain("Set BETTER_SHARE_BASE_URL")
  })

  test("says whether OpenCode follows what is shared", async () => {
    expect((await examined()).of("plugin")).toEndWith("nothing is shared")
    await world.start().created()
    expect((await examined()).of("plugin")).toContain('your 1 shared session is updated by "update" alone')
    const file = join(cli.home, ".config", "opencode", "opencode.json")
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, JSON.stringify({ plugin: ["opencode-own-share@https://share.example.com/plugin.tgz"] }))
    expect((await examined()).of("plugin")).toBe(`listed in ${file}`)
  })

  test("says that redaction is off, and all else is well", async () => {
    const file = join(cli.home, ".config", "opencode", "better-share.json")
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, JSON.stringify({ redact: false }))
    const { failed, skipped, of } = await examined()
    expect({ failed, skipped }).toEqual({ failed: ["redaction"], skipped: [] })
    expect(of("redaction")).toContain('Remove "redact": false')
  })

  test.each([
    [
      "redirects",
      () => new Response(null, { status: 301, headers: { location: "https://share.example.com/x" } }),
      /redirects to https:\/\/share.example.com, which is not followed/,
    ],
    ["is something else", () => new Response("<h1>Welcome</h1>"), /does not answer like a Better Share server/],
    ["has a problem", () => new Response("", { status: 503 }), /has a problem \(status 503\)\. Tell who runs it\./],
  ])("says that the server %s", async (_, answer, sentence) => {
    world.server.always.health = answer
    const { failed, of } = await examined()
    expect(failed).toEqual(["connection"])
    expect(of("connection")).toMatch(sentence)
    expect(world.server.count("create")).toBe(0)
  })

  test.each([
    [-600_000, /is 10 minutes ahead of that of 127/],
    [3_600_000, /is 60 minutes behind that of 127/],
  ])("says that the clocks differ by %d ms", async (difference, sentence) => {
    world.server.always.health = () =>
      Response.json({ status: "ok" }, { headers: { date: new Date(Date.now() + difference).toUTCString() } })
    const { failed, of } = await examined()
    expect(failed).toEqual(["clock"])
    expect(of("clock")).toMatch(sentence)
  })

  test("says that a token is needed, and that one is wrong", async () => {
    world.server.token = "secret-token"
    expect((await examined()).of("token")).toContain("asks for a token: set BETTER_SHARE_TOKEN")
    expect((await examined({ BETTER_SHARE_TOKEN: "wrong" })).of("token")).toContain(
      "does not accept BETTER_SHARE_TOKEN",
    )
    expect((await examined({ BETTER_SHARE_TOKEN: "secret-token" })).failed).toEqual([])
  })

  test("says that the server has another version", async () => {
    world.server.plugin = "9.9.9-0123456789ab"
    expect((await examined()).of("version")).toBe("a checkout; the server has 9.9.9-0123456789ab")
    const origin = { url: world.server.base, release: "0.1.0-ba9876543210" }
    await writeFile(join(cli.folder, "server.json"), JSON.stringify(origin))
    const { failed, of } = await examined({ BETTER_SHARE_BASE_URL: undefined })
    expect(failed).toEqual(["version"])
    expect(of("version")).toStartWith("This is 0.1.0-ba9876543210, and the server has 9.9.9-0123456789ab. To update, ")
  })

  test("says that the storage refuses, and removes the test session all the same", async () => {
    world.server.always.upload = () => new Response("no", { status: 403 })
    const { failed, of } = await examined()
    expect(failed).toEqual(["share"])
    expect(of("share")).toContain("refuses the upload (status 403)")
    expect(world.server.shares.size).toBe(0)
  })

  test("says that the test session is still shared", async () => {
    world.server.always.delete = () => Response.json({ error: "No.", code: "wrong_secret" }, { status: 401 })
    const { failed, of } = await examined()
    expect(failed).toEqual(["removal"])
    expect(of("removal")).toStartWith("The test session is still shared: ")
  })

  test("says that nothing listens there, and that the proxy on the way is at fault", async () => {
    const { base } = world.server
    await world.server.stop()
    expect((await examined()).of("connection")).toMatch(/^127\.0\.0\.1:\d+ refuses connections: /)
    const { out } = await cli.run(["doctor", "--json"], {
      env: { BETTER_SHARE_BASE_URL: base, HTTP_PROXY: base },
      runtime: process.execPath,
    })
    const { checks } = JSON.parse(out) as Result
    expect(checks.find(({ name }) => name === "proxy")?.detail).toBe(`through ${new URL(base).host}`)
    expect(checks.find(({ name }) => name === "connection")?.detail).toMatch(
      /^The proxy 127\.0\.0\.1:\d+ on the way to 127/,
    )
  })
})
