import { setImmediate } from "node:timers/promises"

const SLICE_MS = 10

/** Cuts long work into slices, between which OpenCode goes on. */
export class TimeSlices {
  #began = performance.now()

  get isOver(): boolean {
    return performance.now() - this.#began >= SLICE_MS
  }

  /** To be awaited often; it seldom waits. */
  async yield(): Promise<void> {
    if (!this.isOver) return
    await setImmediate()
    this.#began = performance.now()
  }
}
