import { isObject, type Json, type Message, type Session } from "../client"
import type { Row } from "./sqlite"

/**
 * The session in a row of the table `session`, as OpenCode's API has it. The columns are those of OpenCode 1.2 to 1.18; some
 * came later, and a NULL is a field that the session does not have.
 */
export function sessionOf(row: Row): Session {
  const { id, title, version, directory, path, slug, agent, cost } = row
  return {
    id: String(id),
    ...present({
      slug,
      projectID: row.project_id,
      workspaceID: row.workspace_id,
      parentID: row.parent_id,
      directory,
      path,
      title,
      agent,
      version,
      cost,
      model: parsed(row.model),
      metadata: parsed(row.metadata),
      revert: parsed(row.revert),
      permission: parsed(row.permission),
      summary: group({
        additions: row.summary_additions,
        deletions: row.summary_deletions,
        files: row.summary_files,
        diffs: parsed(row.summary_diffs),
      }),
      tokens: group({
        input: row.tokens_input,
        output: row.tokens_output,
        reasoning: row.tokens_reasoning,
        cache: group({ read: row.tokens_cache_read, write: row.tokens_cache_write }),
      }),
      share: group({ url: row.share_url }),
      time: group({
        created: row.time_created,
        updated: row.time_updated,
        compacting: row.time_compacting,
        archived: row.time_archived,
      }),
    }),
  }
}

/** The messages of a session with their parts, from rows in their order; what cannot be parsed is left out. */
export function messagesOf(sessionID: string, messages: readonly Row[], parts: readonly Row[]): Message[] {
  const byMessage = Map.groupBy(parts, ({ message_id }) => String(message_id))
  return messages.flatMap(({ id, data }) => {
    const info = parsed(data)
    if (!isObject(info)) return []
    const own = (byMessage.get(String(id)) ?? []).flatMap((part) => {
      const fields = parsed(part.data)
      return isObject(fields) ? [{ ...fields, id: part.id, sessionID, messageID: id }] : []
    })
    return [{ info: { ...info, id, sessionID }, parts: own }]
  })
}

const present = (fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined))

/** The fields that are present; undefined if none is. */
function group(fields: Json): Json | undefined {
  const found = present(fields)
  return Object.keys(found).length > 0 ? found : undefined
}

function parsed(text: unknown): unknown {
  if (typeof text !== "string") return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
