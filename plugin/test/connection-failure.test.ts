import { describe, expect, test } from "bun:test"
import { createServer, type Server } from "node:net"
import { connectionFailure } from "../src/server/connection-failure"
import { send } from "../src/server/http"

const said = async (url: string, timeout = 5_000): Promise<string> => {
  try {
    await send({ method: "GET", url, who: "share.example.com", timeout })
    return "an answer"
  } catch (error) {
    return (error as Error).message
  }
}

/** A server that answers to each connection with these bytes. */
async function speaking(bytes: string): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => void socket.on("error", () => undefined).end(bytes))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return { port: (server.address() as { port: number }).port, server }
}

describe("why there is no answer", () => {
  test.each([
    ["http", "SSH-2.0-OpenSSH_9.2\r\n", /^share.example.com does not answer with HTTP\./],
    ["https", "HTTP/1.1 400 Bad Request\r\n\r\n", /^share.example.com does not answer with TLS\. Check whether /],
    ["http", "", /^share.example.com closed the connection before its answer was complete\./],
    ["http", 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"url', /^share.example.com closed the connection before /],
    [
      "http",
      "HTTP/1.1 302 Found\r\nLocation: https://login.example/?key=1\r\n\r\n",
      /^share.example.com redirects to https:\/\/login.example, which/,
    ],
    [
      "http",
      "HTTP/1.1 302 Found\r\nLocation: https://\r\n\r\n",
      /^share.example.com redirects to another address, which/,
    ],
  ])("is said of %s:, where it is %j", async (protocol, bytes, sentence) => {
    const { port, server } = await speaking(bytes)
    expect(await said(`${protocol}://127.0.0.1:${port}`)).toMatch(sentence)
    server.close()
  })

  test("is said where nothing listens, and where there is no such name", async () => {
    expect(await said("http://127.0.0.1:9")).toMatch(/^share.example.com refuses connections: /)
    expect(await said("http://share.invalid")).toMatch(/^The name of share.example.com cannot be resolved\. /)
  })

  test("is said of a machine that slept", async () => {
    const { port, server } = await speaking("")
    const { now } = Date
    const times = [0, 60_000]
    Date.now = () => times.shift() ?? now()
    try {
      expect(await said(`http://127.0.0.1:${port}`)).toBe(
        "This machine slept while share.example.com was to answer. Try again.",
      )
    } finally {
      Date.now = now
      server.close()
    }
  })

  test.each([
    ["DEPTH_ZERO_SELF_SIGNED_CERT", /authority that is not known here\. .* NODE_EXTRA_CA_CERTS/],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", /authority that is not known here\./],
    ["CERT_HAS_EXPIRED", /is not valid today\. Check the date/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /is one for another name\. Check the address\./],
    ["SOMETHING_NEW", /^share.example.com cannot be reached \(SOMETHING_NEW\)\. Check/],
    [undefined, /^share.example.com cannot be reached\. Check/],
  ])("is said for the code %s of bun and Node.js", (code, sentence) => {
    for (const error of [
      Object.assign(new Error(), { code }),
      new TypeError("fetch failed", { cause: { code } }),
      new TypeError("fetch failed", { cause: { code: 0, cause: { code } } }),
    ])
      expect(connectionFailure(error, "share.example.com", "https://share.example.com/", {}).message).toMatch(sentence)
  })

  test.each([
    ["ECONNREFUSED", "The proxy proxy.corp:3128 on the way to share.example.com refuses connections: "],
    ["ENOTFOUND", "The name of the proxy proxy.corp:3128 on the way to share.example.com cannot be resolved. "],
    [
      "ERR_PROXY_TUNNEL",
      "The proxy proxy.corp:3128 on the way to share.example.com does not let the request through. ",
    ],
  ])("is said of the proxy that is on the way (%s)", (code, sentence) => {
    const env = { HTTPS_PROXY: "http://me:secret@proxy.corp:3128" }
    const error = Object.assign(new Error(), { code })
    expect(connectionFailure(error, "share.example.com", "https://share.example.com/", env).message).toStartWith(
      sentence,
    )
  })
})
