import type { FilteredDocument } from "../privacy/filter"
import type { ShareApi } from "../server/api"
import { asFailure } from "../server/errors"
import type { Share } from "../server/share"
import type { ShareList } from "../state/share-list"
import { encode } from "./document"
import { titleOf } from "./title"

export interface UploadedDocument {
  /** Size before compression, in bytes. */
  bytes: number
  /** The revision of the share by now; undefined where the server knows none. */
  revision: number | undefined
}

/** Attempts to follow the revision that the share has, while other processes upload as well. */
const ATTEMPTS = 4

/**
 * Uploads the document of a share, in place of whatever is there, and notes what the next upload and the list of shares need. The
 * link is undefined where the list knows it, and the revision that the share has where nobody has asked for it.
 */
export async function uploadDocument(
  { document, removed }: FilteredDocument,
  share: Share,
  url: string | undefined,
  { api, shareList }: { api: ShareApi; shareList: ShareList },
  signal: AbortSignal,
  known = 0,
): Promise<UploadedDocument> {
  if (!signal.aborted) await shareList.rememberRedacted(share, removed)
  let base = known
  for (let attempt = 1; ; attempt++) {
    const { body, bytes } = await encode({ ...document, revision: base + 1 })
    // Before the upload, because its answer may be lost.
    if (!signal.aborted) await shareList.rememberSize(share, bytes)
    try {
      const revision = await api.uploads.snapshot(share, body, base, signal)
      await list(document, share, url, shareList, signal)
      return { bytes, revision }
    } catch (error) {
      if (asFailure(error).kind !== "conflict" || attempt === ATTEMPTS) throw error
      base = (await api.about(share, signal)).revision ?? 0
    }
  }
}

async function list(
  document: FilteredDocument["document"],
  share: Share,
  url: string | undefined,
  shareList: ShareList,
  signal: AbortSignal,
): Promise<void> {
  // A removal in the meantime has deleted the share from the list.
  if (signal.aborted) return
  const { sessionId, createdAt } = document
  await shareList.add(share, { url, sessionId, title: titleOf(document), createdAt })
}
