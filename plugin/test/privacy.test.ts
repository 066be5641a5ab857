import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { secretsIn, secretsOfProject } from "../src/redaction/environment"
import { Redactor } from "../src/redaction/redactor"
import { type Privacy, type Redaction, readPrivacy } from "../src/settings/privacy"
import { readSettings } from "../src/settings/server"
import { isAutoShare } from "../src/sharing/auto-share"
import { FakeClient, message, SESSION, texts, transcript } from "./support/fake-client"
import { World } from "./support/world"

describe("the options about privacy", () => {
  test("redact everything and share nothing by itself, unless somebody says otherwise", () => {
    expect(readPrivacy(undefined)).toEqual({ redact: { allow: [], deny: [], rules: [] }, exclude: [], auto: false })
    const options = { redact: { allow: ["jwt"], deny: ["Apollo"] }, exclude: ["secrets/**"], auto: true }
    expect(readPrivacy(options)).toEqual({
      redact: { allow: ["jwt"], deny: ["Apollo"], rules: [] },
      exclude: ["secrets/**"],
      auto: true,
    })
    expect(readPrivacy({ redact: false })).toMatchObject({ redact: false })
    expect(readSettings({ ...options, url: "https://a.example" }, {})).not.toHaveProperty("problem")
  })

  test("of a project make the user's stricter, and never laxer", () => {
    const own = { redact: { allow: ["jwt"], deny: ["Apollo"] }, exclude: ["*.pem"], auto: true }
    const lax = { redact: { allow: ["private-key"], deny: [] }, exclude: [], auto: true }
    expect(readPrivacy(own, lax)).toEqual(readPrivacy(own))
    expect(readPrivacy(own, { redact: false })).toEqual(readPrivacy(own))
    expect(readPrivacy({}, { ...lax, redact: false })).toEqual(readPrivacy({}))
    expect(readPrivacy(own, { redact: { deny: ["Gemini"] }, exclude: ["secrets/**"], auto: false })).toEqual({
      redact: { allow: ["jwt"], deny: ["Apollo", "Gemini"], rules: [] },
      exclude: ["*.pem", "secrets/**"],
      auto: false,
    })
    expect(readPrivacy({ redact: false }, { redact: { allow: ["jwt"], deny: ["Gemini"] } })).toMatchObject({
      redact: { allow: [], deny: ["Gemini"] },
    })
    expect(readPrivacy({ redact: false }, { redact: false })).toMatchObject({ redact: false })
    expect(readPrivacy(own, { exclude: "secrets" })).toHaveProperty("problem")
  })

  test("may name the user's own formats of secrets, and not those of a project", async () => {
    const format = { name: "ACME token", prefix: ["acme_"], alphabet: "A-Za-z0-9", length: [8, null] }
    const { redact } = readPrivacy({ redact: { formats: [format] } }) as Privacy
    const redactor = new Redactor({ ...(redact as Redaction), home: "/home/ada" })
    expect((await redactor.redact({ text: "with acme_k3fX9pQz and acme_short" })).value).toEqual({
      text: "with [redacted:acme-token] and acme_short",
    })
    expect(readPrivacy({}, { redact: { formats: [format] } })).toEqual(readPrivacy({}))
  })

  test.each([
    { redact: { formats: [{ name: "A", prefix: ["a"], alphabet: "a-z]", length: 8 }] } },
    { redact: { formats: [{ name: "ACME", prefix: ["acme_"], alphabet: "a-z", length: [9, 8] }] } },
    { redact: { formats: [{ name: "ACME", prefix: [], alphabet: "a-z", length: 8 }] } },
    { redact: { formats: [{ name: "ACME", prefix: ["acme_"], alphabet: "a-z", length: 8, pattern: ".*" }] } },
    { redact: "yes" },
    { redact: null },
    { redact: { denny: ["x"] } },
    { redact: { deny: "Apollo" } },
    { redact: { deny: ["ab"] } },
    { exclude: "secrets/**" },
    { exclude: [""] },
    { auto: "true" },
  ])("refuse what is wrong: %p", (options) => {
    expect(readPrivacy(options)).toHaveProperty("problem")
  })
})

describe("OpenCode shares by itself", () => {
  test.each<[Parameters<typeof isAutoShare>[0], string[], Record<string, string>, boolean]>([
    [{}, ["opencode"], {}, false],
    [{ share: "manual" }, ["opencode", "serve"], {}, false],
    [{ share: "auto" }, ["opencode"], {}, true],
    [{ autoshare: true }, ["opencode"], {}, true],
    [{}, ["opencode", "run", "--share", "hello"], {}, true],
    [{}, ["opencode", "run", "hello", "--share=true"], {}, true],
    [{}, ["opencode", "run", "--", "--share"], {}, false],
    [{}, ["opencode", "--share"], {}, false],
    [{}, ["opencode"], { OPENCODE_AUTO_SHARE: "1" }, true],
    [{}, ["opencode"], { OPENCODE_AUTO_SHARE: "0" }, false],
  ])("with %p and %p: see the last", (config, args, env, expected) => {
    expect(isAutoShare(config, args, env)).toBe(expected)
  })
})

