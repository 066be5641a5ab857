import { TIMEOUTS } from "../lib/timeouts"
import { latestSession } from "../opencode/storage/open-storage"
import type { FilteredDocument } from "../privacy/filter"
import { replaceDocument } from "../publishing/upload-document"
import type { CreatedShare } from "../server/api"
import { hostOf } from "../server/share"
import type { Settings } from "../settings/server"
import { describeReaders } from "../sharing/readers"
import { createShare, existingShare } from "../sharing/session-share"
import { removeShare } from "../state/remove-share"
import { type Command, wordOf } from "./command"
import type { Context } from "./context"
import { describe, ofShare, prepare, summaryOf } from "./preparation"
import { readSession } from "./session-input"

export const share: Command = {
  usages: [
    {
      words: "share <session>",
      summary: `uploads a session and prints its link; takes the id of a session of OpenCode (ses_...), a file that
"opencode export" wrote, or - for the standard input. --dry-run only says what would be uploaded`,
    },
    {
      words: "share --latest",
      summary: "shares the session of this folder that changed last",
    },
  ],
  options: { "dry-run": { type: "boolean" }, latest: { type: "boolean" } },
  accepts: ({ words, options }) => words.length === (options.latest ? 0 : 1),
  async run(given, context) {
    const { output, shareList } = context
    const name = given.options.latest ? await latestSession(process.cwd(), context.place) : wordOf(given)
    const snapshot = await readSession(name, context)
    const settings = context.settings()
    const sessionId = snapshot.session.id
    const known = await Promise.all(
      (await shareList.ofSession(sessionId)).map(({ share }) => shareList.redactedFrom(share)),
    )
    const prepared = await prepare(snapshot, known.flat(), context)
    const summary = { server: settings.base, ...summaryOf(prepared) }
    const isDry = given.options["dry-run"] === true
    output.note(`${isDry ? "Would be uploaded" : "Uploading"} to ${hostOf(settings.base)}: ${describe(summary)}`)
    if (isDry) {
      output.result(summary, [])
      return 0
    }
    const created = await publish(prepared, settings, context)
    const { share, url, password } = created
    for (const sentence of describeReaders(created)) output.note(sentence)
    output.result({ url, id: share.id, ...(password === undefined ? {} : { password }), ...summary }, [url])
    return 0
  },
}

/** Uploads to the share that the session has, or to a new one, which does not stay without its document. */
export async function publish(prepared: FilteredDocument, settings: Settings, context: Context): Promise<CreatedShare> {
  const { sessionId } = prepared.document
  const { shareList, stateFiles } = context
  const tools = { api: context.api(), shareList }
  // Also an OpenCode that shares this session now waits for this, and finds the share.
  const { created, isNew } = await context.lock.run(sessionId, async () => {
    const deadline = AbortSignal.timeout(TIMEOUTS.create)
    const existing = await existingShare(settings, sessionId, tools, deadline)
    return existing
      ? { created: existing, isNew: false }
      : { created: await createShare(settings, sessionId, tools, deadline), isNew: true }
  })
  const { share, url, createdAt }: CreatedShare = created
  try {
    await replaceDocument(ofShare(prepared, share, createdAt), share, url, tools, new AbortController().signal)
  } catch (error) {
    const [entry] = isNew ? await shareList.find(url) : []
    if (entry) await removeShare(entry, shareList, stateFiles, tools.api)
    throw error
  }
  return created
}
