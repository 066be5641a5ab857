import type { Entry } from "../state/share-list"
import type { Command } from "./command"
import { isoDate } from "./output"

/** A share as JSON. */
export const published = ({ url, id, base, sessionId, title, createdAt }: Entry) => ({
  url,
  id,
  server: base,
  sessionId,
  title,
  createdAt: isoDate(createdAt),
})

export const list: Command = {
  usages: [{ words: "list", summary: "your shares on this machine, the newest first" }],
  accepts: ({ words }) => words.length === 0,
  async run(_, { output, shareList }) {
    const entries = await shareList.list()
    if (entries.length === 0) output.note("No shares are known on this machine.")
    output.result(
      entries.map(published),
      entries.map(({ url, title, createdAt }) => `${isoDate(createdAt).slice(0, 10)}  ${url}  ${title}`),
    )
    return 0
  },
}
