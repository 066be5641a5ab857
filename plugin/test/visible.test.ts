import { expect, test } from "bun:test"
import { excerpt, visible } from "../src/lib/visible"
import { Toasts } from "../src/opencode/toasts"
import { asFailure } from "../src/server/errors"
import { FakeClient } from "./support/fake-client"
import { SHORT } from "./support/world"

test("what a terminal would obey is shown, and all else stays as it is", () => {
  expect(visible("a\u001b[2J\u009b\u007f\r\n\t\u0000b")).toBe("a\\x1b[2J\\x9b\\x7f\\r\\n\\t\\x00b")
  expect(visible("\u202eevil\u2066\u200f\u061c\u2028\ud800")).toBe("\\u202eevil\\u2066\\u200f\\u061c\\u2028\\ud800")
  expect(visible("Grüße, 世界 👩‍👩‍👧 \\n")).toBe("Grüße, 世界 👩‍👩‍👧 \\n")
})

test("an excerpt has its length, whatever was escaped", () => {
  expect(excerpt("short", 10)).toBe("short")
  expect(excerpt("x".repeat(11), 10)).toBe(`${"x".repeat(10)}…`)
  expect(excerpt("\u001b".repeat(10), 10)).toBe("\\x1b\\x1b\\x…")
})

test("toasts and failures show it too", async () => {
  const client = new FakeClient()
  await new Toasts(client, SHORT).show("info", "\u001b[2J\n")
  expect(client.toasts).toEqual([{ variant: "info", message: "\\x1b[2J\\n" }])
  expect(asFailure(new Error("\u009b\u202e")).message).toBe("Better Share failed unexpectedly (\\x9b\\u202e).")
})
