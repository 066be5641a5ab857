import type { FilteredDocument } from "../privacy/filter"
import type { Committed } from "../server/answers"
import type { ShareApi } from "../server/api"
import { asFailure } from "../server/errors"
import type { Share } from "../server/share"
import type { ShareList } from "../state/share-list"
import { encode } from "./document"
import { titleOf } from "./title"

/** Attempts to upload, while other processes upload as well. */
export const MAX_ATTEMPTS = 4

interface Tools {
  api: ShareApi
  shareList: ShareList
}

export interface UploadedDocument {
  /** Size before compression, in bytes. */
  bytes: number
  /** What the server made of it; undefined where it knows no revisions. */
  committed: Committed | undefined
}

/**
 * Uploads the document of a share as what follows the revision `base`, and notes what the next upload and the list of shares need.
 * The link is undefined where the list knows it. Throws a Failure of the kind "conflict" if the share has another revision.
 */
export async function uploadDocument(
  { document, removed }: FilteredDocument,
  share: Share,
  url: string | undefined,
  { api, shareList }: Tools,
  signal: AbortSignal,
  base = 0,
): Promise<UploadedDocument> {
  if (!signal.aborted) await shareList.rememberRedacted(share, removed)
  const encoded = await encode({ ...document, revision: base + 1 })
  // Before the upload, because its answer may be lost.
  if (!signal.aborted) await shareList.rememberSize(share, encoded.bytes)
  const committed = await api.uploads.snapshot(share, encoded, base, signal)
  await list(document, share, url, shareList, signal)
  return { bytes: encoded.bytes, committed }
}

/** As `uploadDocument`, in place of whatever is there. */
export async function replaceDocument(
  filtered: FilteredDocument,
  share: Share,
  url: string | undefined,
  tools: Tools,
  signal: AbortSignal,
): Promise<UploadedDocument> {
  for (let attempt = 1; ; attempt++) {
    const { revision = 0 } = await tools.api.about(share, signal)
    try {
      return await uploadDocument(filtered, share, url, tools, signal, revision)
    } catch (error) {
      if (asFailure(error).kind !== "conflict" || attempt === MAX_ATTEMPTS) throw error
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
