/** The OpenCode plugin, for version 1 of the plugin API. Only this file and tui.ts (the terminal) use that API. */
import { homedir } from "node:os"
import { fileURLToPath } from "node:url"
import { NAME, packageOrigin, pluginFiles } from "./lib/package"
import { sleep } from "./lib/sleep"
import { TIMEOUTS } from "./lib/timeouts"
import { isObject, type Message, type OpenCodeClient, type Session } from "./opencode/client"
import { type BetterShare, startBetterShare, UNREACHABLE_URL } from "./plugin"
import { Failure } from "./server/errors"
import { type PrivacyResult, readPrivacy } from "./settings/privacy"
import { readSettings, type SettingsResult } from "./settings/server"
import { isInTerminal, userOptions } from "./settings/user-files"
import { isRun, type ShareConfig } from "./sharing/auto-share"
import { TerminalCommands } from "./sharing/terminal-commands"
import { openStateFolder } from "./state/state-files"

interface Answer<T> {
  data?: T
  response?: { status: number; headers?: Headers }
}
type ById = { path: { id: string } }

interface PageQuery {
  limit: number
  /** What a page said about what comes before it. */
  before?: string | undefined
}

interface Page {
  messages: Message[]
  before: string | undefined
}

/** The part of OpenCode's client that the plugin uses. */
interface Client {
  session: {
    get(options: ById): Promise<Answer<Session>>
    messages(options: ById & { query?: PageQuery }): Promise<Answer<Message[]>>
    message?(options: { path: { id: string; messageID: string } }): Promise<Answer<Message>>
    children(options: ById): Promise<Answer<Session[]>>
    list(): Promise<Answer<Session[]>>
    unshare(options: ById): Promise<unknown>
  }
  tui: { showToast(options: { body: { message: string; variant: string; duration: number } }): Promise<unknown> }
  /** The generated client below; the typed one has no method for every route. */
  _client?: { get(options: { url: string }): Promise<Answer<unknown>> }
}

interface Event {
  type: string
  properties?: {
    sessionID?: string
    messageID?: string
    info?: unknown
    part?: { sessionID?: string; messageID?: string }
  }
}

interface Hooks {
  config(config: { enterprise?: { url?: string }; command?: unknown } & ShareConfig): Promise<void>
  "command.execute.before"(input: { command: string }): Promise<void>
  event(input: { event: Event }): Promise<void>
  dispose(): Promise<void>
}

const TOAST_DURATION = 8_000
/** Messages that OpenCode is asked for at a time. */
const PAGE_LENGTH = 40

function clientFrom(client: Client): OpenCodeClient {
  const at = (id: string): ById => ({ path: { id } })
  return {
    async session(id) {
      return present((await client.session.get(at(id))).data, "the session")
    },
    messages: (id) => allMessages(client, id),
    async message(sessionId, id) {
      const answer = await client.session.message?.({ path: { id: sessionId, messageID: id } })
      return answer?.response?.status === 404 ? null : answer?.data
    },
    async children(id) {
      return present((await client.session.children(at(id))).data, "the sub-agents' sessions")
    },
    async sessions() {
      return (await client.session.list()).data ?? []
    },
    async unshare(id) {
      await client.session.unshare(at(id))
    },
    async inOrganisation() {
      const answer = await client._client?.get({ url: "/experimental/console/orgs" })
      const orgs = isObject(answer?.data) && Array.isArray(answer.data.orgs) ? answer.data.orgs : []
      return orgs.some((org) => isObject(org) && org.active === true)
    },
    async toast(toast) {
      await client.tui.showToast({ body: { ...toast, duration: TOAST_DURATION } })
    },
  }
}

/** All messages of a session, in pages: OpenCode does nothing else while it encodes one. Undefined where it cannot list them. */
async function allMessages(client: Client, id: string): Promise<Message[] | undefined> {
  const last = await pageOfMessages(client, id, { limit: PAGE_LENGTH })
  // Releases that have no pages do not say either that there is more.
  if (last && !last.before && last.messages.length === PAGE_LENGTH) return (await pageOfMessages(client, id))?.messages
  const pages: Message[][] = []
  for (let page = last; page; page = await pageOfMessages(client, id, { limit: PAGE_LENGTH, before: page.before })) {
    pages.unshift(page.messages)
    if (!page.before) return pages.flat()
  }
  return undefined
}

