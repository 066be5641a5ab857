import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { userOptions } from "../src/settings/user-files"

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "better-share-home-"))
})
afterEach(() => rm(home, { recursive: true }))

const GLOBAL = ".config/opencode/opencode.json"
async function write(path: string, content: unknown): Promise<void> {
  await mkdir(dirname(join(home, path)), { recursive: true })
  await writeFile(join(home, path), typeof content === "string" ? content : JSON.stringify(content))
}
const listing = (url: string, name = "opencode-own-share") => ({ plugin: ["another-plugin", [name, { url }]] })
const read = (env: Record<string, string> = {}) =>
  userOptions({ env, home, plugins: [join(home, "checkout/plugin/src/index.ts")] })

describe("the user's own options", () => {
  test("are none without files, and without an entry in them", async () => {
    expect(read()).toBeUndefined()
    await write(GLOBAL, { plugin: ["opencode-own-share-not", ["another", { url: "x" }], 7, null] })
    expect(read()).toBeUndefined()
    await write(GLOBAL, { plugin: "opencode-own-share" })
    expect(read()).toBeUndefined()
  })

  test.each([
    "opencode-own-share@https://share.example.com/plugin.tgz",
    "https://share.example.com/team/plugin/0.2.0-1a2b3c4d5e6f.tgz",
    "opencode-better-share@1.2",
  ])("are found where the plugin is listed as %s", async (name) => {
    await write(GLOBAL, { plugin: [name] })
    expect(read()).toEqual({})
    await write(GLOBAL, listing("https://own.example", name))
    expect(read()).toEqual({ url: "https://own.example" })
  })

  test("are in a file of their own for versions of OpenCode without options", async () => {
    await write(".config/opencode/better-share.json", { url: "https://own.example", exclude: ["*.pem"] })
    expect(read()).toEqual({ url: "https://own.example", exclude: ["*.pem"] })
    await write(GLOBAL, listing("https://listed.example"))
    expect(read()).toEqual({ url: "https://listed.example", exclude: ["*.pem"] })
  })

  test("are those of the last file of OpenCode's order", async () => {
    const env = {
      OPENCODE_CONFIG: join(home, "mine.json"),
      OPENCODE_CONFIG_DIR: join(home, "folder"),
      OPENCODE_CONFIG_CONTENT: JSON.stringify(listing("inline")),
    }
    await write(".config/opencode/config.json", listing("config.json"))
    expect(read(env)).toEqual({ url: "inline" })
    const { OPENCODE_CONFIG_CONTENT: _, ...files } = env
    for (const path of [
      ".config/opencode/opencode.json",
      ".config/opencode/opencode.jsonc",
      "mine.json",
      ".opencode/opencode.json",
      ".opencode/opencode.jsonc",
      "folder/opencode.json",
      "folder/opencode.jsonc",
    ]) {
      await write(path, listing(path))
      expect(read(files)).toEqual({ url: path })
    }
    await write("elsewhere/opencode/opencode.json", listing("elsewhere"))
    await rm(join(home, ".opencode"), { recursive: true })
    expect(read({ XDG_CONFIG_HOME: join(home, "elsewhere") })).toEqual({ url: "elsewhere" })
  })

  test("are read with comments and OpenCode's variables", async () => {
    await write(".config/opencode/url.txt", "https://share.example.com\n")
    await write(
      ".config/opencode/opencode.jsonc",
      '{ // mine\n "plugin": [["opencode-own-share@1.2", {"url": "{file:./url.txt}{env:BELOW}"},],],\n}',
    )
    expect(read({ BELOW: "/team" })).toEqual({ url: "https://share.example.com/team" })
  })

  test.each(["checkout/plugin/src/index.ts", "checkout/plugin", "link"])(
    "are found where %s is listed",
    async (path) => {
      await write("checkout/plugin/src/index.ts", "")
      await symlink("checkout/plugin", join(home, "link"))
      for (const name of [join(home, path), `file://${join(home, path)}`, `../../${path}`]) {
        await write(GLOBAL, listing("found", name))
        expect(read()).toEqual({ url: "found" })
      }
      await write(GLOBAL, listing("found", join(home, "checkout/plug")))
      expect(read()).toBeUndefined()
    },
  )

  test("cannot be read from a damaged file", async () => {
    await write(GLOBAL, '{"plugin": [')
    expect(() => read()).toThrow()
  })
})
