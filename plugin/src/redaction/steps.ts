/** Work that pauses between its steps, so that OpenCode can go on: each `yield` ends a short step. */
export type Steps<T> = Generator<void, T>

/** Does all of the work at once. */
export function finished<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}
