import { type Bridge, openBridge } from "./sharing/bridge"
import type { Machine } from "./privacy/filter"
import { copy } from "./lib/clipboard"
import type { ShareConfig } from "./sharing/auto-share"
import type { Host, Session } from "./opencode/client"
import { Ledger } from "./state/share-list"
import type { Limits } from "./lib/timeouts"
import { Memory } from "./state/state-files"
import { Organisation } from "./sharing/organisation"
import type { PrivacyResult } from "./settings/privacy"
import { Publisher } from "./publishing/publisher"
import { Removals } from "./state/pending-removals"
import { Server } from "./server/api"
import type { SettingsResult } from "./settings/server"
import { Sharing } from "./sharing/share-calls"
import { Toasts } from "./opencode/toasts"

/** Nothing listens there: share calls fail, and nothing leaves the machine. */
export const DEAD_END = "http://127.0.0.1:9"

export interface BetterShare {
  /** What OpenCode is to take for its share server. */
  url: string
  /** Says what OpenCode is set to, and what it was started with. */
  configure(config: ShareConfig, args: readonly string[], env: Record<string, string | undefined>): void
  /** After OpenCode has started; before, asking it anything would deadlock the start. */
  start(): Promise<void>
  sessionChanged(session: Session): Promise<void>
  sessionDeleted(sessionId: string): Promise<void>
  contentChanged(sessionId: string): void
  dispose(): Promise<void>
}

export interface Parts {
  host: Host
  settings: SettingsResult
  privacy: PrivacyResult
  machine: Machine
  limits: Limits
  /** Where notes are kept. */
  folder: string
}

/** The one place where the parts are wired together. */
export function startBetterShare({ host, settings, privacy, machine, limits, folder }: Parts): BetterShare {
  const toasts = new Toasts(host, limits)
  const server = new Server(limits)
  const memory = new Memory(folder)
  const ledger = new Ledger(memory)
  const publisher = new Publisher(host, server, privacy, machine, ledger, toasts, limits)
  const removals = new Removals(server, memory, ledger, toasts, limits)
  const sharing = new Sharing(settings, privacy, server, publisher, removals, toasts, limits)
  const organisation = new Organisation(host, sharing, publisher, removals, memory, toasts, copy)
  const bridge = tryToOpen(() => openBridge(sharing))
  return {
    url: bridge?.url ?? DEAD_END,
    configure: (config, args, env) => sharing.configure(config, args, env),
    async start() {
      if (!bridge) void toasts.show("error", "Better Share could not open a port on this machine: nothing will be shared.")
      void removals.retry()
      await organisation.start()
    },
    async sessionChanged(session) {
      publisher.touch(session.id, typeof session.parentID === "string" ? session.parentID : undefined)
      await organisation.onSession(session)
    },
    sessionDeleted: (sessionId) => organisation.onGone(sessionId),
    contentChanged(sessionId) {
      publisher.touch(sessionId)
      organisation.onChange(sessionId)
    },
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
