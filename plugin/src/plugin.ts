import { copy } from "./lib/clipboard"
import type { Origin } from "./lib/package"
import type { Timeouts } from "./lib/timeouts"
import type { OpenCodeClient, Session } from "./opencode/client"
import { Toasts } from "./opencode/toasts"
import type { Machine } from "./privacy/filter"
import { Publisher } from "./publishing/publisher"
import { ShareApi } from "./server/api"
import type { PrivacyResult } from "./settings/privacy"
import type { SettingsResult } from "./settings/server"
import type { ShareConfig } from "./sharing/auto-share"
import { type Bridge, openBridge } from "./sharing/bridge"
import { Organisation } from "./sharing/organisation"
import { ShareCalls } from "./sharing/share-calls"
import { UpdateNotice } from "./sharing/update-notice"
import { AllowedServers } from "./state/allowed-servers"
import { PendingRemovals } from "./state/pending-removals"
import { PendingUploads } from "./state/pending-uploads"
import { ShareList } from "./state/share-list"
import { ShareSeal } from "./state/share-seal"
import { StateFiles } from "./state/state-files"
import { StateLock } from "./state/state-lock"

/** Nothing listens there: share calls fail, and nothing leaves the machine. */
export const UNREACHABLE_URL = "http://127.0.0.1:9"

export interface BetterShare {
  /** The URL of the share server for OpenCode. */
  url: string
  /** Called with the configuration of OpenCode and the arguments of its process. */
  configure(config: ShareConfig, args: readonly string[], env: Record<string, string | undefined>): void
  /** Called after OpenCode has started; its API would deadlock during the start. */
  start(): Promise<void>
  sessionChanged(session: Session): Promise<void>
  sessionDeleted(sessionId: string): Promise<void>
  /** A message changed, was added or, with a part or whole, removed. */
  contentChanged(sessionId: string, messageId?: string, isRemoval?: boolean): void
  /** Shows a message to the user. */
  tell(message: string): Promise<void>
  dispose(): Promise<void>
}

export interface Options {
  client: OpenCodeClient
  settings: SettingsResult
  privacy: PrivacyResult
  machine: Machine
  timeouts: Timeouts
  /** Folder of the state files. */
  folder: string
  /** Prints problems where there is no TUI. */
  print?: ((line: string) => void) | undefined
  /** Where this package is from; undefined in a checkout. */
  origin?: Origin | undefined
}

/** Assembles the plugin. */
export function startBetterShare({
  client,
  settings,
  privacy,
  machine,
  timeouts,
  folder,
  print,
  origin,
}: Options): BetterShare {
  const toasts = new Toasts(client, timeouts, print)
  const api = new ShareApi(timeouts, "problem" in settings ? [] : settings.uploadHosts)
  const stateFiles = new StateFiles(folder)
  const shareList = new ShareList(stateFiles)
  const removals = new PendingRemovals(api, stateFiles, shareList, toasts, timeouts)
  const pendingUploads = new PendingUploads(stateFiles)
  const publisher = new Publisher({
    client,
    api,
    privacy,
    machine,
    shareList,
    removals,
    pendingUploads,
    toasts,
    timeouts,
  })
  const allowed = new AllowedServers(stateFiles, machine.env)
  const seal = new ShareSeal(folder)
  const updates = new UpdateNotice(origin, stateFiles, toasts)
  const lock = new StateLock(folder, 2 * timeouts.create)
  const sharing = new ShareCalls({
    client,
    settings,
    privacy,
    api,
    publisher,
    removals,
    allowed,
    shareList,
    seal,
    lock,
    updates,
    toasts,
    timeouts,
  })
  const organisation = new Organisation(client, sharing, publisher, removals, stateFiles, toasts, copy)
  const bridge = tryToOpen(() => openBridge(sharing))
  return {
    url: bridge?.url ?? UNREACHABLE_URL,
    configure: (config, args, env) => sharing.configure(config, args, env),
    async start() {
      if (!bridge)
        void toasts.show("error", "Better Share could not open a port on this machine: nothing will be shared.")
      void removals.retry()
      await Promise.all([organisation.start(), publisher.resumePending()])
    },
    async sessionChanged(session) {
      publisher.sessionTouched(session.id, typeof session.parentID === "string" ? session.parentID : undefined)
      await organisation.onSession(session)
    },
    async sessionDeleted(sessionId) {
      publisher.sessionTouched(sessionId)
      await organisation.onGone(sessionId)
      await sharing.sessionDeleted(sessionId)
    },
    contentChanged(sessionId, messageId, isRemoval = false) {
      publisher.messageTouched(sessionId, messageId, isRemoval)
      organisation.onChange(sessionId)
    },
    tell: (message) => toasts.show("info", message),
    async dispose() {
      removals.close()
      await publisher.dispose()
      bridge?.close()
    },
  }
}

function tryToOpen(open: () => Bridge): Bridge | undefined {
  try {
    return open()
  } catch {
    return undefined
  }
}
