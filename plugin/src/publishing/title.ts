import type { Message } from "../opencode/client"
import type { Transcript } from "../opencode/snapshot"

interface Prompt {
  info?: { role?: unknown }
  parts?: { type?: unknown; text?: unknown; synthetic?: unknown }[]
  type?: unknown
  text?: unknown
}

const maxLength = 80
/** OpenCode's titles for sessions that it has not named yet. */
const defaultTitle = /^(?:New|Child) session - \d{4}-\d\d-\d\dT[\d:.]+Z?$/

/** The title of a session; of one that has only OpenCode's default title, the first line of its first prompt. */
export function titleOf({ session, messages }: Transcript): string {
  const own = String(session.title ?? "").trim()
  return own && !defaultTitle.test(own) ? own : shortened(firstPrompt(messages))
}

function firstPrompt(messages: readonly Message[]): string {
  const texts = messages.flatMap((message) => promptTexts(message as Prompt))
  const first = texts.find((text) => typeof text === "string" && text.trim() !== "")
  return (
    String(first ?? "")
      .trim()
      .split("\n", 1)[0] ?? ""
  )
}

/** What a person wrote in a message of OpenCode 1, or of OpenCode 2. */
function promptTexts({ info, parts, type, text }: Prompt): unknown[] {
  if (type === "user") return [text]
  if (info?.role !== "user" || !Array.isArray(parts)) return []
  return parts.filter((part) => part.type === "text" && part.synthetic !== true).map((part) => part.text)
}

/** Cuts between words where there are any. */
function shortened(text: string): string {
  if (text.length <= maxLength) return text
  const space = text.lastIndexOf(" ", maxLength)
  return `${text.slice(0, space < maxLength / 2 ? maxLength : space).trimEnd()}…`
}
