import { asFailure } from "../server/errors"
import type { Entry, Ledger } from "./share-list"
import { LIMITS } from "../lib/timeouts"
import type { Memory } from "./state-files"
import { hostOf, type Server } from "../server/api"

/** Removes one of one's own shares. The reason why it could not, if it could not; what may succeed later is tried again. */
export async function removeOwn(entry: Entry, ledger: Ledger, memory: Memory, server: Server): Promise<string | undefined> {
  const share = await ledger.secretOf(entry)
  if (!share) return `What it takes to remove it is not on this machine any more: ask who runs ${hostOf(entry.base)}.`
  try {
    await server.remove(share, LIMITS.request)
  } catch (error) {
    const failure = asFailure(error)
    if (!failure.temporary) return failure.message
    const isKept = await memory.keep({ kind: "removal", share }).then(() => true, () => false)
    return isKept ? `${failure.message} OpenCode tries again when it starts.` : failure.message
  }
  await ledger.strike(share)
  await memory.drop({ kind: "removal", share })
  return undefined
}
