import { describe, expect, test } from "bun:test"
import { Failure } from "../src/server/errors"
import { withRetries } from "../src/server/http"

const attempts = (...failures: (Failure | Error)[]) => {
  const made = { count: 0 }
  return {
    made,
    attempt: async () => {
      const failure = failures[made.count++]
      if (failure) throw failure
      return "done"
    },
  }
}

describe("trying again", () => {
  test("happens after temporary failures, as often as there are pauses", async () => {
    const twice = attempts(new Failure("broken", "x"), new Failure("unreachable", "x"))
    expect(await withRetries(twice.attempt, { pauses: [1, 1], maxRetryAfter: 10 })).toBe("done")
    const thrice = attempts(...Array.from({ length: 9 }, () => new Failure("broken", "x")))
    await expect(withRetries(thrice.attempt, { pauses: [1, 1], maxRetryAfter: 10 })).rejects.toThrow("x")
    expect(thrice.made.count).toBe(3)
  })

  test("does not wait for longer than there is maxRetryAfter: whoever called decides", async () => {
    const { made, attempt } = attempts(new Failure("busy", "x", 3_600_000))
    await expect(withRetries(attempt, { pauses: [1], maxRetryAfter: 10 })).rejects.toThrow("x")
    expect(made.count).toBe(1)
  })

  test("does not happen for what cannot succeed, or when time is up", async () => {
    for (const failure of [new Failure("too_large", "x"), new Error("x")]) {
      const { made, attempt } = attempts(failure)
      await expect(withRetries(attempt, { pauses: [1], maxRetryAfter: 10 })).rejects.toThrow("x")
      expect(made.count).toBe(1)
    }
    const { made, attempt } = attempts(new Failure("broken", "x"))
    await expect(
      withRetries(attempt, { pauses: [3_600_000], maxRetryAfter: 10, signal: AbortSignal.timeout(1) }),
    ).rejects.toThrow("x")
    expect(made.count).toBe(1)
  })
})
