import { isObject, type Json, type Message, type Session } from "../opencode/client"

/**
 * What must not leave this machine. Only the places where OpenCode keeps such fields are touched, never what a tool was
 * given or answered: a key called `state` or `metadata` there belongs to the person.
 */

/** Blobs that only the provider understands: encrypted reasoning, signatures, raw responses. */
const OPAQUE = ["native", "providerState", "providerMetadata", "providerContext", "providerResultState", "resultMetadata"]
/** In OpenCode 1 these parts keep the provider's blob in `metadata`; a tool's own is in `state.metadata`. */
const PROVIDER_METADATA = new Set(["text", "reasoning", "tool"])
/** Response headers and bodies of provider errors can carry tokens; `metadata` has the provider's address. */
const ERROR_DETAILS = ["responseHeaders", "responseBody", "metadata"]

/** Without its link: whoever imports a copy does not own the share. */
export const cleanSession = (session: Session): Session => without(session, ["share", ...OPAQUE]) as Session

export function cleanMessage(message: Message): Message {
  const cleaned = withCleanErrors(without(message, OPAQUE))
  if (isObject(cleaned.info)) cleaned.info = withCleanErrors(without(cleaned.info, OPAQUE))
  if (Array.isArray(cleaned.parts)) cleaned.parts = cleaned.parts.map((part) => (isObject(part) ? cleanPart(part) : part))
  if (Array.isArray(cleaned.content)) cleaned.content = cleaned.content.map((block) => (isObject(block) ? cleanBlock(block) : block))
  return cleaned
}

function cleanPart(part: Json): Json {
  const opaque = PROVIDER_METADATA.has(String(part.type)) ? [...OPAQUE, "metadata"] : OPAQUE
  return withCleanErrors(without(part, opaque))
}

/** A content block of an OpenCode 2 message. Only a tool's `state` is its own; a text's or a thought's is the provider's. */
function cleanBlock(block: Json): Json {
  const cleaned = withCleanErrors(without(block, block.type === "tool" ? OPAQUE : [...OPAQUE, "state"]))
  if (isObject(cleaned.provider)) cleaned.provider = without(cleaned.provider, ["metadata", ...OPAQUE])
  return cleaned
}

/** Errors stand in `error`, and in the `error` of a `retry`; their details beside or below `data`. */
function withCleanErrors(object: Json): Json {
  const cleaned = { ...object }
  if (isObject(cleaned.error)) cleaned.error = cleanError(cleaned.error)
  if (isObject(cleaned.retry)) cleaned.retry = withCleanErrors(cleaned.retry)
  return cleaned
}

function cleanError(error: Json): Json {
  const cleaned = without(error, ERROR_DETAILS)
  if (isObject(cleaned.data)) cleaned.data = without(cleaned.data, ERROR_DETAILS)
  return cleaned
}

const without = (object: Json, keys: readonly string[]): Json => Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
