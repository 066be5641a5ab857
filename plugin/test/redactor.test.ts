import { describe, expect, test } from "bun:test"
import { Redactor } from "../src/redaction/redactor"

/** Made up when it runs, so that this file has nothing that looks like a secret, and the same every time. */
let seed = 1
const random = (letters: string, length: number) =>
  Array.from({ length }, () => letters[(seed = (seed * 48_271) % 2_147_483_647) % letters.length]).join("")
const ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
const TOKEN = `ghp_${random(ALNUM, 36)}`
const PASSWORD = `${random(ALNUM, 13)}7`

const redactor = (options: Partial<ConstructorParameters<typeof Redactor>[0]> = {}) =>
  new Redactor({ allow: [], deny: [], home: "/home/ada", ...options })

describe("redaction", () => {
  test("counts its markers, and leaves everything else as it is", async () => {
    const document = {
      messages: [{ id: "msg_1", parts: [{ text: `use ${TOKEN} or ${TOKEN}`, time: 5, ok: null }] }, { text: TOKEN }],
    }
    const { value, count } = await redactor().redact(document)
    expect(value).toEqual({
      messages: [
        { id: "msg_1", parts: [{ text: "use [redacted:github-token] or [redacted:github-token]", time: 5, ok: null }] },
        { text: "[redacted:github-token]" },
      ],
    })
    expect(count).toBe(3)
  })

  test("removes what is learnt later from what was uploaded before", async () => {
    const { redact, learn } = bound(redactor())
    expect((await redact({ a: `it is ${PASSWORD}`, b: "more" })).value).toEqual({ a: `it is ${PASSWORD}`, b: "more" })
    const now = await redact({ a: `it is ${PASSWORD}`, b: "more", c: `DB_PASSWORD=${PASSWORD}` })
    expect(now.value).toEqual({ a: "it is [redacted:password]", b: "more", c: "DB_PASSWORD=[redacted:password]" })
    // It stays removed, also when what gave it away is gone.
    expect((await redact({ a: `it is ${PASSWORD}` })).value).toEqual({ a: "it is [redacted:password]" })
    learn([["somewhere else", "environment-variable"]])
    expect((await redact({ a: `it is ${PASSWORD}`, d: "learnt somewhere else" })).value).toEqual({
      a: "it is [redacted:password]",
      d: "learnt [redacted:environment-variable]",
    })
  })

  test("never passes over a secret that it was told, however many the rules find", async () => {
    const { redact, learn } = bound(redactor())
    await redact({ tokens: Array.from({ length: 2_100 }, () => `ghp_${random(ALNUM, 36)}`) })
    learn([["somewhere else", "environment-variable"]])
    expect((await redact({ a: "learnt somewhere else" })).value).toEqual({
      a: "learnt [redacted:environment-variable]",
    })
  })

  test("of a large document lets OpenCode go on, and looks only at what is new the next time", async () => {
    const text = (n: number) =>
      Array.from(
        { length: 400 },
        (_, line) => `${n}.${line}: const token = await session.load("key-${n}", { retries: ${line} })`,
      ).join("\n")
    const messages = Array.from({ length: 500 }, (_, n) => ({ text: text(n) }))
    const { redact } = bound(redactor())
    let turns = 0
    const ticking = setInterval(() => turns++, 0)
    await redact({ messages })
    expect(turns).toBeGreaterThan(10)
    const first = turns
    const again = await redact({ messages: [...structuredClone(messages), { text: TOKEN }] })
    clearInterval(ticking)
    expect(turns - first).toBeLessThan(first / 3)
    expect(again.value.messages.at(-1)).toEqual({ text: "[redacted:github-token]" })
  })

  test("removes each line of a secret that has several, also where they are escaped", async () => {
    const lines = Array.from({ length: 3 }, () => random(ALNUM, 64))
    const key = ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----"].join("\\n")
    const { value } = await redactor().redact([`"${key}"`, `line ${lines[1]}`])
    expect(value).toEqual(['"[redacted:private-key]"', "line [redacted:private-key]"])
    const { redact, learn } = bound(redactor())
    learn([[lines.join("\n"), "environment-variable"]])
    const marker = "[redacted:environment-variable]"
    expect((await redact(lines.map((line) => `+${line}`).join("\n"))).value).toBe(
      Array(3).fill(`+${marker}`).join("\n"),
    )
  })

  test("keeps what is under names that become the same", async () => {
    const files = Object.fromEntries([1, 2, 3].map((n) => [`/tmp/ghp_${random(ALNUM, 36)}`, n]))
    const name = "/tmp/[redacted:github-token]"
    expect((await redactor().redact(files)).value).toEqual({ [name]: 1, [`${name} (2)`]: 2, [`${name} (3)`]: 3 })
  })

  test("leaves allowed kinds and values alone, and removes denied texts of any length", async () => {
    const document = { a: TOKEN, b: `DB_PASSWORD=${PASSWORD}`, c: "Project Apollo, ACME, and ACMEs" }
    const { value } = await redactor({ allow: ["github-token", PASSWORD], deny: ["Project Apollo", "ACME"] }).redact(
      document,
    )
    expect(value).toEqual({
      a: TOKEN,
      b: `DB_PASSWORD=${PASSWORD}`,
      c: "[redacted:private], [redacted:private], and [redacted:private]s",
    })
    const { value: second } = await redactor({ deny: ["token"] }).redact({ a: TOKEN })
    expect(second).toEqual({ a: "[redacted:github-token]" })
  })

  test("shortens the home folder, and no other", async () => {
    const text =
      "/home/ada/x /home/ada file:///home/ada/y -I/home/ada/z x\\n/home/ada/y /home/adam/z /mnt/home/ada.old x-y/home/ada"
    const document: Record<string, unknown> = { text, "/home/ada/file.ts": [1] }
    const { value } = await redactor().redact(document)
    expect(value).toEqual({
      text: "~/x ~ file://~/y -I~/z x\\n~/y /home/adam/z /mnt/home/ada.old x-y/home/ada",
      "~/file.ts": [1],
    })
    expect((await redactor({ home: "/" }).redact({ text })).value).toEqual({ text })
    expect(
      (await redactor({ home: "C:\\Users\\ada" }).redact({ text: 'cd C:\\Users\\ada\\x; {"p": "C:\\\\Users\\\\ada"}' }))
        .value,
    ).toEqual({ text: 'cd ~\\x; {"p": "~"}' })
  })

  test("never makes a document unreadable, whatever is denied", async () => {
    const part = {
      id: "prt_df3cb96caffePPHZxeW77GQ0sZ",
      type: "text",
      text: "text",
      tool: "bash",
      state: { status: "completed" },
    }
    expect((await redactor({ deny: ["text", "bash", "prt", "completed", "state"] }).redact(part)).value).toEqual({
      ...part,
      text: "[redacted:private]",
    })
  })

  test("does not mistake the names of fields", async () => {
    const document = JSON.parse('{"__proto__": {"x": "1234"}, "constructor": "abcd"}')
    expect(JSON.stringify((await redactor().redact(document)).value)).toBe(JSON.stringify(document))
  })
})

function bound(of: Redactor) {
  return { redact: <T>(value: T) => of.redact(value), learn: (secrets: [string, string][]) => of.learn(secrets) }
}
