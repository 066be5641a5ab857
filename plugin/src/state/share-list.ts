import type { Secret } from "../redaction/environment"
import type { Share } from "../server/share"
import type { StateRecord } from "./records"
import type { StateFiles } from "./state-files"

export type Entry = Extract<StateRecord, { kind: "share" }>

/** The facts of a share that are known after an upload. */
export interface Shared {
  /** The link that the server returned; unknown after a restart. */
  url: string | undefined
  sessionId: string
  title: string
  createdAt: number
}

/** The user's shares on disk, which can be found and removed even when their sessions are gone. */
export class ShareList {
  readonly #titles = new Map<string, string>()

  constructor(private readonly stateFiles: StateFiles) {}

  /** Adds or updates a share. A write error is ignored: it is no reason not to share. */
  async add(share: Share, { url: given, sessionId, title, createdAt }: Shared): Promise<void> {
    const { id, base } = share
    const address = addressOf(share)
    if (this.#titles.get(address) === title) return
    this.#titles.set(address, title)
    const url = given ?? (await this.stateFiles.read({ kind: "share", id, base }))?.url ?? address
    const note = { kind: "share", id, base, url, sessionId, title, createdAt } as const
    await Promise.all([this.stateFiles.write({ kind: "secret", share }), this.stateFiles.write(note)]).catch(
      () => undefined,
    )
  }

  async remove(share: Share): Promise<void> {
    this.#titles.delete(addressOf(share))
    await this.stateFiles.remove({ kind: "share", ...share })
    await this.stateFiles.remove({ kind: "secret", share })
    await this.stateFiles.remove({ kind: "redacted", ...share })
    await this.stateFiles.remove({ kind: "size", ...share })
    await this.stateFiles.remove({ kind: "upload", ...share })
  }

  /** The secrets removed from the documents of a share. Another process may know none of them and upload the session again. */
  async redactedFrom({ id, base }: Share): Promise<readonly Secret[]> {
    return (await this.stateFiles.read({ kind: "redacted", id, base }))?.secrets ?? []
  }

  async rememberRedacted(share: Share, secrets: readonly Secret[]): Promise<void> {
    const { id, base } = share
    const known = new Set((await this.redactedFrom(share)).map(([value]) => value))
    if (secrets.every(([value]) => known.has(value))) return
    await this.stateFiles.write({ kind: "redacted", id, base, secrets }).catch(() => undefined)
  }

  /** Bytes of the largest document of a share that was uploaded, or may have been; 0 if none is known. */
  async sizeOf({ id, base }: Share): Promise<number> {
    return (await this.stateFiles.read({ kind: "size", id, base }))?.bytes ?? 0
  }

  async rememberSize(share: Share, bytes: number): Promise<void> {
    const { id, base } = share
    if (bytes <= (await this.sizeOf(share))) return
    await this.stateFiles.write({ kind: "size", id, base, bytes }).catch(() => undefined)
  }

  /** All shares, newest first. */
  async list(): Promise<Entry[]> {
    const records = await this.stateFiles.readAll()
    return records.filter((record) => record.kind === "share").sort((a, b) => b.createdAt - a.createdAt)
  }

  /** The shares of a session that are not about to be removed, with their secrets. */
  async ofSession(sessionId: string): Promise<{ entry: Entry; share: Share }[]> {
    const found: { entry: Entry; share: Share }[] = []
    for (const entry of (await this.list()).filter((entry) => entry.sessionId === sessionId)) {
      const share = await this.secretOf(entry)
      if (share && !(await this.stateFiles.read({ kind: "removal", share }))) found.push({ entry, share })
    }
    return found
  }

  /** The shares with this id, link, or URL of one of their pages. */
  async find(name: string): Promise<Entry[]> {
    const page = URL.canParse(name) ? new URL(name) : undefined
    const address = page && page.origin + page.pathname
    return (await this.list()).filter(
      (entry) =>
        entry.id === name ||
        (address !== undefined && [entry.url, addressOf(entry)].some((link) => isPageOf(link, address))),
    )
  }

  /** The share with its secret, which allows removing it. */
  async secretOf(share: Entry): Promise<Share | undefined> {
    return (await this.stateFiles.read({ kind: "secret", share }))?.share
  }
}

/** The link under the URL by which the server was reached, which may differ from the one it returns. */
export const addressOf = ({ base, id }: Pick<Share, "base" | "id">): string => `${base}/share/${id}`

/** `/share/7NSn851p`, with anything below it (`/m/...`) and other formats (`.md`). */
const isPageOf = (link: string, address: string): boolean =>
  address === link || address.startsWith(`${link}/`) || address.startsWith(`${link}.`)
