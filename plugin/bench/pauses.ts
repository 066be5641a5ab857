import { readFileSync } from "node:fs"

/**
 * The longest time in which the event loop could do nothing else, in milliseconds of CPU of this thread (Linux), so that what
 * other processes do on the same machine does not count; elsewhere of the clock.
 */
export class Pauses {
  #last = Pauses.#now()
  #longest = 0
  readonly #timer = setInterval(() => this.look(), 1)

  /** Ends the present pause. */
  look(): void {
    const now = Pauses.#now()
    this.#longest = Math.max(this.#longest, now - this.#last)
    this.#last = now
  }

  /** Leaves out what this thread has done since the last look: it is not the work that is measured. */
  skip(): void {
    this.#last = Pauses.#now()
  }

  /** The longest pause since the start. */
  stop(): number {
    this.look()
    clearInterval(this.#timer)
    return this.#longest
  }

  static #now(): number {
    try {
      return Number(readFileSync("/proc/thread-self/schedstat", "latin1").split(" ", 1)[0]) / 1e6
    } catch {
      return performance.now()
    }
  }
}
