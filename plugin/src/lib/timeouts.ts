/** Every waiting time in one place, in milliseconds. Tests pass shorter ones. */
export interface Timeouts {
  /** How long `/share` may take: OpenCode shows no progress while it waits. */
  create: number
  /** How long `/share` waits for the first upload of a long session before that goes on in the background. */
  firstUpload: number
  /** How long `/unshare` may take before the removal goes on in the background. */
  remove: number
  /** How long the last upload may delay the exit of OpenCode. */
  dispose: number
  /** One call to the server. */
  request: number
  /** One upload; a large session on a slow connection takes minutes. */
  upload: number
  /** Pauses between the attempts at one call. */
  retries: readonly number[]
  /** Pauses after a whole round of attempts has failed; the last one repeats. */
  backoff: readonly number[]
  /** The longest `Retry-After` that a call waits for; if it is longer, the call fails and the caller decides. */
  maxRetryAfter: number
  /** Delay of a toast that replaces OpenCode's own, which is wrong after a failed share. */
  toastDelay: number
  /** Debounce period before the upload of a document of `bytes`; changes count as none. */
  debounce: (bytes: number) => number
  /** The shortest time between two uploads of a share. */
  pause: number
}

const MEGABYTE = 1_000_000

/** Where servers take only whole documents, a large one is uploaded less often. */
export function debounceFor(bytes: number): number {
  if (bytes < 5 * MEGABYTE) return 500
  return Math.min(20_000, (bytes / MEGABYTE) * 1_000)
}

export const TIMEOUTS: Timeouts = {
  create: 8_000,
  firstUpload: 600,
  remove: 5_000,
  dispose: 3_000,
  request: 10_000,
  upload: 300_000,
  retries: [500, 1_500],
  backoff: [10_000, 30_000, 60_000, 300_000],
  maxRetryAfter: 4_000,
  toastDelay: 700,
  debounce: debounceFor,
  pause: 1_000,
}
