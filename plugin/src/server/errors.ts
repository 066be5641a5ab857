import { visible } from "../lib/visible"

/** An error between the plugin and a server; `message` is a sentence for the user. */
export type FailureKind =
  | "unreachable" // no connection, or no answer in time
  | "broken" // 5xx
  | "busy" // 429
  | "link" // the upload link was refused: expired, or not what was signed
  | "misdirected" // something else than a Better Share server answered
  | "unauthorized"
  | "missing" // the share does not exist (any more)
  | "taken" // the share exists already, or belongs to the other way in
  | "conflict" // the share has another revision than the one that an upload was made for
  | "too_large"
  | "refused" // any other 4xx
  | "unreadable" // OpenCode did not hand out the session

const TEMPORARY: ReadonlySet<FailureKind> = new Set([
  "unreachable",
  "broken",
  "busy",
  "link",
  "misdirected",
  "conflict",
  "unreadable",
])

export class Failure extends Error {
  override readonly name = "Failure"
  constructor(
    readonly kind: FailureKind,
    message: string,
    /** `Retry-After` of the response, in milliseconds. */
    readonly retryAfter?: number,
  ) {
    super(visible(message))
  }

  /** Whether the same call may succeed later. */
  get temporary(): boolean {
    return TEMPORARY.has(this.kind)
  }
}

/** Wraps anything thrown in a Failure, so that no user sees a stack trace. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  return new Failure(
    "unreadable",
    `Better Share failed unexpectedly (${error instanceof Error ? error.message : String(error)}).`,
  )
}