describe("variables", () => {
  test("are secret by their name, or by their looks", () => {
    const random = ["Zk3vQ8", "rT5mW1", "pL9xB4", "nJ7c"].join("")
    const secrets = secretsIn({
      DEPLOY_PASSWORD: "correct-horse-battery",
      SHORT_TOKEN: "abcdefghijk",
      RANDOM: random,
      PATH: "/usr/local/bin:/usr/bin",
      COMMIT: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
      TOKEN_FILE: "/run/secrets/token",
      SECRET_MANAGER_PROJECT: "the-shop-in-europe",
      DATABASE_URL: "postgres://shop:s3cr3t-of-the-shop@db.internal.net/shop",
      API_TOKEN: "/run/secrets/api-token",
      LANG: "en_GB.UTF-8 and more",
      UNSET: undefined,
    })
    expect(secrets.map(([value]) => value)).toEqual(["correct-horse-battery", random, "s3cr3t-of-the-shop"])
  })
})

describe("what is uploaded", () => {
  let world: World
  let project: string
  const ID = SESSION.slice(-8)
  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), "better-share-project-"))
    world = await World.create(new FakeClient(transcript("hello", SESSION, { directory: project })))
  })
  afterEach(async () => {
    await world.close()
    await rm(project, { recursive: true })
  })
  const say = (number: number, text: string) =>
    world.host.transcripts.get(SESSION)?.messages.push(message(number, text))
  const uploaded = () => texts(world.server.document(ID)?.messages)

  test("has no value of the environment or of the project's .env files", async () => {
    await mkdir(join(project, "packages", "web"), { recursive: true })
    await mkdir(join(project, "node_modules"))
    await writeFile(join(project, ".env"), "# shop\nexport SHOP_TOKEN='in-the-project'\n")
    await writeFile(join(project, "packages", "web", ".env.local"), 'WEB_SECRET="in-the-package"\n')
    await writeFile(join(project, ".env.example"), "SHOP_TOKEN=only-an-example\n")
    await writeFile(join(project, "node_modules", ".env"), "OTHER_TOKEN=of-somebody-else\n")
    say(2, "in-the-project, in-the-package, in-the-process, only-an-example, of-somebody-else")
    await world.start({ machine: { env: { CI_TOKEN: "in-the-process" }, home: "" } }).created()
    const marker = "[redacted:environment-variable]"
    expect(uploaded()?.[1]).toBe(`${marker}, ${marker}, ${marker}, only-an-example, of-somebody-else`)
    await world.host.told(/2 messages, 3 redactions\. \/unshare removes it/)
  })

  test("has no value of .env files that are links, direnv's or a container's, or the repository's around the project", async () => {
    const repository = await mkdtemp(join(tmpdir(), "better-share-repository-"))
    const folder = join(repository, "apps", "web")
    for (const path of [folder, join(repository, ".git"), join(folder, ".devcontainer"), join(folder, ".cache")])
      await mkdir(path, { recursive: true })
    await writeFile(join(repository, "shared"), "LINKED_TOKEN=behind-the-link\n")
    await symlink("../../shared", join(folder, ".env"))
    await symlink("/dev/zero", join(folder, ".env.endless"))
    await symlink("nowhere", join(folder, ".env.nowhere"))
    await symlink(".", join(folder, "circle"))
    await writeFile(join(folder, ".envrc"), "export DIRENV_TOKEN=of-the-folder\nuse nix\n")
    await writeFile(join(folder, ".devcontainer", ".env"), "CONTAINER_TOKEN=in-the-container\n")
    await writeFile(join(folder, ".cache", ".env"), "CACHED_TOKEN=in-some-cache\n")
    await writeFile(join(repository, ".env"), "ROOT_TOKEN=at-the-very-root\n")
    expect((await secretsOfProject(folder)).map(([value]) => value).sort()).toEqual([
      "at-the-very-root",
      "behind-the-link",
      "in-the-container",
      "of-the-folder",
    ])
    await rm(join(repository, ".git"), { recursive: true })
    expect((await secretsOfProject(folder)).map(([value]) => value).sort()).toEqual([
      "behind-the-link",
      "in-the-container",
      "of-the-folder",
    ])
    await rm(repository, { recursive: true })
  })

  test("is cleared of what a later sync gives away", async () => {
    const opencode = world.start()
    say(2, "my-own-secret-1")
    const share = await opencode.created()
    expect(uploaded()?.[1]).toBe("my-own-secret-1")
    await writeFile(join(project, ".env"), "NEW_PASSWORD=my-own-secret-1\n")
    say(3, "changed")
    await opencode.sync(share)
    await world.server.until(() => uploaded()?.[2] === "changed")
    expect(uploaded()?.[1]).toBe("[redacted:environment-variable]")
  })

  test("stays cleared after a restart, of what only the process before knew and of what gave it away then", async () => {
    const password = ["qW4tR7", "zU1pM9", "c"].join("")
    say(2, `printed: in-the-process, and ${password}`)
    say(3, `DB_PASSWORD=${password}`)
    const first = world.start({
      machine: { env: { CI_TOKEN: "in-the-process", OTHER_TOKEN: "nowhere-in-the-session" }, home: "" },
    })
    const share = await first.created()
    await first.share.dispose()
    expect(uploaded()?.[2]).toBe("DB_PASSWORD=[redacted:password]")
    world.host.transcripts.get(SESSION)?.messages.pop()
    say(4, "the next day, aW4tdGhlLXByb2Nlc3M=")
    const second = world.start()
    await second.sync(share)
    await world.server.until(() => uploaded()?.[2] !== "DB_PASSWORD=[redacted:password]")
    expect(uploaded()?.slice(1)).toEqual([
      "printed: [redacted:environment-variable], and [redacted:password]",
      "the next day, [redacted:environment-variable]",
    ])

    const notes = (await readdir(world.folder))
      .filter((name) => name.startsWith("redacted-"))
      .map((name) => join(world.folder, name))
    expect(notes).toHaveLength(1)
    const [note = ""] = notes
    expect((await stat(note)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(note, "utf8"))).toMatchObject({
      id: ID,
      base: world.server.base,
      secrets: expect.arrayContaining([
        ["in-the-process", "environment-variable"],
        [password, "password"],
      ]),
    })
    expect(await readFile(note, "utf8")).not.toContain("nowhere")
    await second.remove(share)
    expect(await readdir(world.folder)).toEqual(["key"])
  })

  test("stays cleared of what another process learnt meanwhile, and is not once somebody allows it", async () => {
    const [first, second] = [world.start({ machine: { env: { CI_TOKEN: "in-the-process" }, home: "" } }), world.start()]
    const share = await first.created()
    await second.sync(share)
    await world.server.until(() => world.server.count("upload", 200) === 2)
    say(2, "printed: in-the-process")
    await first.sync(share)
    await world.server.until(() => uploaded()?.[1] === "printed: [redacted:environment-variable]")
    say(3, "more")
    await second.sync(share)
    await world.server.until(() => uploaded()?.[2] === "more")
    expect(uploaded()?.[1]).toBe("printed: [redacted:environment-variable]")
    await world.start({ privacy: readPrivacy({ redact: { allow: ["in-the-process"] } }) }).sync(share)
    await world.server.until(() => uploaded()?.[1] === "printed: in-the-process")
  })

  test("is as it is where somebody wants no redaction", async () => {
    say(2, "postgres://shop:s3cr3t-of-mine@db/shop")
    await world.start({ privacy: readPrivacy({ redact: false }) }).created()
    expect(uploaded()?.[1]).toBe("postgres://shop:s3cr3t-of-mine@db/shop")
  })

  test("is nothing, and nothing more, while an option is wrong", async () => {
    const privacy = readPrivacy({ redact: "no" })
    expect((await world.start({ privacy }).create()).status).toBe(500)
    await world.host.told(/^Not shared: The plugin option "redact"/)
    expect(world.server.requests).toEqual([])
    const share = await world.start().created()
    const before = world.server.count("upload")
    await world.start({ privacy }).sync(share)
    await world.host.told(/no longer follows this session: The plugin option "redact"/)
    expect(world.server.count("upload")).toBe(before)
  })

  test("is nothing of a run that was not allowed to share, and the run says so on its standard error", async () => {
    const printed: string[] = []
    const opencode = world.start({ print: (line) => printed.push(line), timeouts: { toastDelay: 60_000 } })
    opencode.share.configure({}, ["opencode", "run", "--share", "hello"], {})
    expect((await opencode.create()).status).toBe(500)
    expect(printed).toEqual([
      expect.stringMatching(/^Better Share: Not shared: OpenCode shares this session by itself\./),
    ])
  })

  test("is nothing that OpenCode shares by itself, unless that is allowed", async () => {
    const refusing = world.start()
    refusing.share.configure({ share: "auto" }, [], {})
    expect((await refusing.create()).status).toBe(500)
    expect((await refusing.create()).status).toBe(500)
    expect((await world.host.told(/^Not shared: .*"auto": true/)).variant).toBe("warning")
    expect(world.host.toasts).toHaveLength(1)
    expect(world.server.requests).toEqual([])
    const allowing = world.start({ privacy: readPrivacy({ auto: true }) })
    allowing.share.configure({ share: "auto" }, [], {})
    expect((await allowing.create()).status).toBe(200)
  })
})
