import type { Secret } from "../redaction/environment"
import type { Share } from "../server/share"
import type { StateRecord } from "./records"
import type { StateFiles } from "./state-files"

export type Entry = Extract<StateRecord, { kind: "share" }>

/** What can be told of a share when a document of it was uploaded. */
export interface Shared {
  /** The link as its server gave it; not known after a restart. */
  url: string | undefined
  sessionId: string
  title: string
  createdAt: number
}

/** Remembers one's own shares, so that they can be found and removed also when their sessions are gone. */
export class ShareList {
  readonly #titles = new Map<string, string>()

  constructor(private readonly stateFiles: StateFiles) {}

  /** A share was made or has changed. That it cannot be written down is no reason not to share. */
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
  }

  /** What was removed from the documents of a share: another process may know none of it, and uploads the whole session again. */
  async redactedFrom({ id, base }: Share): Promise<readonly Secret[]> {
    return (await this.stateFiles.read({ kind: "redacted", id, base }))?.secrets ?? []
  }

  async rememberRedacted({ id, base }: Share, secrets: readonly Secret[]): Promise<void> {
    await this.stateFiles.write({ kind: "redacted", id, base, secrets }).catch(() => undefined)
  }

  /** The newest first. */
  async list(): Promise<Entry[]> {
    const records = await this.stateFiles.readAll()
    return records.filter((record) => record.kind === "share").sort((a, b) => b.createdAt - a.createdAt)
  }

  /** Those with that id, link, or address of something on their pages. */
  async find(name: string): Promise<Entry[]> {
    const page = URL.canParse(name) ? new URL(name) : undefined
    const address = page && page.origin + page.pathname
    return (await this.list()).filter(
      (entry) =>
        entry.id === name ||
        (address !== undefined && [entry.url, addressOf(entry)].some((link) => isPageOf(link, address))),
    )
  }

  /** What it takes to remove a share. */
  async secretOf({ id, base }: Entry): Promise<Share | undefined> {
    const records = await this.stateFiles.readAll()
    return records
      .filter((record) => record.kind === "secret")
      .find(({ share }) => share.id === id && share.base === base)?.share
  }
}

/** Where its server was reached; the server may call itself otherwise. */
const addressOf = ({ base, id }: Pick<Share, "base" | "id">): string => `${base}/share/${id}`

/** `/share/7NSn851p`, and what is below it or another form of it: `/m/...`, `.md`. */
const isPageOf = (link: string, address: string): boolean =>
  address === link || address.startsWith(`${link}/`) || address.startsWith(`${link}.`)
