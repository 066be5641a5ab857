import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { createHmac } from "node:crypto"
import { mkdtemp, readFile, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ShareSeal } from "../src/state/share-seal"
import { World } from "./support/world"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "better-share-seal-"))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const share = { id: "7NSn851p", base: "https://share.example.com:8443/team", secret: "abc-DEF_123" }

describe("what OpenCode keeps for a share", () => {
  test("says nothing to anybody else, and everything to the plugin, in every process", () => {
    const sealed = new ShareSeal(folder).seal(share)
    for (const hidden of [share.secret, "share.example.com", btoa(share.base)]) expect(sealed).not.toContain(hidden)
    expect(Buffer.from(sealed.slice("sealed.".length), "base64url").toString("latin1")).not.toContain(share.secret)
    expect(new ShareSeal(folder).open(share.id, sealed)).toEqual(share)
  })

  test("can be used by OpenCode alone to remove the share, and was sealed without that before", () => {
    const sealed = new ShareSeal(folder).seal(share)
    const end = sealed.lastIndexOf(".")
    expect(sealed.slice(end + 1)).toBe(createHmac("sha256", share.secret).update("remove").digest("base64url"))
    expect(new ShareSeal(folder).open(share.id, sealed.slice(0, end))).toEqual(share)
  })

  test("is sealed by one key, whoever comes first, which only its owner can read", async () => {
    const seals = [new ShareSeal(folder), new ShareSeal(folder)]
    const [first, second] = seals.map((seal) => seal.seal(share))
    expect(seals.map((seal) => seal.open(share.id, second ?? ""))).toEqual([share, share])
    expect(first).not.toBe(second)
    expect((await stat(join(folder, "key"))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(folder, "key"))).toHaveLength(32)
  })

  test("is lost without the key, and when it is of another share or was changed", async () => {
    const sealed = new ShareSeal(folder).seal(share)
    expect(new ShareSeal(folder).open("another1", sealed)).toBe("lost")
    const [prefix, own = "", removalSecret] = sealed.split(".")
    expect(new ShareSeal(folder).open(share.id, `${prefix}.${own.slice(0, -2)}.${removalSecret}`)).toBe("lost")
    expect(new ShareSeal(folder).open(share.id, "sealed.")).toBe("lost")
    expect(new ShareSeal(join(folder, "elsewhere")).open(share.id, sealed)).toBe("lost")
  })

  test("is not made where no key can be kept: sharing fails", () => {
    const seal = new ShareSeal("/dev/null/state")
    expect(() => seal.seal(share)).toThrow("cannot be kept")
  })
})

describe("a share whose key is gone", () => {
  let world: World
  beforeEach(async () => {
    world = await World.create()
  })
  afterEach(() => world.close())

  test("is told with the way to remove it, and stays as it is", async () => {
    const created = await world.start().created()
    expect(created.secret).toStartWith("sealed.")
    await rm(join(world.folder, "key"))
    const opencode = world.start()
    expect((await opencode.remove(created)).status).toBe(500)
    await world.host.told(/^Not unshared, the link still works: .*another home folder/)
    expect(world.server.shares.has(created.id)).toBe(true)
    await opencode.sync(created)
    await world.host.told(/not updated any more: .* the operator/)
  })
})
