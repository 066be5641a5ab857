import { commandLine } from "../lib/package"
import type { Timeouts } from "../lib/timeouts"
import type { OpenCodeClient } from "../opencode/client"
import { type Sync, sessionOf } from "../opencode/sync-items"
import type { Toasts } from "../opencode/toasts"
import { counts, type Published } from "../publishing/published"
import type { Publisher } from "../publishing/publisher"
import type { CreatedShare, ShareApi } from "../server/api"
import { asFailure, Failure } from "../server/errors"
import { hostOf, type Share } from "../server/share"
import type { PrivacyResult } from "../settings/privacy"
import type { Settings, SettingsResult } from "../settings/server"
import type { AllowedServers } from "../state/allowed-servers"
import type { PendingRemovals } from "../state/pending-removals"
import { addressOf, type ShareList } from "../state/share-list"
import type { ShareSeal } from "../state/share-seal"
import type { StateLock } from "../state/state-lock"
import { isAutoShare, type ShareConfig } from "./auto-share"
import type { NativeCalls, NativeShare } from "./bridge"
import { describeReaders } from "./readers"
import { createShare, existingShare } from "./session-share"
import type { UpdateNotice } from "./update-notice"

const UNASKED =
  'OpenCode shares this session by itself. To allow that, set "auto": true in the options of Better Share.'

const LOST_KEY =
  "it was shared with a state folder that is not here (another home folder or machine). Remove it there, or have the operator of the server delete it."

export interface ShareCallsDependencies {
  client: OpenCodeClient
  settings: SettingsResult
  privacy: PrivacyResult
  api: ShareApi
  publisher: Publisher
  removals: PendingRemovals
  allowed: AllowedServers
  shareList: ShareList
  seal: ShareSeal
  lock: StateLock
  updates: UpdateNotice
  toasts: Toasts
  timeouts: Timeouts
}

/** Translates OpenCode's share calls into calls to our server and toasts. */
export class ShareCalls implements NativeCalls {
  readonly #foreign = new Set<string>()
  #isAutoShare = false
  #told = false

  constructor(private readonly dependencies: ShareCallsDependencies) {}

  /** Learns from settings and arguments whether OpenCode shares without asking. */
  configure(config: ShareConfig, args: readonly string[], env: Record<string, string | undefined>): void {
    this.#isAutoShare = isAutoShare(config, args, env)
  }

  async create(sessionId: string): Promise<NativeShare> {
    this.#refuseUnasked()
    try {
      const { share, url } = await this.open(sessionId)
      return { id: share.id, url, secret: this.dependencies.seal.seal(share) }
    } catch (error) {
      const failure = asFailure(error)
      void this.dependencies.toasts.replace("error", `Not shared: ${failure.message}`)
      throw failure
    }
  }

  /**
   * The share of a session: the one that this or another process has made, or a new one, with its first document unless that is
   * large. Used by `/share` and by the organisation fallback.
   */
  async open(sessionId: string): Promise<CreatedShare> {
    const { settings } = this.dependencies
    if ("problem" in settings) throw new Failure("refused", settings.problem)
    if ("problem" in this.dependencies.privacy) throw new Failure("refused", this.dependencies.privacy.problem)
    await this.#refuseUnknownServer(settings)
    // OpenCode may ask twice at once, and so may two processes of it.
    return await this.dependencies.lock.run(sessionId, async () => {
      const deadline = AbortSignal.timeout(this.dependencies.timeouts.create)
      return (
        (await this.#existing(settings, sessionId, deadline)) ?? (await this.#create(settings, sessionId, deadline))
      )
    })
  }

  async #existing(settings: Settings, sessionId: string, deadline: AbortSignal): Promise<CreatedShare | undefined> {
    const existing = await existingShare(settings, sessionId, this.dependencies, deadline)
    if (!existing) return undefined
    this.dependencies.publisher.changed(existing.share, sessionId)
    void this.dependencies.toasts.replace("success", shared(existing, "running"))
    return existing
  }

