/** Waits, and wakes early when the signal says so; it never rejects and never keeps the process alive. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    timer.unref()
    signal?.addEventListener("abort", done, { once: true })
  })
}

/** The item of a list of pauses for this attempt; the last one repeats. */
export const backoffAt = (pauses: readonly number[], attempt: number): number =>
  pauses[Math.min(attempt, pauses.length - 1)] ?? 0
