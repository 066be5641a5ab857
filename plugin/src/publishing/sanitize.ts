import { isObject, type Json, type Message, type Session } from "../opencode/client"

/**
 * Removes provider data from messages. Only the fields where OpenCode keeps it are touched, never input or output of a tool:
 * a key called `state` or `metadata` there is the user's.
 */

/** Fields with data that only the provider understands: encrypted reasoning, signatures, raw responses. */
const PROVIDER_DATA = [
  "native",
  "providerState",
  "providerMetadata",
  "providerContext",
  "providerResultState",
  "resultMetadata",
]
/** OpenCode 1 keeps provider data of these parts in `metadata`; a tool's own metadata is in `state.metadata`. */
const PROVIDER_METADATA = new Set(["text", "reasoning", "tool"])
/** Response headers and bodies of provider errors can contain tokens, `metadata` the URL of the provider. */
const ERROR_DETAILS = ["responseHeaders", "responseBody", "metadata"]

/** Removes the link: whoever imports a copy does not own the share. */
export const sanitizeSession = (session: Session): Session => without(session, ["share", ...PROVIDER_DATA]) as Session

export function sanitizeMessage(message: Message): Message {
  const cleaned = withSanitizedErrors(without(message, PROVIDER_DATA))
  if (isObject(cleaned.info)) cleaned.info = withSanitizedErrors(without(cleaned.info, PROVIDER_DATA))
  if (Array.isArray(cleaned.parts))
    cleaned.parts = cleaned.parts.map((part) => (isObject(part) ? sanitizePart(part) : part))
  if (Array.isArray(cleaned.content))
    cleaned.content = cleaned.content.map((block) => (isObject(block) ? sanitizeBlock(block) : block))
  return cleaned
}

function sanitizePart(part: Json): Json {
  const opaque = PROVIDER_METADATA.has(String(part.type)) ? [...PROVIDER_DATA, "metadata"] : PROVIDER_DATA
  return withSanitizedErrors(without(part, opaque))
}

/** A content block of an OpenCode 2 message. A tool's `state` is its own; that of text and reasoning is provider data. */
function sanitizeBlock(block: Json): Json {
  const cleaned = withSanitizedErrors(
    without(block, block.type === "tool" ? PROVIDER_DATA : [...PROVIDER_DATA, "state"]),
  )
  if (isObject(cleaned.provider)) cleaned.provider = without(cleaned.provider, ["metadata", ...PROVIDER_DATA])
  return cleaned
}

/** Errors are in `error` and in the `error` of a `retry`, with details beside or below `data`. */
function withSanitizedErrors(object: Json): Json {
  const cleaned = { ...object }
  if (isObject(cleaned.error)) cleaned.error = sanitizeError(cleaned.error)
  if (isObject(cleaned.retry)) cleaned.retry = withSanitizedErrors(cleaned.retry)
  return cleaned
}

function sanitizeError(error: Json): Json {
  const cleaned = without(error, ERROR_DETAILS)
  if (isObject(cleaned.data)) cleaned.data = without(cleaned.data, ERROR_DETAILS)
  return cleaned
}

const without = (object: Json, keys: readonly string[]): Json =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
