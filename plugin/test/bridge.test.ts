import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { connect } from "node:net"
import { SESSION } from "./support/fake-client"
import { type OpenCode, World } from "./support/world"

let world: World
let opencode: OpenCode
beforeEach(async () => {
  world = await World.create()
  opencode = world.start()
})
afterEach(() => world.close())

const post = (url: string, headers = {}) =>
  fetch(url, {
    method: "POST",
    body: JSON.stringify({ sessionID: SESSION }),
    headers: { "content-type": "application/json", ...headers },
  })

/** Bun's fetch does not let anybody choose the OpenCodeClient header. */
const rawPost = (port: number, path: string, host: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({ sessionID: SESSION })
    const socket = connect(port, "127.0.0.1", () =>
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      ),
    )
    let answer = ""
    socket
      .on("data", (data) => (answer += data))
      .on("end", () => resolve(answer))
      .on("error", reject)
  })

describe("the loopback port", () => {
  const nothingDone = () => {
    expect(world.server.requests).toEqual([])
    expect(world.host.reads).toBe(0)
  }

  test("listens on loopback only, under a path that nobody can guess", () => {
    expect(opencode.share.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}$/)
    expect(world.start().share.url.split("/")[3]).not.toBe(opencode.share.url.split("/")[3])
  })

  test.each(["/", "/api/share", "/undefined/api/share", "//api/share", "/wrong/api/share"])(
    "answers a stranger without the secret path with 404 and does nothing: %s",
    async (path) => {
      expect((await post(new URL(opencode.share.url).origin + path)).status).toBe(404)
      nothingDone()
    },
  )

  test.each(["https://evil.example", "null", "http://127.0.0.1:1"])(
    "refuses requests from web pages, even with the secret path: Origin %s",
    async (origin) => {
      expect((await post(`${opencode.share.url}/api/share`, { origin })).status).toBe(403)
      nothingDone()
    },
  )

  test("refuses requests under another host's name, even with the secret path, and takes its own", async () => {
    const { port, pathname } = new URL(opencode.share.url)
    for (const host of ["evil.example", `localhost:${port}`, "127.0.0.1", `127.0.0.1:${port}.evil.example`]) {
      expect(await rawPost(Number(port), `${pathname}/api/share`, host)).toStartWith("HTTP/1.1 403")
    }
    nothingDone()
    expect(await rawPost(Number(port), `${pathname}/api/share`, `127.0.0.1:${port}`)).toStartWith("HTTP/1.1 200")
  })

  test.each([
    ["GET", "/api/share"],
    ["PUT", "/api/share"],
    ["POST", "/api/share/x"],
    ["POST", "/api/share/x/other"],
    ["POST", "/api/share/x/sync/more"],
    ["DELETE", "/api/share"],
    ["DELETE", "/api/share/x/sync"],
    ["POST", "/api/shares"],
  ])("knows three calls and no others: %s %s", async (method, path) => {
    const response = await fetch(opencode.share.url + path, {
      method,
      ...(method === "GET" ? {} : { body: JSON.stringify({ secret: "x.y" }) }),
    })
    expect(response.ok).toBe(false)
    nothingDone()
  })

  test.each(["", "[]", "{", "null", "{}", '{"sessionID": 7}'])(
    "refuses a body that is not what OpenCode sends: %p",
    async (body) => {
      expect((await fetch(`${opencode.share.url}/api/share`, { method: "POST", body })).ok).toBe(false)
      expect(world.server.requests).toEqual([])
    },
  )

  test("survives odd items in a sync", async () => {
    const share = await opencode.created()
    const data = [
      null,
      7,
      { type: 1 },
      { type: "part" },
      { type: "message", data: [] },
      { type: "session", data: null },
    ] as never
    expect((await opencode.sync(share, data)).status).toBe(200)
    expect(
      (await opencode.call("POST", `/api/share/${share.id}/sync`, { secret: share.secret, data: "x" })).status,
    ).toBe(200)
  })
})
