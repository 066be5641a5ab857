import { replaceDocument } from "../publishing/upload-document"
import { Failure } from "../server/errors"
import type { Share } from "../server/share"
import type { Entry } from "../state/share-list"
import { type Command, oneWord, wordOf } from "./command"
import type { Context } from "./context"
import { describe, ofShare, prepare, summaryOf } from "./preparation"
import { isSessionId, readSession, storedSession } from "./session-input"

interface Target {
  entry: Entry
  share: Share
}

export const update: Command = {
  usages: [
    {
      words: "update <session or link>",
      summary: "uploads the present state of a session that is shared, by the same names as share, or by its link",
    },
  ],
  accepts: oneWord,
  async run(given, context) {
    const { output, shareList } = context
    const name = wordOf(given)
    const listed = isSessionId(name) ? [] : await shareList.find(name)
    const snapshot = listed[0] ? await storedSession(listed[0].sessionId, context) : await readSession(name, context)
    const targets =
      listed.length > 0 ? await withSecrets(listed, context) : await shareList.ofSession(snapshot.session.id)
    if (targets.length === 0)
      throw new Failure("missing", `The session ${snapshot.session.id} is not shared from this machine: see \`share\`.`)
    const results = []
    for (const { entry, share } of targets) {
      const prepared = await prepare(snapshot, await shareList.redactedFrom(share), context)
      const summary = summaryOf(prepared)
      output.note(`Uploading to ${entry.url}: ${describe(summary)}`)
      await replaceDocument(
        ofShare(prepared, share, entry.createdAt),
        share,
        entry.url,
        { api: context.api(), shareList },
        new AbortController().signal,
      )
      results.push({ url: entry.url, id: entry.id, server: entry.base, ...summary })
    }
    output.result(
      results,
      results.map(({ url }) => url),
    )
    return 0
  },
}

async function withSecrets(entries: readonly Entry[], { shareList }: Context): Promise<Target[]> {
  const found = await Promise.all(entries.map(async (entry) => ({ entry, share: await shareList.secretOf(entry) })))
  return found.filter((target): target is Target => target.share !== undefined)
}
