import { describe, expect, test } from "bun:test"
import { gunzipSync } from "node:zlib"
import { debounceFor } from "../src/lib/timeouts"
import { buildDocument, encode } from "../src/publishing/document"
import { sanitizeMessage } from "../src/publishing/sanitize"
import { titleOf } from "../src/publishing/title"
import { recordedSession } from "./support/fixtures"

const share = { id: "7NSn851p", base: "https://share.example.com", secret: "s" }

describe("the document", () => {
  test("of a recorded session keeps everything but the details of provider errors", async () => {
    const recorded = recordedSession("errors-and-abort")
    expect(JSON.stringify(recorded)).toMatch(/responseHeaders.*responseBody.*v1\/chat\/completions/)
    const document = await buildDocument(share, 5, { ...recorded, children: [] }, 9)
    expect(JSON.stringify(document)).not.toMatch(/responseHeaders|responseBody|v1\/chat\/completions/)
    const text = (messages: unknown) =>
      JSON.parse(
        JSON.stringify(messages, (key, value) =>
          ["responseHeaders", "responseBody", "metadata"].includes(key) ? undefined : value,
        ),
      )
    expect(text(document.messages)).toEqual(text(recorded.messages))
    expect(document.session).toEqual(recorded.session)
    expect(document).toMatchObject({ shareId: "7NSn851p", sessionId: recorded.session.id, createdAt: 5, updatedAt: 9 })
    expect(document).not.toHaveProperty("children")
  })

  test("has no link in its session: who imports it does not own the share", async () => {
    const document = await buildDocument(
      share,
      1,
      { session: { id: "ses_1", share: { url: "https://share.example.com/share/1" } }, messages: [], children: [] },
      1,
    )
    expect(document.session).toEqual({ id: "ses_1" })
  })

  test("is compressed, and tells its size before that", async () => {
    const recorded = recordedSession("subagents")
    const document = await buildDocument(share, 1, { ...recorded, children: [recordedSession("subagents.child1")] }, 1)
    const { body, bytes } = await encode(document)
    const json = gunzipSync(body)
    expect(json.byteLength).toBe(bytes)
    expect(JSON.parse(json.toString())).toEqual(JSON.parse(JSON.stringify(document)))
    expect(body.byteLength).toBeLessThan(bytes / 2)
  })

  test("waits longer before the next upload the larger it is", () => {
    expect([0, 4_999_999, 9_000_000, 40_000_000, 1_000_000_000].map(debounceFor)).toEqual([
      500, 500, 9_000, 20_000, 20_000,
    ])
  })
})

describe("cleaning", () => {
  const opaque = { native: 1, providerState: 1, providerMetadata: 1, providerContext: 1, providerResultState: 1 }

  test("keeps what tools were given and answered, even under the names of opaque fields", () => {
    const state = {
      status: "completed",
      input: { state: "open", native: true, metadata: {} },
      output: "ok",
      metadata: { state: 1, providerMetadata: 2, error: { responseBody: "the tool's" } },
    }
    expect(
      sanitizeMessage({ info: { id: "m" }, parts: [{ type: "tool", state, metadata: { openai: "blob" } }] }),
    ).toEqual({ info: { id: "m" }, parts: [{ type: "tool", state }] })
  })

  test("removes the provider's blobs from texts and thoughts", () => {
    const parts = ["text", "reasoning"].map((type) => ({
      type,
      text: "t",
      metadata: { anthropic: { signature: "x" } },
      ...opaque,
    }))
    expect(sanitizeMessage({ info: { ...opaque, id: "m" }, parts })).toEqual({
      info: { id: "m" },
      parts: [
        { type: "text", text: "t" },
        { type: "reasoning", text: "t" },
      ],
    })
  })

  test("removes the details of a retried error", () => {
    const error = {
      name: "APIError",
      data: { message: "busy", statusCode: 500, responseHeaders: {}, responseBody: "", metadata: {} },
    }
    expect(sanitizeMessage({ parts: [{ type: "retry", attempt: 1, error }] })).toEqual({
      parts: [{ type: "retry", attempt: 1, error: { name: "APIError", data: { message: "busy", statusCode: 500 } } }],
    })
  })

  test("knows the messages of OpenCode 2: only a tool's state is its own", () => {
    const error = { type: "unknown", message: "m", responseBody: "x" }
    const message = {
      ...opaque,
      type: "assistant",
      error,
      retry: { attempt: 1, error },
      content: [
        { type: "text", text: "t", state: "blob", ...opaque },
        {
          type: "tool",
          state: { status: "running", input: { state: 1 } },
          provider: { executed: true, metadata: 1, resultMetadata: 1 },
          ...opaque,
        },
        "odd",
      ],
    }
    expect(sanitizeMessage(message)).toEqual({
      type: "assistant",
      error: { type: "unknown", message: "m" },
      retry: { attempt: 1, error: { type: "unknown", message: "m" } },
      content: [
        { type: "text", text: "t" },
        { type: "tool", state: { status: "running", input: { state: 1 } }, provider: { executed: true } },
        "odd",
      ],
    })
  })
})

describe("the title in the list of shares", () => {
  const user = (...parts: object[]) => ({ info: { role: "user" }, parts })
  const text = (words: string, more = {}) => ({ type: "text", text: words, ...more })
  const untitled = { id: "ses_1", title: "New session - 2026-08-20T08:33:35.299Z" }

  test("is that of the session", () => {
    expect(titleOf({ session: { id: "ses_1", title: "Greet" }, messages: [user(text("hello"))] })).toBe("Greet")
  })

  test.each([
    ["OpenCode 1", user({ type: "file" }, text("added", { synthetic: true }), text("\nBuild it\nnow"))],
    ["OpenCode 2", { type: "user", text: "Build it\nnow" }],
  ])("is the first prompt while OpenCode has none: %s", (_, prompt) => {
    const answer = { info: { role: "assistant" }, parts: [text("no")] }
    expect(titleOf({ session: untitled, messages: [answer, prompt, user(text("later"))] })).toBe("Build it")
    expect(titleOf({ session: { id: "ses_1" }, messages: [prompt] })).toBe("Build it")
  })

  test("is cut between words", () => {
    expect(titleOf({ session: untitled, messages: [user(text("word ".repeat(40)))] })).toBe(
      `${"word ".repeat(15)}word…`,
    )
    expect(titleOf({ session: untitled, messages: [] })).toBe("")
  })
})
