/** Every waiting time in one place, in milliseconds. Tests pass shorter ones. */
export interface Timeouts {
  /** How long `/share` may take: OpenCode shows no progress while it waits. */
  create: number
  /** How long `/unshare` may take before the removal goes on in the background. */
  remove: number
  /** How long OpenCode's exit may be held up by a last upload. */
  dispose: number
  /** One call to the server. */
  request: number
  /** One upload; a slow line with a large session needs minutes. */
  upload: number
  /** Pauses between the attempts at one call. */
  retries: readonly number[]
  /** Pauses after a whole round of attempts has failed; the last one repeats. */
  backoff: readonly number[]
  /** When the server asks for a longer wait than this, an attempt gives up and its caller decides. */
  maxRetryAfter: number
  /** OpenCode's own toast about a failed share is wrong; one this much later replaces it. */
  toastDelay: number
  /** Pause before an upload of a document of that many bytes, so that changes are gathered. */
  debounce: (bytes: number) => number
}

const MEGABYTE = 1_000_000

/** Readers of a small session see a change within 5 seconds; a large one is not uploaded again and again. */
export function debounceFor(bytes: number): number {
  if (bytes < 5 * MEGABYTE) return 500
  return Math.min(20_000, (bytes / MEGABYTE) * 1_000)
}

export const TIMEOUTS: Timeouts = {
  create: 8_000,
  remove: 5_000,
  dispose: 3_000,
  request: 10_000,
  upload: 300_000,
  retries: [500, 1_500],
  backoff: [10_000, 30_000, 60_000, 300_000],
  maxRetryAfter: 4_000,
  toastDelay: 700,
  debounce: debounceFor,
}
