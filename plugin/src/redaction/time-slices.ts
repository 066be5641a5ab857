import { setImmediate } from "node:timers/promises"

const SLICE_MS = 10

/** Divides long work into slices, between which the event loop of OpenCode runs. */
export class TimeSlices {
  #began = performance.now()

  get isOver(): boolean {
    return performance.now() - this.#began >= SLICE_MS
  }

  /** Await this often: it waits only at the end of a slice. */
  async yield(): Promise<void> {
    if (!this.isOver) return
    await setImmediate()
    this.#began = performance.now()
  }
}