async function pageOfMessages(client: Client, id: string, query?: PageQuery): Promise<Page | undefined> {
  const { data, response } = await client.session.messages({ path: { id }, ...(query && { query }) })
  if (response?.status === 400) return undefined
  return { messages: present(data, "the messages"), before: response?.headers?.get("x-next-cursor") ?? undefined }
}

/** The data of a client's response. Throws a temporary Failure if there is none. */
function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Failure("unreadable", `OpenCode did not hand out ${what}.`)
  return value
}

async function route(share: BetterShare, { type, properties = {} }: Event): Promise<void> {
  const { info } = properties
  if (type === "session.created" || type === "session.updated")
    return isSession(info) ? await share.sessionChanged(info) : undefined
  if (type === "session.deleted") return isSession(info) ? await share.sessionDeleted(info.id) : undefined
  const changed = ["message.updated", "message.removed", "message.part.updated", "message.part.removed"].includes(type)
  const sessionId = properties.sessionID ?? properties.part?.sessionID
  if (!changed || sessionId === undefined) return
  const about = type === "message.updated" && isSession(info) ? info.id : undefined
  const messageId = properties.messageID ?? properties.part?.messageID ?? about
  share.contentChanged(sessionId, messageId, type.endsWith(".removed"))
}

const isSession = (value: unknown): value is Session => isObject(value) && typeof value.id === "string"

/** OpenCode reaches the bridge with fetch, which would send loopback calls to a configured proxy. */
function bypassProxy(env: Record<string, string | undefined>): void {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const hosts = (env[name] ?? "").split(",").filter(Boolean)
    if (!hosts.includes("127.0.0.1")) env[name] = [...hosts, "127.0.0.1"].join(",")
  }
}

/** The settings, or why there are none: what a file that cannot be read says may be what protects the session. */
function settingsFrom(options: unknown): { settings: SettingsResult; privacy: PrivacyResult } {
  const { env } = process
  try {
    const own = userOptions({ env, home: homedir(), plugins: [fileURLToPath(import.meta.url)] })
    return { settings: readSettings(own, env, options, packageOrigin()?.url), privacy: readPrivacy(own, options) }
  } catch {
    const problem = "The configuration of OpenCode cannot be read."
    return { settings: { problem }, privacy: { problem } }
  }
}

/** Whether the terminal has the commands of tui.ts; of a configuration that cannot be read, OpenCode complains itself. */
function terminalHasPlugin(): boolean {
  try {
    return isInTerminal({ env: process.env, home: homedir(), plugins: pluginFiles() })
  } catch {
    return true
  }
}

/** Never throws: OpenCode would then share with its vendor's server. */
function tryToStart(client: Client, options: unknown): BetterShare | undefined {
  try {
    bypassProxy(process.env)
    return startBetterShare({
      client: clientFrom(client),
      ...settingsFrom(options),
      machine: { env: process.env, home: homedir() },
      timeouts: TIMEOUTS,
      folder: openStateFolder(process.env),
      print: isRun(process.argv) ? console.error : undefined,
      origin: packageOrigin(),
    })
  } catch {
    return undefined
  }
}

async function server({ client }: { client: Client }, options?: unknown): Promise<Hooks> {
  const share = tryToStart(client, options)
  const commands = new TerminalCommands()
  return {
    async config(config) {
      config.enterprise = { ...config.enterprise, url: share?.url ?? UNREACHABLE_URL }
      share?.configure(config, process.argv, process.env)
      if (!terminalHasPlugin()) config.command = commands.addTo(config.command)
      // Not awaited: OpenCode serves its client only after this hook has returned.
      void sleep(0)
        .then(() => share?.start())
        .catch(() => undefined)
    },
    async "command.execute.before"({ command }) {
      const hint = commands.hintFor(command)
      if (hint === undefined) return
      await share?.tell(hint)
      // Ends the command before a model is asked.
      throw new Error(hint)
    },
    async event({ event }) {
      if (share) await route(share, event).catch(() => undefined)
    },
    async dispose() {
      await share?.dispose().catch(() => undefined)
    },
  }
}

/** OpenCode up to 1.3 calls every export; later versions call `server` of the default one, which may be a function too. */
export default Object.assign(server, { id: NAME, server })
