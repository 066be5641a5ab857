import { describe, expect, test } from "bun:test"
import { isProxied } from "../src/lib/proxy"
import { readCreation, readUploadLink } from "../src/server/answers"
import { checkUploadLink, type UploadPolicy } from "../src/server/upload-link"

const NAMES: Record<string, string[]> = {
  "share.example.com": ["203.0.113.7", "2606:4700::1111"],
  "storage.example.net": ["198.51.100.9"],
  "share.corp": ["10.0.0.5"],
  "minio.corp": ["10.0.0.6", "fd00::6"],
  "rebinds.example.net": ["198.51.100.9", "127.0.0.1"],
  "mapped.example.net": ["::ffff:10.0.0.6"],
  "own.example.net": ["203.0.113.7", "127.0.0.1"],
}
const resolve = async (name: string) => NAMES[name] ?? []

const direct: UploadPolicy = { hosts: [], resolverFor: () => resolve }
const proxied: UploadPolicy = { hosts: [], resolverFor: () => undefined }
const check = (link: string, base: string, policy = direct) => checkUploadLink(new URL(link), base, policy)
const PUBLIC = "https://share.example.com"

describe("an upload link may lead", () => {
  test.each([
    ["https://storage.example.net/x?X-Amz-Signature=1", PUBLIC],
    ["https://8.8.8.8/x", PUBLIC],
    ["https://[2606:4700::1111]/x", PUBLIC],
    ["http://storage.example.net/x", "http://share.example.com"],
    ["http://127.0.0.1:8000/api/upload/x", "http://127.0.0.1:8000"],
    ["http://127.0.0.1:9000/x", "http://127.0.0.1:8000"],
    ["http://[::1]:9000/x", "http://localhost:8000"],
    ["https://minio.corp/x", "https://10.0.0.5"],
    ["http://192.168.1.6:9000/x", "http://share.corp"],
    ["https://storage.example.net/x", "https://share.corp"],
  ])("to %s from %s", async (link, base) => {
    await check(link, base)
  })

  test.each([
    ["http://storage.example.net/x", PUBLIC],
    ["ftp://storage.example.net/x", "http://share.example.com"],
    ["https://127.0.0.1/x", PUBLIC],
    ["https://127.9.9.9/x", PUBLIC],
    ["https://2130706433/x", PUBLIC],
    ["https://0x7f.1/x", PUBLIC],
    ["https://0.0.0.0/x", PUBLIC],
    ["https://localhost/x", PUBLIC],
    ["https://localhost./x", PUBLIC],
    ["https://a.localhost/x", PUBLIC],
    ["https://10.1.2.3/x", PUBLIC],
    ["https://172.31.0.1/x", PUBLIC],
    ["https://192.168.0.1/x", PUBLIC],
    ["https://100.64.0.1/x", PUBLIC],
    ["https://169.254.169.254/latest", PUBLIC],
    ["https://224.0.0.1/x", PUBLIC],
    ["https://255.255.255.255/x", PUBLIC],
    ["https://[::1]/x", PUBLIC],
    ["https://[::]/x", PUBLIC],
    ["https://[fe80::1]/x", PUBLIC],
    ["https://[fd12::1]/x", PUBLIC],
    ["https://[::ffff:127.0.0.1]/x", PUBLIC],
    ["https://[::ffff:a00:1]/x", PUBLIC],
    ["https://[::127.0.0.1]/x", PUBLIC],
    ["https://[64:ff9b::10.0.0.1]/x", PUBLIC],
    ["https://[2002:7f00:1::]/x", PUBLIC],
    ["https://minio.corp/x", PUBLIC],
    ["https://rebinds.example.net/x", PUBLIC],
    ["https://mapped.example.net/x", PUBLIC],
    ["https://127.0.0.1/x", "https://own.example.net"],
    ["http://169.254.169.254/latest", "http://share.corp"],
    ["http://127.0.0.1/x", "http://share.corp"],
  ])("not to %s from %s", async (link, base) => {
    await expect(check(link, base)).rejects.toThrow(/^The upload link of /)
  })

  test("into the user's networks where the user names the host", async () => {
    for (const hosts of [["minio.corp"], ["minio.corp:9000"]])
      await check("https://minio.corp:9000/x", PUBLIC, { ...direct, hosts })
    await expect(check("https://minio.corp:9001/x", PUBLIC, { ...direct, hosts: ["minio.corp:9000"] })).rejects.toThrow(
      'allow that host in "uploadHosts"',
    )
    await expect(check("http://minio.corp:9000/x", PUBLIC, { ...direct, hosts: ["minio.corp:9000"] })).rejects.toThrow(
      "is not encrypted",
    )
  })

  test("to any name behind a proxy, which alone knows where it is, but to no literal address inside", async () => {
    await check("https://minio.corp/x", PUBLIC, proxied)
    for (const link of ["https://10.0.0.1/x", "https://localhost/x", "https://[::ffff:10.0.0.1]/x"])
      await expect(check(link, PUBLIC, proxied)).rejects.toThrow("leads into your own network")
  })
})

describe("a proxy", () => {
  const via = { HTTPS_PROXY: "http://proxy.corp:3128", NO_PROXY: "127.0.0.1, .corp,example.net:8443" }
  test.each([
    ["https://share.example.com", via, true],
    ["http://share.example.com", via, false],
    ["https://share.example.com", {}, false],
    ["https://minio.corp", via, false],
    ["https://127.0.0.1:9000", via, false],
    ["https://example.net", via, true],
    ["https://example.net:8443", via, false],
    ["https://share.example.com", { https_proxy: "http://proxy", no_proxy: "*" }, false],
  ])("is asked for %s with %p: %p", (url, env: Record<string, string>, expected) => {
    expect(isProxied(new URL(url), env)).toBe(expected)
  })
})

describe("what a server answers", () => {
  test("has only the headers that are signed for an upload", () => {
    const headers = {
      "Content-Type": "application/json",
      "content-length": "7",
      "X-Amz-Meta-Kind": "session",
      "If-None-Match": "*",
      "Cache-Control": "no\r\nX: y",
      "Content-Encoding": 7,
      Host: "localhost",
      Authorization: "Bearer x",
      Cookie: "a=b",
      "X-Forwarded-For": "127.0.0.1",
      "X-HTTP-Method-Override": "DELETE",
    }
    expect(readUploadLink({ presignedUrl: "https://x.example/y", headers, createdAt: 1 })?.headers).toEqual({
      "Content-Type": "application/json",
      "X-Amz-Meta-Kind": "session",
      "If-None-Match": "*",
    })
  })

  test("has a link without anything that a terminal or a shell would obey", () => {
    const made = readCreation({ url: "https://x.example/share/1\r\n\u001b[2J \u202e", secret: "s", createdAt: 1 })
    expect(made?.url).toMatch(/^https:\/\/x\.example\/share\/1[%\w[\]]*$/)
  })

  test.each([
    { url: 7 },
    { url: "javascript:alert(1)" },
    { url: `https://x.example/${"x".repeat(3_000)}` },
    { secret: "two\nlines" },
    { secret: "" },
    { createdAt: 1e300 },
    { createdAt: "1" },
  ])("is no share with %p", (wrong) => {
    expect(readCreation({ url: "https://x.example/share/1", secret: "s", createdAt: 1, ...wrong })).toBeUndefined()
  })
})
