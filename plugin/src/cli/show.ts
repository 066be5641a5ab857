import { TIMEOUTS } from "../lib/timeouts"
import type { ShareApi } from "../server/api"
import { asFailure, Failure } from "../server/errors"
import type { Entry, ShareList } from "../state/share-list"
import { type Command, oneWord, wordOf } from "./command"
import { published } from "./list"
import { isoDate, megabytes } from "./output"
import { isSessionId } from "./session-input"

export const show: Command = {
  usages: [
    { words: "show <session or link>", summary: "the shares of a session: link, whether it works, size and dates" },
  ],
  accepts: oneWord,
  async run(given, context) {
    const { output, shareList } = context
    const name = wordOf(given)
    const entries = isSessionId(name)
      ? (await shareList.list()).filter(({ sessionId }) => sessionId === name)
      : await shareList.find(name)
    if (entries.length === 0) throw new Failure("missing", `No share ${name} is known on this machine: see \`list\`.`)
    const api = context.api()
    const shares = await Promise.all(entries.map((entry) => about(entry, shareList, api)))
    output.result(shares, shares.flatMap(lines))
    return 0
  },
}

interface State {
  state: "works" | "gone" | "unknown"
  expiresAt?: string
  /** Why the state is unknown. */
  problem?: string
}

type About = ReturnType<typeof published> & State & { bytes: number }

async function about(entry: Entry, shareList: ShareList, api: ShareApi): Promise<About> {
  const bytes = await shareList.sizeOf({ ...entry, secret: "" })
  return { ...published(entry), bytes, ...(await stateOf(entry, shareList, api)) }
}

/** What the server says about the share. */
async function stateOf(entry: Entry, shareList: ShareList, api: ShareApi): Promise<State> {
  const share = await shareList.secretOf(entry)
  if (!share) return { state: "unknown", problem: "What it takes to ask its server is not on this machine any more." }
  try {
    const { expiresAt } = await api.about(share, AbortSignal.timeout(TIMEOUTS.request))
    return { state: "works", ...(expiresAt === undefined ? {} : { expiresAt: isoDate(expiresAt) }) }
  } catch (error) {
    const { kind, message } = asFailure(error)
    return { state: kind === "missing" ? "gone" : "unknown", problem: message }
  }
}

function lines({ url, title, sessionId, state, bytes, createdAt, expiresAt, problem }: About): string[] {
  return [
    url,
    `  Title    ${title}`,
    `  Session  ${sessionId}`,
    `  Link     ${state}${problem === undefined ? "" : `: ${problem}`}`,
    `  Size     ${bytes > 0 ? megabytes(bytes) : "nothing was uploaded yet"}`,
    `  Created  ${createdAt}`,
    ...(expiresAt === undefined ? [] : [`  Ends     ${expiresAt}`]),
  ]
}
