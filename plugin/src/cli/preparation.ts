import type { Snapshot } from "../opencode/snapshot"
import type { FilteredDocument } from "../privacy/filter"
import { buildDocument } from "../publishing/document"
import { plural } from "../publishing/published"
import { titleOf } from "../publishing/title"
import type { Secret } from "../redaction/environment"
import type { Share } from "../server/share"
import type { Context } from "./context"
import { megabytes } from "./output"

/** Stands for the share in a document that has none yet. */
const NO_SHARE: Share = { id: "", base: "", secret: "" }

/** The document of a session without what must not leave this machine. `known` are secrets that were removed from it before. */
export async function prepare(
  snapshot: Snapshot,
  known: readonly Secret[],
  context: Context,
): Promise<FilteredDocument> {
  const document = await buildDocument(NO_SHARE, 0, snapshot, Date.now())
  return await context.filter(snapshot.session).apply(document, known)
}

/** The document, made the one of a share. */
export const ofShare = (prepared: FilteredDocument, { id }: Share, createdAt: number): FilteredDocument => ({
  ...prepared,
  document: { ...prepared.document, shareId: id, createdAt },
})

export interface Summary {
  sessionId: string
  title: string
  messages: number
  subAgents: number
  bytes: number
  redactions: number
  kinds: Readonly<Record<string, number>>
}

export const summaryOf = ({ document, redactions, kinds }: FilteredDocument): Summary => ({
  sessionId: document.sessionId,
  title: titleOf(document),
  messages: document.messages.length,
  subAgents: document.children?.length ?? 0,
  bytes: Buffer.byteLength(JSON.stringify(document)),
  redactions,
  kinds,
})

/** What is about to be uploaded, for people. */
export function describe({ title, messages, subAgents, bytes, redactions, kinds }: Summary): string {
  const agents = subAgents > 0 ? `, ${plural(subAgents, "session")} of sub-agents` : ""
  const byKind = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`)
  const removed = redactions > 0 ? `${plural(redactions, "redaction")} (${byKind.join(", ")})` : "no redactions"
  return `"${title}": ${plural(messages, "message")}${agents}, ${megabytes(bytes)}, ${removed}.`
}
