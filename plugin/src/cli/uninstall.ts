import { storagesOf } from "../opencode/storage/open-storage"
import type { Storage, StoredShare } from "../opencode/storage/storage"
import { plural } from "../publishing/published"
import { asFailure, Failure } from "../server/errors"
import type { Command } from "./command"
import type { Context } from "./context"
import { type Removals, removeShares } from "./remove"

/** What was done in one of the places where OpenCode keeps sessions. */
interface Edited {
  path: string
  /** The sessions that are not shared any more. */
  sessions: string[]
  copy: string
}

export const uninstall: Command = {
  usages: [
    {
      words: "uninstall",
      summary: `with OpenCode closed: removes all your shares, and has OpenCode forget that it shared them; says
which lines to remove then. --keep-links leaves the shares on their servers`,
    },
  ],
  options: { "keep-links": { type: "boolean" } },
  accepts: ({ words }) => words.length === 0,
  async run({ options }, context) {
    const { output } = context
    const { edited, problems } = await unshareStored(context)
    for (const { path, sessions, copy } of edited)
      output.note(`${path}: ${plural(sessions.length, "session")} unshared. A copy from before is ${copy}.`)
    for (const problem of problems) output.note(problem)
    // A session whose link is gone and that OpenCode still knows as shared would be sent to the vendor without the plugin.
    const areKept = options["keep-links"] === true || problems.length > 0
    const removals = areKept ? { removed: [], failed: [] } : await removeShares(await context.shareList.list(), context)
    const isDone = problems.length === 0 && removals.failed.length === 0
    const steps = problems.length > 0 ? byHand() : stepsLeft(context, removals, areKept)
    output.result({ ok: isDone, edited, problems, ...removals, steps }, [
      ...removals.removed.map((url) => `Removed: ${url}`),
      ...steps.map((step, index) => `${index + 1}. ${step}`),
    ])
    return isDone ? 0 : 1
  },
}

/** Has OpenCode forget the shares of the plugin, after noting in the list those that only OpenCode knows. */
async function unshareStored(context: Context): Promise<{ edited: Edited[]; problems: string[] }> {
  const edited: Edited[] = []
  const problems: string[] = []
  for await (const storage of storagesOf(context.place)) {
    try {
      if (storage instanceof Failure) throw storage
      const { path } = storage
      const sessions = await sharedByPlugin(storage, context)
      if (sessions.length === 0) storage.close()
      else edited.push({ path, sessions, copy: await storage.unshare(sessions) })
    } catch (error) {
      problems.push(asFailure(error).message)
    }
  }
  return { edited, problems }
}

async function sharedByPlugin(storage: Storage, context: Context): Promise<string[]> {
  const shared: string[] = []
  for (const stored of await storage.shares()) {
    const share = context.seal.open(stored.id, stored.secret)
    // Shared without the plugin.
    if (share === undefined) continue
    shared.push(stored.sessionId)
    if (share === "lost") noteLost(stored, context)
    else {
      const { url, sessionId } = stored
      const isListed = (await context.shareList.list()).some(({ id, base }) => id === share.id && base === share.base)
      if (!isListed) await context.shareList.add(share, { url, sessionId, title: "", createdAt: Date.now() })
    }
  }
  return shared
}

const noteLost = ({ url }: StoredShare, { output }: Context): void =>
  output.note(
    `${url} stays: it was shared with a state folder that is not here. Have the operator of its server delete it.`,
  )

/** Where OpenCode's storage could not be changed. */
const byHand = (): string[] => [
  'Leave all lines of the configuration as they are: without "enterprise", OpenCode goes on sending sessions that it knows as shared to its vendor.',
  "Close OpenCode and run this command again; or type /unshare in each session that is shared, in OpenCode with the plugin.",
]

/** What the user has to do, in this order. */
function stepsLeft(context: Context, { failed }: Removals, areKept: boolean): string[] {
  const { plugin, enterprise } = context.configuration()
  const again =
    failed.length > 0 ? ["Run this command again: links still work, and nothing tries later without the plugin."] : []
  const at = (files: readonly string[], missing: string): string => (files.length > 0 ? files.join(" and ") : missing)
  return [
    ...again,
    `Remove the line of the plugin from ${at(plugin, "the opencode.json that has it")}.`,
    `Then remove "enterprise" from ${at(enterprise, "the opencode.json that has it")}. /share goes to OpenCode's vendor from then on.`,
    areKept || failed.length > 0
      ? `Keep ${context.folder}: it has what it takes to remove the links.`
      : `${context.folder} can be deleted.`,
  ]
}
