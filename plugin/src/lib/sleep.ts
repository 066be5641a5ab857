/** Waits, or until the signal aborts. Never rejects, and never keeps the process alive. */
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

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
}

/** The pause before this attempt; the last one of the list repeats. */
export const backoffAt = (pauses: readonly number[], attempt: number): number =>
  pauses[Math.min(attempt, pauses.length - 1)] ?? 0
