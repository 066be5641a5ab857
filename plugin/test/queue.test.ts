import { describe, expect, test } from "bun:test"
import { ShareQueue } from "../src/publishing/upload-queue"
import { Failure } from "../src/server/errors"
import { SHORT } from "./support/world"

/** A queue whose uploads end when the test says so. */
function manual(timeouts = {}) {
  const started: PromiseWithResolvers<number>[] = []
  const outcomes: (Failure | undefined)[] = []
  const pending: boolean[] = []
  let noticed = Promise.withResolvers<void>()
  const notice = () => {
    noticed.resolve()
    noticed = Promise.withResolvers<void>()
  }
  const until = async (enough: () => boolean) => {
    while (!enough()) await noticed.promise
  }
  const queue = new ShareQueue(
    (signal) => {
      const upload = Promise.withResolvers<number>()
      signal.addEventListener("abort", () => upload.reject(new Failure("unreachable", "aborted")))
      started.push(upload)
      notice()
      return upload.promise
    },
    { ...SHORT, ...timeouts },
    (failure) => {
      outcomes.push(failure)
      notice()
    },
    (isPending) => pending.push(isPending),
  )
  return { queue, started, outcomes, pending, until }
}

describe("the uploads of one share", () => {
  test("many changes make one upload, and one more for those that came during it", async () => {
    const { queue, started, outcomes, until } = manual()
    for (let n = 0; n < 10; n++) void queue.changed()
    await until(() => started.length === 1)
    for (let n = 0; n < 10; n++) void queue.changed()
    started[0]?.resolve(1)
    await until(() => started.length === 2)
    started[1]?.resolve(1)
    await until(() => outcomes.length === 2)
    await queue.flush()
    expect(started).toHaveLength(2)
  })

  test("a change is told the outcome of the upload that has it", async () => {
    const { queue, started, until } = manual()
    const first = queue.changed()
    await until(() => started.length === 1)
    const second = queue.changed()
    const problem = new Failure("broken", "x")
    started[0]?.reject(problem)
    expect(await first).toBe(problem)
    await until(() => started.length === 2)
    started[1]?.resolve(1)
    expect(await second).toBeUndefined()
    await queue.stop()
  })

  test("the sleep before an upload follows from the size of the one before", async () => {
    const sizes: number[] = []
    const { queue, started, until } = manual({ debounce: (bytes: number) => (sizes.push(bytes), 1) })
    void queue.changed()
    await until(() => started.length === 1)
    void queue.changed()
    started[0]?.resolve(40_000_000)
    await until(() => started.length === 2)
    expect(sizes.at(0)).toBe(0)
    expect(sizes.at(-1)).toBe(40_000_000)
    await queue.stop()
  })

  test("a temporary failure is tried again, a final one ends it", async () => {
    const { queue, started, outcomes, until } = manual()
    void queue.changed()
    await until(() => started.length === 1)
    started[0]?.reject(new Failure("broken", "x"))
    await until(() => started.length === 2)
    started[1]?.reject(new Failure("missing", "x"))
    await until(() => outcomes.length === 2)
    void queue.changed()
    await queue.flush()
    expect(started).toHaveLength(2)
    expect(queue.stopped).toBe(true)
  })

  test("flushing skips the sleep, and uploads what an event announced", async () => {
    const { queue, started, until } = manual({ debounce: () => 3_600_000 })
    queue.touch()
    const flushed = queue.flush()
    await until(() => started.length === 1)
    started[0]?.resolve(1)
    await flushed
    await queue.flush()
    expect(started).toHaveLength(1)
  })

  test("flushing wakes a queue that is waiting", async () => {
    const { queue, started, until } = manual({ debounce: () => 3_600_000 })
    void queue.changed()
    const flushed = queue.flush()
    await until(() => started.length === 1)
    started[0]?.reject(new Failure("broken", "x"))
    await flushed
    expect(started).toHaveLength(1)
  })

  test("stopping aborts the upload that is under way, without an outcome", async () => {
    const { queue, started, outcomes, until } = manual()
    void queue.changed()
    await until(() => started.length === 1)
    await queue.stop()
    expect(outcomes).toEqual([])
  })

  test("something is pending from the first change, until an upload has all of them", async () => {
    const { queue, started, pending, until } = manual()
    queue.touch()
    void queue.changed()
    await until(() => started.length === 1)
    void queue.changed()
    started[0]?.resolve(1)
    await until(() => started.length === 2)
    expect(pending).toEqual([true])
    started[1]?.resolve(1)
    await queue.flush()
    expect(pending).toEqual([true, false])
  })

  test("nothing is pending that never can be uploaded", async () => {
    const { queue, started, outcomes, pending, until } = manual()
    void queue.changed()
    await until(() => started.length === 1)
    started[0]?.reject(new Failure("missing", "x"))
    await until(() => outcomes.length === 1)
    queue.touch()
    expect(pending).toEqual([true, false])
  })
})
