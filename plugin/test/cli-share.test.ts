import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { CommandLine, type Ran } from "./support/command-line"
import { SESSION } from "./support/fake-client"
import { RELEASES, recordedStorage, storedSessions } from "./support/stored-sessions"
import { World } from "./support/world"

const TOKEN = `ghp_${"Aq7Zk2Wm9Xc4Vb6Nr8Ty".repeat(2).slice(0, 36)}`

let world: World
let cli: CommandLine
let data: string | undefined
beforeEach(async () => {
  world = await World.create()
  cli = await CommandLine.create(world.folder)
})
afterEach(async () => {
  await world.close()
  await cli[Symbol.asyncDispose]()
  if (data) await rm(data, { recursive: true })
  data = undefined
})

interface Choices {
  stdin?: string
  runtime?: string
  env?: Record<string, string | undefined>
}

const run = (args: string[], { env, ...choices }: Choices = {}): Promise<Ran> =>
  cli.run(args, {
    ...choices,
    env: { BETTER_SHARE_BASE_URL: world.server.base, ...(data ? { XDG_DATA_HOME: data } : {}), ...env },
  })

/** Has an OpenCode of a release, and returns the ids of two sessions, of which the first has a sub-agent's. */
async function stored(release: string): Promise<[string, string]> {
  const recording = recordedStorage(release)
  data = await storedSessions(recording)
  return Object.keys(recording.sessions) as [string, string]
}

const session = (texts: string[], more = {}) => ({
  info: { id: SESSION, title: "Greet everybody", ...more },
  messages: texts.map((text, number) => ({
    info: { id: `msg_${number}`, role: "user" },
    parts: [{ id: `prt_${number}`, type: "text", text }],
  })),
})

/** Writes what `opencode export` would, and returns the name of the file. */
async function exported(texts: string[], more = {}): Promise<string> {
  const file = join(cli.folder, "session.json")
  await writeFile(file, JSON.stringify(session(texts, more)))
  return file
}

const textOfDocument = (id: string) => JSON.stringify(world.server.document(id))
const onlyShare = () => [...world.server.shares.keys()].join()

describe("a session of OpenCode", () => {
  test.each(RELEASES)("%s is shared by its id, and follows with update", async (release) => {
    const [id] = await stored(release)
    const runtime = process.execPath
    const shared = await run(["share", id], { runtime })
    expect(shared).toMatchObject({ code: 0, out: `${world.server.base}/share/${id.slice(-8)}\n` })
    expect(shared.err).toMatch(
      /^Uploading to 127.0.0.1:\d+: "A scripted session": 6 messages, 1 session of sub-agents, /,
    )
    expect(textOfDocument(id.slice(-8))).toContain("Two names.")
    expect(textOfDocument(id.slice(-8))).not.toContain("ghp_")
    const updated = await run(["update", id], { runtime })
    expect(updated).toMatchObject({ code: 0, out: shared.out })
    expect(world.server.count("create")).toBe(1)
    expect(world.server.count("upload", 200)).toBe(2)
  })

  test("of JSON files is shared with any Node.js", async () => {
    const [id] = await stored("1.1.65")
    expect(await run(["share", id])).toMatchObject({ code: 0 })
    expect(textOfDocument(id.slice(-8))).toContain("Everybody is greeted.")
  })

  test("that does not exist is not shared", async () => {
    await stored("1.1.65")
    const { code, out, err } = await run(["share", "ses_missing"])
    expect({ code, out }).toEqual({ code: 1, out: "" })
    expect(err).toStartWith("OpenCode has no session ses_missing in ")
    expect(world.server.requests).toEqual([])
  })
})

describe("secrets that are given", () => {
  const given = (secrets: unknown) => ({ env: { BETTER_SHARE_SECRETS: JSON.stringify(secrets) } })

  test("are removed whatever they look like, and in each of their lines", async () => {
    const file = await exported(["the password is summer, and the key begins with first line", "a test on it"])
    expect(await run(["share", file], given({ A: "summer", B: "first line\nsecond line\n", C: "on" }))).toMatchObject({
      code: 0,
      err: expect.stringContaining("2 redactions (2 given-secret)"),
    })
    const document = textOfDocument("7NSn851p")
    expect(document).toContain(
      "the password is [redacted:given-secret], and the key begins with [redacted:given-secret]",
    )
    expect(document).toContain("a test on it")
  })

  test.each([[["summer"]], ["summer"], [{ A: 1 }]])("that cannot be read share nothing: %j", async (secrets) => {
    const refused = await run(["share", await exported(["hello"])], given(secrets))
    expect(refused).toMatchObject({ code: 1, err: "BETTER_SHARE_SECRETS must be a JSON object of names and texts.\n" })
    expect(world.server.requests).toEqual([])
  })
})

