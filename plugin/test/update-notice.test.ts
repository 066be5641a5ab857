import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { Toasts } from "../src/opencode/toasts"
import { UpdateNotice } from "../src/sharing/update-notice"
import { StateFiles } from "../src/state/state-files"
import { SHORT, World } from "./support/world"

let world: World
beforeEach(async () => {
  world = await World.create()
})
afterEach(() => world.close())

const origin = { url: "https://share.example.com", release: "0.1.0-aaaaaaaaaaaa" }
const notice = (from: typeof origin | undefined = origin): UpdateNotice =>
  new UpdateNotice(from, new StateFiles(world.folder), new Toasts(world.host, SHORT))

describe("another release of the plugin on the server that it is from", () => {
  test("is told with the way to update, once a week for all processes", async () => {
    await notice().compare(origin.url, "0.2.0-bbbbbbbbbbbb")
    await world.host.told(/another version of this plugin.* https:\/\/share\.example\.com /)
    const { length } = world.host.toasts
    await notice().compare(origin.url, "0.2.0-bbbbbbbbbbbb")
    expect(world.host.toasts).toHaveLength(length)
    const week = 7 * 24 * 60 * 60 * 1000
    await new StateFiles(world.folder).write({ kind: "update", base: origin.url, at: Date.now() - week })
    await notice().compare(origin.url, "0.2.0-bbbbbbbbbbbb")
    expect(world.host.toasts.length).toBeGreaterThan(length)
  })

  test("is nothing to tell if it is the same, unknown, another server's, or the plugin is a checkout", async () => {
    await notice().compare(origin.url, origin.release)
    await notice().compare(origin.url, undefined)
    await notice().compare("https://other.example.com", "0.2.0-bbbbbbbbbbbb")
    await new UpdateNotice(undefined, new StateFiles(world.folder), new Toasts(world.host, SHORT)).compare(
      origin.url,
      "x",
    )
    expect(world.host.toasts).toEqual([])
  })
})
