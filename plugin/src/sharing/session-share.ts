import type { CreatedShare, ShareApi } from "../server/api"
import { asFailure } from "../server/errors"
import type { Settings } from "../settings/server"
import type { ShareList } from "../state/share-list"

interface Dependencies {
  api: ShareApi
  shareList: ShareList
}

/** The share that a session has on this server, if it is still there. */
export async function existingShare(
  { base }: Settings,
  sessionId: string,
  { api, shareList }: Dependencies,
  deadline: AbortSignal,
): Promise<CreatedShare | undefined> {
  for (const { entry, share } of await shareList.ofSession(sessionId)) {
    if (share.base !== base) continue
    try {
      await api.about(share, deadline)
      return { share, url: entry.url, createdAt: entry.createdAt }
    } catch (error) {
      if (asFailure(error).kind !== "missing") throw error
      await shareList.remove(share)
    }
  }
  return undefined
}

/** A new share of a session, listed before the upload, so that whatever ends it leaves a share that can be found and removed. */
export async function createShare(
  settings: Settings,
  sessionId: string,
  { api, shareList }: Dependencies,
  deadline: AbortSignal,
): Promise<CreatedShare> {
  const created = await api.create(settings, sessionId, deadline)
  const { share, url, createdAt } = created
  await shareList.add(share, { url, sessionId, title: "", createdAt })
  return created
}
