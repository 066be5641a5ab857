import type { OpenCodeClient, Session } from "../opencode/client"
import type { Toasts } from "../opencode/toasts"
import type { Publisher } from "../publishing/publisher"
import { asFailure } from "../server/errors"
import type { Share } from "../server/share"
import { hostOf } from "../server/share"
import type { PendingRemovals } from "../state/pending-removals"
import type { StateRecord } from "../state/records"
import type { StateFiles } from "../state/state-files"
import type { ShareCalls } from "./share-calls"

/**
 * Logged in to an organisation, OpenCode shares with the organisation's server and never calls the bridge. A link that
 * appears in a session is then the signal to share it on our server too, and a link that disappears the signal to remove it.
 * OpenCode repeats the link of an unshared session in later events, so an unshared session is never published again.
 */
export class Organisation {
  #active = false
  #told = false
  /** The last known link of each session. */
  readonly #links = new Map<string, string | undefined>()
  readonly #shares = new Map<string, Share>()
  readonly #unshared = new Set<string>()

  constructor(
    private readonly client: OpenCodeClient,
    private readonly sharing: ShareCalls,
    private readonly publisher: Publisher,
    private readonly removals: PendingRemovals,
    private readonly stateFiles: StateFiles,
    private readonly toasts: Toasts,
    private readonly copy: (text: string) => Promise<boolean>,
  ) {}

  /** Records which sessions have a link already: only a link that appears later is a new share. */
  async start(): Promise<void> {
    if (!(await this.client.inOrganisation())) return
    const [notes, sessions] = await Promise.all([this.stateFiles.readAll(), this.client.sessions()])
    for (const note of notes) this.#recall(note)
    for (const session of sessions) this.#links.set(session.id, session.share?.url)
    this.#active = true
    // Unshared while the plugin was not running.
    for (const { id } of sessions) if (this.#shares.has(id) && this.#links.get(id) === undefined) await this.onGone(id)
  }

  /** A session was created or updated. */
  async onSession(session: Session): Promise<void> {
    if (!this.#active) return
    const { id } = session
    const link = session.share?.url
    const known = this.#links.has(id)
    const before = this.#links.get(id)
    this.#links.set(id, link)
    if (before !== undefined && link === undefined) return await this.onGone(id)
    if (link === undefined || before !== undefined || this.#unshared.has(id) || this.#shares.has(id))
      return this.onChange(id)
    // A session whose first event has a link may have been shared and unshared long ago. A new one starts without.
    if (known && !this.sharing.isUnasked) await this.#publish(id, link)
  }

  /** The content of a session changed. */
  onChange(sessionId: string): void {
    const share = this.#shares.get(sessionId)
    if (share && !this.#unshared.has(sessionId)) this.publisher.changed(share, sessionId)
  }

  /** A session was unshared or deleted. */
  async onGone(sessionId: string): Promise<void> {
    if (!this.#active) return
    this.#unshared.add(sessionId)
    await this.stateFiles.write({ kind: "unshared", sessionId })
    const share = this.#shares.get(sessionId)
    if (share) await this.#remove(sessionId, share)
  }

  async #publish(sessionId: string, link: string): Promise<void> {
    try {
      const { share, url } = await this.sharing.open(sessionId)
      await this.stateFiles.write({ kind: "organisation", sessionId, share })
      this.#shares.set(sessionId, share)
      if (this.#unshared.has(sessionId)) return await this.#remove(sessionId, share)
      const copied = await this.copy(url)
      await this.toasts.replace("info", `${copied ? "On the clipboard" : "Your link"}: ${url}${this.#warning(link)}`)
    } catch (error) {
      await this.toasts.replace("error", `Not shared on your server: ${asFailure(error).message}${this.#warning(link)}`)
    }
  }

  async #remove(sessionId: string, share: Share): Promise<void> {
    try {
      await this.publisher.forget(share)
      const result = await this.removals.remove(share)
      if (result === "removed") await this.toasts.replace("success", `Removed from ${hostOf(share.base)} too.`)
      else
        await this.toasts.replace(
          "warning",
          `${hostOf(share.base)} cannot remove its copy now, so that link still works. Better Share keeps trying.`,
        )
      this.#shares.delete(sessionId)
      await this.stateFiles.remove({ kind: "organisation", sessionId })
    } catch (error) {
      await this.toasts.replace("error", `Your own link still works: ${asFailure(error).message}`)
    }
  }

  #warning(link: string): string {
    if (this.#told) return ""
    this.#told = true
    return ` (${URL.canParse(link) ? new URL(link).host : "your organisation's server"} has this session too, because OpenCode is logged in to an organisation.)`
  }

  #recall(note: StateRecord): void {
    if (note.kind === "organisation") this.#shares.set(note.sessionId, note.share)
    if (note.kind === "unshared") this.#unshared.add(note.sessionId)
  }
}
