import type { FilteredDocument } from "../privacy/filter"
import type { ShareApi } from "../server/api"
import type { Share } from "../server/share"
import type { ShareList } from "../state/share-list"
import { encodeDocument } from "./document"
import { titleOf } from "./title"

/**
 * Uploads the document of a share, and notes what the next upload and the list of shares need. Returns its size in bytes before
 * compression. The link is undefined where the list knows it.
 */
export async function uploadDocument(
  { document, removed }: FilteredDocument,
  share: Share,
  url: string | undefined,
  { api, shareList }: { api: ShareApi; shareList: ShareList },
  signal: AbortSignal,
): Promise<number> {
  if (!signal.aborted) await shareList.rememberRedacted(share, removed)
  const { body, bytes } = await encodeDocument(document)
  // Before the upload, because its answer may be lost.
  if (!signal.aborted) await shareList.rememberSize(share, bytes)
  await api.upload(share, body, signal)
  // A removal in the meantime has deleted the share from the list.
  if (!signal.aborted) {
    const { sessionId, createdAt } = document
    await shareList.add(share, { url, sessionId, title: titleOf(document), createdAt })
  }
  return bytes
}
