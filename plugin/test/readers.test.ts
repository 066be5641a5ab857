import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { readReaders } from "../src/settings/readers"
import { readSettings, type Settings } from "../src/settings/server"
import { SESSION } from "./support/fake-client"
import { World } from "./support/world"

const ID = SESSION.slice(-8)

describe("who may read new shares", () => {
  let world: World
  beforeEach(async () => {
    world = await World.create()
  })
  afterEach(() => world.close())

  const start = (readers: Partial<Settings>) =>
    world.start({
      settings: { base: world.server.base, token: undefined, chosenBy: "user", uploadHosts: [], ...readers },
    })
  const asked = () => JSON.parse(String(world.server.requests.find(({ kind }) => kind === "create")?.body))

  test("the password that the server makes is shown with the link", async () => {
    world.server.audiences = true
    await start({ audience: "password", expiresIn: 3600 }).created()
    expect(asked()).toMatchObject({ audience: "password", expiresIn: 3600 })
    await world.host.told(
      /Its password is made-by-server \(shown only now\)\. It ends on 20\d\d-\d\d-\d\d \d\d:\d\d UTC\. /,
    )
  })

  test("a link for members says so", async () => {
    world.server.audiences = true
    await start({ audience: "members" }).created()
    await world.host.told(/Only members of 127\.0\.0\.1:\d+ can read it\. \/unshare/)
  })

  test.each([{ audience: "password" }, { expiresIn: 3600 }] as const)(
    "nothing is uploaded to a server that would show it to others or for longer: %p",
    async (readers) => {
      const answer = await start(readers).create()
      expect(answer.ok).toBe(false)
      await world.host.told(/too old for private links/)
      expect(world.server.count("upload")).toBe(0)
      expect(world.server.shares.has(ID)).toBe(false)
    },
  )

  test("without these options the server decides", async () => {
    await start({}).created()
    expect(Object.keys(asked())).toEqual(["shareId", "sessionId", "size", "contentEncoding"])
  })
})

describe("the options", () => {
  test.each([
    [{ audience: "password", expiresIn: "7d" }, {}, { audience: "password", expiresIn: 604_800 }],
    [{}, {}, {}],
    [{}, { audience: "members" }, { audience: "members" }],
    [{}, { audience: "link" }, {}],
    [{ audience: "link" }, { audience: "password" }, { audience: "password" }],
    [{ audience: "members" }, { audience: "password" }, { audience: "members" }],
    [{ expiresIn: "90m" }, { expiresIn: "1h" }, { expiresIn: 3600 }],
    [{ expiresIn: "1h" }, { expiresIn: "4w" }, { expiresIn: 3600 }],
  ])("of the user %p and of the project %p mean %p", (own, project, meant) => {
    expect(readReaders(own, project)).toEqual(meant as ReturnType<typeof readReaders>)
    expect(readSettings({ url: "https://share.example.com", ...own }, {}, project)).toMatchObject(meant)
  })

  test.each([
    { audience: "everybody" },
    { audience: true },
    { expiresIn: 7 },
    { expiresIn: "0d" },
    { expiresIn: "7 days" },
  ])("%p is refused", (options) => {
    expect(readSettings({ url: "https://share.example.com", ...options }, {})).toHaveProperty("problem")
    expect(readSettings({ url: "https://share.example.com" }, {}, options)).toHaveProperty("problem")
  })
})
