import { setImmediate } from "node:timers/promises"
import type { Steps } from "./steps"

const SLICE_MS = 8

/** Divides long work into slices, between which the event loop of OpenCode runs. */
export class TimeSlices {
  #began = performance.now()

  get isOver(): boolean {
    return performance.now() - this.#began >= SLICE_MS
  }

  /** Does the work of `steps`, and pauses between them when a slice is over. */
  async run<T>(steps: Steps<T>): Promise<T> {
    for (;;) {
      const step = steps.next()
      if (step.done) return step.value
      await this.yield()
    }
  }

  async map<T, U>(items: readonly T[], convert: (item: T) => U): Promise<U[]> {
    const converted: U[] = []
    for (const item of items) {
      converted.push(convert(item))
      await this.yield()
    }
    return converted
  }

  /** Await this often: it waits only at the end of a slice. */
  async yield(): Promise<void> {
    if (!this.isOver) return
    await setImmediate()
    this.#began = performance.now()
  }
}
