import { describe, expect, test } from "bun:test"
import { unpackSecret } from "../src/server/share"
import { readSettings } from "../src/settings/server"
import { unsealed } from "./support/world"

describe("settings", () => {
  test("without any, sharing is refused with the way to name a server", () => {
    expect(readSettings(undefined, {})).toEqual({ problem: expect.stringMatching(/BETTER_SHARE_BASE_URL.*"url"/) })
    expect(readSettings({}, {}, {})).toHaveProperty("problem")
  })

  test("a package from a server shares on that server, unless another one is named", () => {
    const packaged = "https://share.example.com/team/"
    const env = { BETTER_SHARE_TOKEN: "t0ken" }
    expect(readSettings({}, env, {}, packaged)).toMatchObject({
      base: "https://share.example.com/team",
      token: "t0ken",
      chosenBy: "user",
    })
    expect(readSettings({ url: "https://a.example" }, env, {}, packaged)).toHaveProperty("base", "https://a.example")
    expect(readSettings({}, env, { url: "https://b.example" }, packaged)).toMatchObject({
      base: "https://b.example",
      chosenBy: "project",
    })
  })

  test("a package that only a project lists is asked about first, and gets no token", () => {
    expect(readSettings(undefined, { BETTER_SHARE_TOKEN: "t0ken" }, {}, "https://share.example.com")).toMatchObject({
      token: undefined,
      chosenBy: "project",
    })
  })

  test("the environment comes first, then the user's options, then the project's", () => {
    const env = { BETTER_SHARE_BASE_URL: "https://environment.example/" }
    const [own, project] = [{ url: "http://own.example:8080" }, { url: "https://project.example/our/sessions/" }]
    expect(readSettings(own, env, project)).toMatchObject({ base: "https://environment.example", chosenBy: "user" })
    expect(readSettings(own, {}, project)).toMatchObject({ base: "http://own.example:8080", chosenBy: "user" })
    expect(readSettings({}, {}, project)).toMatchObject({
      base: "https://project.example/our/sessions",
      chosenBy: "project",
    })
  })

  test("the token goes to the server that the user chose, and to none that only a project names", () => {
    const env = { BETTER_SHARE_TOKEN: "t0ken" }
    const project = { url: "https://project.example" }
    expect(readSettings({}, { ...env, BETTER_SHARE_BASE_URL: "https://a.example" }, project)).toHaveProperty(
      "token",
      "t0ken",
    )
    expect(readSettings({ url: "https://a.example" }, env, project)).toHaveProperty("token", "t0ken")
    expect(readSettings({}, env, project)).toHaveProperty("token", undefined)
  })

  test("a project names no host that a server may upload to", () => {
    const [url, project] = ["https://own.example", { uploadHosts: ["localhost:9000"] }]
    expect(readSettings({ url, uploadHosts: ["minio.corp:9000"] }, {}, project)).toHaveProperty("uploadHosts", [
      "minio.corp:9000",
    ])
    expect(readSettings({ url }, { BETTER_SHARE_UPLOAD_HOSTS: "a.corp,[fd00::1]:9000" }, project)).toHaveProperty(
      "uploadHosts",
      ["a.corp", "[fd00::1]:9000"],
    )
    for (const host of ["https://a.corp", "a.corp/x", "me@a.corp", "", "A B"])
      expect(readSettings({ uploadHosts: [host] }, {})).toHaveProperty("problem")
  })

  test.each([
    "",
    " ",
    "share.example.com",
    "ftp://share.example.com",
    "https://",
    "https://user:pass@share.example.com",
    "https://share.example.com?x=1",
    "https://share.example.com/#x",
    "https://share.example.com/$(id)",
    "https://share.example.com/';id;'",
    7,
    null,
    {},
  ])("a set but invalid address refuses instead of falling back: %p", (url) => {
    expect(readSettings({ url }, { BETTER_SHARE_BASE_URL: "https://good.example" })).toHaveProperty("problem")
    expect(readSettings({ url: "https://good.example" }, {}, { url })).toHaveProperty("problem")
    if (typeof url === "string") expect(readSettings({}, { BETTER_SHARE_BASE_URL: url })).toHaveProperty("problem")
  })

  test("a misspelt option refuses: it could have been the address", () => {
    expect(readSettings({ ulr: "https://share.example.com" }, {})).toHaveProperty("problem")
    expect(readSettings("https://share.example.com", {})).toHaveProperty("problem")
  })

  test("a token that could not be sent refuses", () => {
    expect(readSettings({}, { BETTER_SHARE_TOKEN: "two\nlines" })).toHaveProperty("problem")
  })
})

describe("the secret that OpenCode keeps from versions before 0.2", () => {
  const share = { id: "7NSn851p", base: "https://share.example.com:8443", secret: "abc-DEF_123" }

  test("carries the server's base there and back", () => {
    expect(unpackSecret(share.id, unsealed(share))).toEqual(share)
    const below = { ...share, base: "https://example.com/our/sessions" }
    expect(unpackSecret(below.id, unsealed(below))).toEqual(below)
  })

  test.each([
    "",
    ".",
    "fbde2b8f8972990d",
    "x.",
    ".aHR0cHM6Ly9h",
    "secret.!!!",
    `secret.${btoa("javascript:alert(1)")}`,
    `secret.${btoa("https://a.example/?path")}`,
  ])("is not accepted when the plugin did not make it: %p", (packed) => {
    expect(unpackSecret("id", packed)).toBeUndefined()
  })
})
