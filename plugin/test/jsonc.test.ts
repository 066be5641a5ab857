import { describe, expect, test } from "bun:test"
import { parseJsonc } from "../src/lib/jsonc"

const TEXTS = [
  '{"a": 1}',
  '{/* b */ "a": [1, 2,], // c\n}',
  '{"a": "// no comment, \\" ,}", "b": "https://example.com/*x*/,]"}',
  '{"a": 1, // the last one, }\n /* really, ] */ }',
  '["a\\\\", /*"*/ "b"]',
  "// a\r\n[1,\r\n]",
  "[]",
  "{",
  '{"a" 1}',
  "[1 /* open",
  "[1,,2]",
  "",
]

describe("a configuration with comments", () => {
  test.each(TEXTS)("reads %j as bun does", (text) => {
    const read = (parse: (text: string) => unknown) => {
      try {
        return parse(text)
      } catch {
        return "an error"
      }
    }
    expect(read(parseJsonc)).toEqual(read(Bun.JSONC.parse))
  })
})