  async #create(settings: Settings, sessionId: string, deadline: AbortSignal): Promise<CreatedShare> {
    const created = await createShare(settings, sessionId, this.dependencies, deadline)
    void this.dependencies.updates.compare(settings.base, created.plugin).catch(() => undefined)
    const outcome = await this.dependencies.publisher.publishFirst(created, sessionId, deadline)
    if (outcome instanceof Failure) {
      // A link without a session is useless.
      void this.dependencies.publisher
        .forget(created.share)
        .then(() => this.dependencies.removals.remove(created.share))
        .catch(() => undefined)
      throw outcome
    }
    void this.dependencies.toasts.replace("success", shared(created, outcome))
    return created
  }

  /** Removes the shares of a session that was deleted, whichever process made them. */
  async sessionDeleted(sessionId: string): Promise<void> {
    for (const { share } of await this.dependencies.shareList.ofSession(sessionId)) {
      await this.dependencies.publisher.forget(share)
      await this.dependencies.removals.remove(share)
    }
  }

  sync(id: string, secret: string, sync: Sync): void {
    const share = this.dependencies.seal.open(id, secret)
    if (share === undefined || share === "lost") return void this.#explainForeign(id, secret, share)
    const sessionId = this.dependencies.publisher.sessionOf(share) ?? sessionOf(sync)
    // A sync without a session contains nothing that readers see.
    if (sessionId !== undefined) this.dependencies.publisher.changed(share, sessionId, sync)
  }

  async remove(id: string, secret: string): Promise<void> {
    const share = this.dependencies.seal.open(id, secret) ?? (await this.#nativeShare(id, secret))
    if (share === "lost") {
      void this.dependencies.toasts.replace("error", `Not unshared, the link still works: ${LOST_KEY}`)
      throw new Failure("refused", LOST_KEY)
    }
    if (!share) {
      void this.dependencies.toasts.replace(
        "error",
        "Not unshared: this link was made without Better Share. Disable the plugin and /unshare again.",
      )
      throw new Failure("refused", "This share was made without Better Share.")
    }
    try {
      await this.#remove(share)
    } catch (error) {
      const failure = asFailure(error)
      this.dependencies.publisher.resume(share)
      void this.dependencies.toasts.replace("error", `Not unshared, the link still works: ${failure.message}`)
      throw failure
    }
  }

  async #remove(share: Share): Promise<void> {
    await this.dependencies.publisher.forget(share)
    const result = await this.dependencies.removals.remove(share)
    const host = hostOf(share.base)
    if (result === "removed")
      void this.dependencies.toasts.replace(
        "success",
        `Unshared: the link no longer works, and ${host} has deleted the session.`,
      )
    else
      void this.dependencies.toasts.replace(
        "warning",
        `Not unshared yet: ${host} cannot remove it now, so the link still works. Better Share keeps trying, also after a restart.`,
      )
  }

  /** Refuses a share that nobody asked for, unless `auto` allows it. */
  get isUnasked(): boolean {
    return this.#isAutoShare && !("auto" in this.dependencies.privacy && this.dependencies.privacy.auto)
  }

  /** Shown once, because OpenCode retries with every session. */
  #refuseUnasked(): void {
    if (!this.isUnasked) return
    if (!this.#told) void this.dependencies.toasts.replace("warning", `Not shared: ${UNASKED}`)
    this.#told = true
    throw new Failure("refused", UNASKED)
  }

  /** Refuses a server that the repository chose and the user has never allowed. */
  async #refuseUnknownServer({ base, chosenBy }: Settings): Promise<void> {
    if (chosenBy !== "project" || (await this.dependencies.allowed.has(base))) return
    throw new Failure(
      "refused",
      `This project names the server ${base}, which you have not allowed. If sessions may go there, run "${commandLine()} allow ${base}" (or set BETTER_SHARE_ALLOWED_SERVERS), then /share again.`,
    )
  }

  /** A share that OpenCode has made on this server without the plugin; its secret is shown to no other server. */
  async #nativeShare(id: string, secret: string): Promise<Share | undefined> {
    const { settings, client } = this.dependencies
    if ("problem" in settings) return undefined
    const link = addressOf({ id, base: settings.base })
    const sessions = await client.sessions().catch(() => [])
    return sessions.some(({ share }) => share?.url === link) ? { id, base: settings.base, secret } : undefined
  }

  async #explainForeign(id: string, secret: string, share: "lost" | undefined): Promise<void> {
    if (this.#foreign.has(id)) return
    this.#foreign.add(id)
    const how = (await this.#nativeShare(id, secret)) ? "/unshare it" : "/unshare it without the plugin"
    await this.dependencies.toasts.show(
      "warning",
      share === "lost"
        ? `The link of this session is not updated any more: ${LOST_KEY}`
        : `This session was shared without Better Share: its link is not updated any more. ${how}, then /share again.`,
    )
  }
}

function shared(created: CreatedShare, outcome: Published | "running"): string {
  const state = outcome === "running" ? "the upload is still under way" : counts(outcome)
  const link = `Shared on ${hostOf(created.share.base)}: ${created.url} - ${state}.`
  return [link, ...describeReaders(created), "/unshare removes it."].join(" ")
}
