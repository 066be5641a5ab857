import { describe, expect, test } from "bun:test"
import { jsonPieces } from "../src/lib/json-pieces"
import { recordedSession } from "./support/fixtures"

const pieces = (value: unknown): string[] => [...jsonPieces(value)]
const PAIR = "\u{1f600}"

describe("JSON in pieces", () => {
  test.each([
    ["nothing", {}],
    ["empty lists and texts", { a: [], b: {}, c: "", d: null }],
    ["a recorded session", recordedSession("subagents")],
    ["a long text with everything that is escaped", `"\\\n\t\u0000\u2028é${PAIR}`.repeat(50_000)],
    ["a long text whose pieces would end within a pair", `x${PAIR.repeat(200_000)}`],
    ["a long text with halves of pairs", "\ud83d".repeat(200_000)],
    ["many small things", Array.from({ length: 50_000 }, (_, n) => ({ [`key ${n}`]: [n, true, null, "é"] }))],
    ["long keys", { ["k".repeat(200_000)]: [{}, [], "x".repeat(100_000)] }],
    ["what is left out", { a: undefined, b: "x".repeat(100_000), c: undefined, d: [undefined, "y".repeat(100_000)] }],
  ])("is that of JSON.stringify for %s", (_, value) => {
    expect(pieces(value).join("")).toBe(JSON.stringify(value))
  })

  test("has no piece that is much longer than 64 K, though a text may be", () => {
    const longest = Math.max(...pieces({ parts: [{ text: "line\n".repeat(400_000) }] }).map(({ length }) => length))
    expect(longest).toBeLessThan(2 * 65_536)
  })
})
