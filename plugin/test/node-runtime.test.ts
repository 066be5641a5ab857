import { describe, expect, test } from "bun:test"
import { nodeRuntime } from "../src/cli/node-runtime"

/** Paths with which the patterns below have to do. */
const PATHS = [
  "a",
  ".env",
  "a/b",
  "secrets",
  "secrets/plan.md",
  "secrets/.env",
  "secrets/a/b/c.md",
  "x/secrets/plan.md",
  ".secrets/x",
  "app/private notes/plan.md",
  "a.pem",
  "x/y/a.pem",
  "[id]/page.tsx",
  "a+b.txt",
  "a(1).txt",
  "src/ünïcode.md",
  "../outside",
  "../../keys/a.pem",
  "..",
]

const PATTERNS = [
  "**/secrets",
  "**/secrets/**",
  "secrets/**",
  "secrets/*",
  "secrets/*/**",
  "**/*.pem",
  "*.pem",
  "**/.env*",
  "**/*.{pem,key,md}",
  "**/[a-c]",
  "secrets/**/*.md",
  "app/private notes",
  "app/private notes/**",
  "**/a+b.txt",
  "**/a(1).txt",
  "**/*(1).txt",
  "src/*ï*",
  "**/?",
  "**/**",
  "!secrets/**",
  "\\[id\\]/**",
  "../*",
  "**",
  "*",
  "x/*",
  "**/@(a|b)",
  "**/+(a)",
  "**/$*",
  "**/a|b",
  "**/{a,b}/**",
  "**/[!a]",
]

describe("what Node.js does in place of bun", () => {
  test.each(PATTERNS)("matches the pattern %s", (pattern) => {
    const matched = (glob: { match(path: string): boolean }) => PATHS.filter((path) => glob.match(path))
    expect(matched(new nodeRuntime.Glob(pattern))).toEqual(matched(new Bun.Glob(pattern)))
  })

  test("resolves names", async () => {
    const addresses = (await nodeRuntime.dns.lookup("localhost")).map(({ address }) => address)
    expect(addresses).toContain("127.0.0.1")
  })
})
