import { backoffAt, sleep } from "../lib/sleep"
import type { Timeouts } from "../lib/timeouts"
import { asFailure, type Failure } from "../server/errors"

/** Uploads the current state once and returns its size in bytes; 0 if later uploads are of changes alone. */
export type Publish = (signal: AbortSignal) => Promise<number>

/**
 * The uploads of one share, one at a time. Changes during an upload lead to a single further upload, of the newest
 * state.
 */
export class ShareQueue {
  #dirty = false
  #touched = false
  #hurry = false
  #isPending = false
  #bytes = 0
  #running: Promise<void> | undefined
  /** The outcome of the next round of attempts. */
  #next = Promise.withResolvers<Failure | undefined>()
  readonly #stop = new AbortController()
  readonly #wake = new AbortController()

  constructor(
    private readonly publish: Publish,
    private readonly timeouts: Timeouts,
    /** Called after each round of attempts, with its failure if there was one. */
    private readonly onOutcome: (failure: Failure | undefined) => void,
    /** Called when something is to be uploaded, and when all of it is, or never will be. */
    private readonly onPending: (isPending: boolean) => void,
  ) {}

  get stopped(): boolean {
    return this.#stop.signal.aborted
  }

  /**
   * Schedules an upload after the debounce period. Resolves to the failure of the next round of attempts, or undefined;
   * never settles if the queue is stopped before.
   */
  changed(debounce = this.timeouts.debounce(this.#bytes)): Promise<Failure | undefined> {
    const { promise } = this.#next
    if (this.stopped) return promise
    this.#dirty = true
    this.#setPending(true)
    this.#running ??= this.#run(debounce)
    return promise
  }

  /** Marks the share as changed without scheduling: OpenCode will report the change itself, unless it exits before. */
  touch(): void {
    if (this.stopped) return
    this.#touched = true
    this.#setPending(true)
  }

  /** Uploads pending changes now. */
  async flush(): Promise<void> {
    this.#hurry = true
    this.#wake.abort()
    if (this.#dirty || this.#touched) void this.changed()
    await this.#running
  }

  /** Cancels everything, including an upload in progress. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake.abort()
    await this.#running
  }

  async #run(debounce: number): Promise<void> {
    let wait = debounce
    let failures = 0
    while (this.#dirty && !this.stopped) {
      await sleep(this.#hurry ? 0 : wait, this.#wake.signal)
      if (this.stopped) break
      this.#dirty = this.#touched = false
      const { resolve } = this.#next
      this.#next = Promise.withResolvers()
      const failure = await this.#attempt()
      if (this.stopped) break
      if (failure?.temporary) this.#dirty = true
      else if (failure) this.#stop.abort()
      this.#setPending(!this.stopped && (this.#dirty || this.#touched))
      this.onOutcome(failure)
      resolve(failure)
      if (failure && this.#hurry) break
      wait = failure
        ? Math.max(backoffAt(this.timeouts.backoff, failures++), failure.retryAfter ?? 0)
        : Math.max(this.timeouts.pause, this.timeouts.debounce(this.#bytes))
      if (!failure) failures = 0
    }
    this.#running = undefined
  }

  #setPending(isPending: boolean): void {
    if (isPending === this.#isPending) return
    this.#isPending = isPending
    this.onPending(isPending)
  }

  async #attempt(): Promise<Failure | undefined> {
    try {
      this.#bytes = await this.publish(this.#stop.signal)
      return undefined
    } catch (error) {
      return asFailure(error)
    }
  }
}