test("a folder without sessions has none to share", async () => {
  await stored("1.1.65")
  expect((await run(["share", "--latest"])).err).toStartWith("OpenCode has no session of ")
  expect((await run(["share", "--latest", "ses_1"])).code).toBe(2)
})

describe("an export", () => {
  test("is shared, and what was redacted is said before the upload", async () => {
    const { code, out, err } = await run(["share", await exported([`TOKEN=${TOKEN}`, `Authorization: token ${TOKEN}`])])
    expect({ code, out }).toEqual({ code: 0, out: `${world.server.base}/share/7NSn851p\n` })
    expect(err).toContain('"Greet everybody": 2 messages, 1 kB, 2 redactions (2 github-token).')
    expect(textOfDocument("7NSn851p")).toContain("[redacted:github-token]")
    expect(textOfDocument("7NSn851p")).not.toContain(TOKEN)
    expect(world.server.document("7NSn851p")).toMatchObject({
      shareId: "7NSn851p",
      sessionId: SESSION,
      createdAt: 1_700_000_000_000,
    })
  })

  test("is shared from the standard input", async () => {
    const { code } = await run(["share", "-"], { stdin: JSON.stringify(session(["hello"])) })
    expect(code).toBe(0)
    expect(textOfDocument("7NSn851p")).toContain("hello")
  })

  test("keeps its link when it is shared again", async () => {
    const first = await run(["share", await exported(["hello"])])
    const second = await run(["share", await exported(["hello", "again"])])
    expect(second.out).toBe(first.out)
    expect(world.server.shares.size).toBe(1)
    expect(textOfDocument("7NSn851p")).toContain("again")
  })

  test("gets a new link after the server has lost the old one", async () => {
    await run(["share", await exported(["hello"])])
    world.server.shares.clear()
    expect((await run(["share", await exported(["hello"])])).code).toBe(0)
    expect(world.server.shares.size).toBe(1)
  })

  test("is not uploaded by a dry run", async () => {
    const { code, out, err } = await run(["share", "--dry-run", await exported([`TOKEN=${TOKEN}`])])
    expect({ code, out }).toEqual({ code: 0, out: "" })
    expect(err).toMatch(
      /^Would be uploaded to 127.0.0.1:\d+: "Greet everybody": 1 message, 1 kB, 1 redaction \(1 github-token\)\.\n$/,
    )
    expect(world.server.requests).toEqual([])
  })

  test("is described as JSON", async () => {
    const { out, err } = await run(["share", "--json", await exported([`TOKEN=${TOKEN}`])])
    expect(err).toBe("")
    expect(JSON.parse(out)).toEqual({
      url: `${world.server.base}/share/7NSn851p`,
      id: "7NSn851p",
      server: world.server.base,
      sessionId: SESSION,
      title: "Greet everybody",
      messages: 1,
      subAgents: 0,
      bytes: expect.any(Number),
      redactions: 1,
      kinds: { "github-token": 1 },
    })
  })

  test("leaves no share when it cannot be uploaded", async () => {
    world.server.always.upload = () => new Response("no", { status: 413 })
    const { code, out, err } = await run(["share", await exported(["hello"])])
    expect({ code, out }).toEqual({ code: 1, out: "" })
    expect(err).toContain("The session is too large for")
    expect(world.server.shares.size).toBe(0)
    expect((await run(["list"])).out).toBe("")
  })

  test("is not shared where no server is named", async () => {
    const env = { BETTER_SHARE_BASE_URL: undefined }
    const refused = await run(["share", "--json", await exported(["hello"])], { env })
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.out)).toEqual({
      error: expect.stringContaining("No share server is named."),
      kind: "refused",
    })
  })

  test("that is none is refused", async () => {
    expect(await run(["share", "-"], { stdin: "notes" })).toEqual({
      code: 1,
      out: "",
      err: 'The standard input is not a session as "opencode export" writes it.\n',
    })
    expect((await run(["share", join(cli.folder, "missing.json")])).err).toEndWith("missing.json cannot be read.\n")
  })
})

