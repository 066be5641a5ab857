import { asFailure } from "./failure"
import type { Entry, Ledger } from "./ledger"
import { LIMITS } from "./limits"
import type { Memory } from "./memory"
import { hostOf, type Server } from "./server"

/** Removes one of one's own shares. The reason why it could not, if it could not. */
export async function removeOwn(entry: Entry, ledger: Ledger, memory: Memory, server: Server): Promise<string | undefined> {
  const share = await ledger.secretOf(entry)
  if (!share) return `What it takes to remove it is not on this machine any more: ask who runs ${hostOf(entry.base)}.`
  try {
    await server.remove(share, LIMITS.request)
  } catch (error) {
    return asFailure(error).message
  }
  await ledger.strike(share)
  await memory.drop({ kind: "removal", share })
  return undefined
}
