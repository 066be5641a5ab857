import { describe, expect, test } from "bun:test"
import { packSecret, unpackSecret } from "../src/server/share"
import { DEFAULT_BASE, readSettings } from "../src/settings/server"

describe("settings", () => {
  test("without any, the default server is used and known to be the default", () => {
    expect(readSettings(undefined, {})).toEqual({
      base: DEFAULT_BASE,
      token: undefined,
      isDefault: true,
      uploadHosts: [],
    })
  })

  test("the environment comes before the default, and the option before both", () => {
    const env = { BETTER_SHARE_BASE_URL: "https://environment.example/", BETTER_SHARE_TOKEN: "t0ken" }
    expect(readSettings({}, env)).toEqual({
      base: "https://environment.example",
      token: "t0ken",
      isDefault: false,
      uploadHosts: [],
    })
    expect(readSettings({ url: "http://option.example:8080" }, env)).toMatchObject({
      base: "http://option.example:8080",
    })
    expect(readSettings({ url: "https://example.com/our/sessions/" }, env)).toMatchObject({
      base: "https://example.com/our/sessions",
    })
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
    7,
    null,
    {},
  ])("a set but invalid address refuses instead of falling back: %p", (url) => {
    expect(readSettings({ url }, { BETTER_SHARE_BASE_URL: "https://good.example" })).toHaveProperty("problem")
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

describe("the secret that OpenCode keeps", () => {
  const share = { id: "7NSn851p", base: "https://share.example.com:8443", secret: "abc-DEF_123" }

  test("carries the server's base there and back", () => {
    expect(unpackSecret(share.id, packSecret(share))).toEqual(share)
    const below = { ...share, base: "https://example.com/our/sessions" }
    expect(unpackSecret(below.id, packSecret(below))).toEqual(below)
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