describe("the user's options and the project's", () => {
  async function configure(folder: string, options: unknown): Promise<void> {
    await mkdir(folder, { recursive: true })
    const plugin = [["opencode-own-share@https://share.example.com/plugin.tgz", options]]
    await writeFile(join(folder, "opencode.json"), `{ /* mine */ "plugin": ${JSON.stringify(plugin)}, }`)
  }

  test("name the server, and what is removed", async () => {
    await configure(join(cli.home, ".config", "opencode"), { url: world.server.base, redact: { deny: ["Apollo"] } })
    const directory = join(cli.folder, "project")
    await configure(directory, { url: "https://evil.example", redact: { deny: ["Gemini"] }, exclude: ["secrets/**"] })
    const file = await exported(["Apollo and Gemini"], { directory })
    await writeFile(
      file,
      JSON.stringify({
        ...session(["Apollo and Gemini"], { directory }),
        messages: [
          ...session(["Apollo and Gemini"]).messages,
          {
            info: { id: "msg_9", role: "assistant" },
            parts: [
              {
                id: "prt_9",
                type: "tool",
                tool: "read",
                state: { status: "completed", input: { filePath: `${directory}/secrets/plan.md` }, output: "the plan" },
              },
            ],
          },
        ],
      }),
    )
    expect(await run(["share", file], { env: { BETTER_SHARE_BASE_URL: undefined } })).toMatchObject({ code: 0 })
    const document = textOfDocument(onlyShare())
    expect(document).toContain("[redacted:private] and [redacted:private]")
    expect(document).toContain("[excluded: secrets/plan.md]")
    expect(document).not.toContain("the plan")
  })

  test("that cannot be read share nothing", async () => {
    const directory = join(cli.folder, "project")
    await mkdir(directory)
    await writeFile(join(directory, "opencode.json"), "{")
    expect(await run(["share", await exported(["hello"], { directory })])).toMatchObject({
      code: 1,
      err: "The configuration of OpenCode cannot be read.\n",
    })
    expect(world.server.requests).toEqual([])
  })
})

describe("a share", () => {
  test("is updated by its link, from a newer export, and keeps what was redacted", async () => {
    const { out } = await run(["share", await exported(["TOKEN=acme-Zk2Wm9Xc4Vb6"])])
    const [id] = await stored("1.1.65")
    const updated = await run(["update", await exported(["it was acme-Zk2Wm9Xc4Vb6 before"])])
    expect(updated).toMatchObject({ code: 0, out })
    expect(textOfDocument("7NSn851p")).toContain("it was [redacted:")
    await run(["share", id])
    const link = `${world.server.base}/share/${id.slice(-8)}`
    expect(await run(["update", link])).toMatchObject({ code: 0, out: `${link}\n` })
  })

  test("that is not there is not updated", async () => {
    const refused = await run(["update", await exported(["hello"])])
    expect(refused).toMatchObject({ code: 1, out: "" })
    expect(refused.err).toContain(`The session ${SESSION} is not shared from this machine`)
    await run(["share", await exported(["hello"])])
    world.server.shares.clear()
    expect((await run(["update", await exported(["hello"])])).err).toContain("no longer has this share")
  })

  test("is shown with what its server says", async () => {
    const { out: link } = await run(["share", await exported(["hello"])])
    const shown = await run(["show", SESSION])
    expect(shown).toMatchObject({ code: 0, err: "" })
    expect(shown.out).toMatch(
      / {2}Title {4}Greet everybody\n {2}Session {2}ses_\w+\n {2}Link {5}works\n {2}Size {5}1 kB\n {2}Created {2}2023-11-14T/,
    )
    world.server.shares.clear()
    const [gone] = JSON.parse((await run(["show", "--json", link.trim()])).out)
    expect(gone).toMatchObject({ url: link.trim(), state: "gone", createdAt: "2023-11-14T22:13:20.000Z" })
    expect((await run(["show", "ses_other"])).code).toBe(1)
  })

  test("is listed and removed as JSON", async () => {
    const { out: link } = await run(["share", await exported(["hello"])])
    expect(JSON.parse((await run(["list", "--json"])).out)).toEqual([
      {
        url: link.trim(),
        id: "7NSn851p",
        server: world.server.base,
        sessionId: SESSION,
        title: "Greet everybody",
        createdAt: "2023-11-14T22:13:20.000Z",
      },
    ])
    expect(JSON.parse((await run(["remove", "--all", "--json"])).out)).toEqual({ removed: [link.trim()], failed: [] })
    expect(JSON.parse((await run(["list", "--json"])).out)).toEqual([])
  })
})

describe("the redacted document", () => {
  test("is written without an upload, and can be shared as it is", async () => {
    const { code, out } = await run(["redact", await exported([`TOKEN=${TOKEN}`])])
    expect(code).toBe(0)
    expect(JSON.parse(out).messages[0].parts[0].text).toBe("TOKEN=[redacted:github-token]")
    expect(world.server.requests).toEqual([])
    expect((await run(["share", "-"], { stdin: out })).code).toBe(0)
    expect(textOfDocument("7NSn851p")).toContain("TOKEN=[redacted:github-token]")
  })
})
