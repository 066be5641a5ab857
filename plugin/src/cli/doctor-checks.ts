import { randomBytes } from "node:crypto"
import { packageOrigin } from "../lib/package"
import { canReadProxies, isProxied, proxyOf, readsProxies } from "../lib/proxy"
import { TIMEOUTS } from "../lib/timeouts"
import { uploadDocument } from "../publishing/upload-document"
import { Failure } from "../server/errors"
import { misdirected, send } from "../server/http"
import type { Share } from "../server/share"
import { hostOf } from "../server/share"
import type { Settings } from "../settings/server"
import { createShare } from "../sharing/session-share"
import { removeShare } from "../state/remove-share"
import type { Context } from "./context"
import { ofShare, prepare } from "./preparation"

/** What a check finds out for those after it. */
export interface Findings {
  context: Context
  settings?: Settings
  /** The clock of the server minus that of this machine, in milliseconds. */
  clockAhead?: number | undefined
  share?: Share
  createdAt?: number
  release?: string | undefined
}

export interface Check {
  name: string
  /** Returns what is well. Throws a Failure with what is not, and the next step. */
  run(findings: Findings): Promise<string>
  /** Whether the checks after it can run although this one failed. */
  mayFail?: boolean
}

/** Signed upload links are refused by storages whose clock differs by 15 minutes. */
const MAX_CLOCK_DIFFERENCE = 5 * 60_000
/** A made-up token, in a format that is always removed. */
const TOKEN = `ghp_${"Zk3Qm8Vt5Xw1Bn7Rd4Hs".repeat(2).slice(0, 36)}`
const known = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Failure("refused", "This could not be checked.")
  return value
}

export const CHECKS: readonly Check[] = [
  {
    name: "address",
    async run(findings) {
      findings.settings = findings.context.settings()
      return findings.settings.base
    },
  },
  {
    name: "redaction",
    mayFail: true,
    async run({ context }) {
      const { document, kinds } = await prepare(testSession("ses_doctor"), [], context)
      if (JSON.stringify(document).includes(TOKEN))
        throw new Failure(
          "refused",
          'A made-up GitHub token stays in an upload. Remove "redact": false, and "github-token" in "allow", from your options.',
        )
      return `on: removes ${Object.keys(kinds).join(", ")}`
    },
  },
  {
    name: "plugin",
    mayFail: true,
    async run({ context }) {
      const [file] = context.configuration().plugin
      if (file !== undefined) return `listed in ${file}`
      const { length } = await context.shareList.list()
      const shares = length === 1 ? "session is" : "sessions are"
      return length === 0
        ? "not in your configuration of OpenCode, and nothing is shared"
        : `not in your configuration of OpenCode, so your ${length} shared ${shares} updated by "update" alone`
    },
  },
  {
    name: "proxy",
    mayFail: true,
    async run({ settings, context: { env } }) {
      const url = new URL(known(settings).base)
      const proxy = proxyOf(url, env)
      if (proxy !== undefined && !readsProxies(env) && !canReadProxies())
        throw new Failure(
          "refused",
          `The environment names the proxy ${proxy}, which this Node.js (${process.versions.node}) cannot use. OpenCode does. For this command, use Node.js 24.`,
        )
      if (isProxied(url, env)) return `through ${proxy}`
      return proxy === undefined ? "none" : `none: NO_PROXY has ${url.hostname}`
    },
  },
  {
    name: "connection",
    async run(findings) {
      const { base } = known(findings.settings)
      const who = hostOf(base)
      const began = Date.now()
      const { status, text, date } = await send({
        method: "GET",
        url: `${base}/api/health`,
        who,
        timeout: TIMEOUTS.request,
      })
      if (status >= 500) throw new Failure("broken", `${who} has a problem (status ${status}). Tell who runs it.`)
      if (status !== 200 || !text.includes('"status"')) throw misdirected(who)
      const now = (began + Date.now()) / 2
      findings.clockAhead = date === undefined ? undefined : date - now
      return base.startsWith("https:")
        ? "answers, with a certificate that is trusted here"
        : "answers, without encryption"
    },
  },
  {
    name: "clock",
    mayFail: true,
    async run({ clockAhead, settings }) {
      if (clockAhead === undefined) return "the server does not say its time"
      const minutes = Math.round(Math.abs(clockAhead) / 60_000)
      if (Math.abs(clockAhead) > MAX_CLOCK_DIFFERENCE)
        throw new Failure(
          "refused",
          `The clock of this machine is ${minutes} minutes ${clockAhead > 0 ? "behind" : "ahead of"} that of ${hostOf(known(settings).base)}, and uploads may be refused. Set the clock that is wrong.`,
        )
      return "right"
    },
  },
  {
    name: "token",
    async run(findings) {
      const settings = known(findings.settings)
      const { api, shareList } = tools(findings.context)
      const id = `ses_${randomBytes(12).toString("hex")}`
      const deadline = AbortSignal.timeout(TIMEOUTS.create)
      const created = await createShare(settings, id, { api, shareList }, deadline)
      findings.share = created.share
      findings.createdAt = created.createdAt
      findings.release = created.plugin
      return settings.token === undefined ? "none is needed" : "accepted"
    },
  },
  {
    name: "version",
    mayFail: true,
    async run({ release, settings }) {
      const own = packageOrigin()?.release
      if (own === undefined) return `a checkout; the server has ${release ?? "an older version"}`
      if (release !== undefined && release !== own)
        throw new Failure(
          "refused",
          `This is ${own}, and the server has ${release}. To update, copy the new line for opencode.json from ${known(settings).base}.`,
        )
      return own
    },
  },
  {
    name: "share",
    mayFail: true,
    async run({ context, share, createdAt }) {
      const made = known(share)
      const { api, shareList } = tools(context)
      const prepared = await prepare(testSession("ses_doctor"), [], context)
      const { signal } = new AbortController()
      await uploadDocument(ofShare(prepared, made, known(createdAt)), made, undefined, { api, shareList }, signal)
      const stored = await api.storedMessages(made, 0, signal)
      if (!JSON.stringify(stored).includes("Is this shared?"))
        throw new Failure("broken", `${hostOf(made.base)} does not hand out what was uploaded. Tell who runs it.`)
      return "a test session was uploaded and read"
    },
  },
  {
    name: "removal",
    async run({ context, share }) {
      const { id, base } = known(share)
      const { api, shareList } = tools(context)
      const [entry] = (await shareList.list()).filter((listed) => listed.id === id && listed.base === base)
      const problem = entry && (await removeShare(entry, shareList, context.stateFiles, api))
      if (problem !== undefined) throw new Failure("refused", `The test session is still shared: ${problem}`)
      return "the test session was removed"
    },
  },
]

const tools = (context: Context) => ({ api: context.api(), shareList: context.shareList })

const testSession = (id: string) => ({
  // The rules of the project apply in which this is run.
  session: { id, title: "A test of doctor", directory: process.cwd() },
  messages: [
    {
      info: { id: "msg_1", sessionID: id, role: "user", time: { created: Date.now() } },
      parts: [{ id: "prt_1", sessionID: id, messageID: "msg_1", type: "text", text: `Is this shared? TOKEN=${TOKEN}` }],
    },
  ],
  children: [],
})
