import { TIMEOUTS } from "../lib/timeouts"
import type { ShareApi } from "../server/api"
import { asFailure } from "../server/errors"
import { hostOf } from "../server/share"
import type { Entry, ShareList } from "./share-list"
import type { StateFiles } from "./state-files"

/** Removes a share of the user. Returns the reason if it failed; a removal that may succeed later is retried. */
export async function removeShare(
  entry: Entry,
  shareList: ShareList,
  stateFiles: StateFiles,
  api: ShareApi,
): Promise<string | undefined> {
  const share = await shareList.secretOf(entry)
  if (!share) return `What it takes to remove it is not on this machine any more: ask who runs ${hostOf(entry.base)}.`
  try {
    await api.remove(share, TIMEOUTS.request)
  } catch (error) {
    const failure = asFailure(error)
    if (!failure.temporary) return failure.message
    const isKept = await stateFiles.write({ kind: "removal", share }).then(
      () => true,
      () => false,
    )
    return isKept ? `${failure.message} OpenCode tries again when it starts.` : failure.message
  }
  await shareList.remove(share)
  await stateFiles.remove({ kind: "removal", share })
  return undefined
}
