import { Failure } from "../server/errors"
import { removeShare } from "../state/remove-share"
import type { Entry } from "../state/share-list"
import { type Command, wordOf } from "./command"
import type { Context } from "./context"

export const remove: Command = {
  usages: [
    {
      words: "remove <link>",
      summary: `makes a link stop working and deletes the session from its server; takes its id,
and the address of anything on its pages, too`,
    },
    { words: "remove --all", summary: "does so with all of them" },
  ],
  options: { all: { type: "boolean" } },
  accepts: ({ words, options }) => words.length === (options.all ? 0 : 1),
  async run(given, context) {
    const { shareList, output } = context
    if (given.options.all) return await removeAll(await shareList.list(), context)
    const name = wordOf(given)
    const entries = await shareList.find(name)
    if (entries.length === 0) throw new Failure("missing", `No share ${name} is known on this machine: see \`list\`.`)
    const links = [...new Set(entries.map(({ url }) => url))]
    if (links.length === 1) return await removeAll(entries, context)
    output.failure(
      `Nothing was removed: ${links.length} shares on different servers are called ${name}. Name one by its link:`,
      "ambiguous",
    )
    for (const link of links) output.note(link)
    return 1
  },
}

export interface Removals {
  /** The links that work no more. */
  removed: string[]
  failed: { url: string; error: string }[]
}

/** Removes shares from their servers, and says which still work. */
export async function removeShares(entries: readonly Entry[], context: Context): Promise<Removals> {
  const { output, shareList, stateFiles } = context
  const api = context.api()
  const results = await Promise.all(
    entries.map(async (entry) => ({ entry, problem: await removeShare(entry, shareList, stateFiles, api) })),
  )
  const failed = results.flatMap(({ entry: { url }, problem }) =>
    problem === undefined ? [] : [{ url, error: problem }],
  )
  for (const { url, error } of failed) output.note(`Not removed, the link still works: ${url}: ${error}`)
  return { removed: results.filter(({ problem }) => problem === undefined).map(({ entry }) => entry.url), failed }
}

async function removeAll(entries: readonly Entry[], context: Context): Promise<number> {
  const { output } = context
  if (entries.length === 0) output.note("No shares are known on this machine.")
  const removals = await removeShares(entries, context)
  output.result(
    removals,
    removals.removed.map((url) => `Removed: ${url}`),
  )
  return removals.failed.length > 0 ? 1 : 0
}
