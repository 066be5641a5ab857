/**
 * What it costs to share a session and to follow it while it grows: `growth.ts <server> <session.json> <changes>`. The session is
 * shared when it is empty, and grows to all of the file. Prints JSON: bytes, milliseconds, and seconds of CPU of this process.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { TIMEOUTS } from "../src/lib/timeouts"
import { isObject, type Message, messageId, type OpenCodeClient, type Session } from "../src/opencode/client"
import { startBetterShare } from "../src/plugin"
import { readPrivacy } from "../src/settings/privacy"

const [server = "", file = "", changes = "300"] = process.argv.slice(2)
const { session, messages: all } = JSON.parse(await readFile(file, "utf8")) as {
  session: Session
  messages: Message[]
}

let uploaded = 0
const send = globalThis.fetch
globalThis.fetch = Object.assign((...[input, init]: Parameters<typeof fetch>): Promise<Response> => {
  if (init?.method === "PUT" && init.body instanceof Uint8Array) uploaded += init.body.byteLength
  return send(input, init)
}, send)

const messages: Message[] = []
const client: OpenCodeClient = {
  session: async () => session,
  messages: async () => structuredClone(messages),
  message: async (_, id) => structuredClone(messages.findLast((message) => messageId(message) === id) ?? null),
  children: async () => [],
  sessions: async () => [session],
  unshare: async () => undefined,
  inOrganisation: async () => false,
  toast: async () => undefined,
}
const folder = await mkdtemp(join(tmpdir(), "better-share-bench-"))
const share = startBetterShare({
  client,
  settings: { base: server, token: undefined, chosenBy: "user", uploadHosts: [] },
  privacy: readPrivacy({}),
  machine: { env: {}, home: "/home/ada" },
  timeouts: TIMEOUTS,
  folder,
})

const call = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
  const response = await send(`${share.url}${path}`, { method: "POST", body: JSON.stringify(body) })
  const answer: unknown = await response.json()
  if (!response.ok || !isObject(answer)) throw new Error(`${path} answered ${response.status}`)
  return answer
}

let last = performance.now()
let pause = 0
const tick = (): void => {
  const now = performance.now()
  pause = Math.max(pause, now - last)
  last = now
}

/** Waits until the page has these words. */
async function seen(url: string, words: string): Promise<void> {
  while (!(await (await send(url)).text()).includes(words)) await Bun.sleep(20)
}

const created = await call("/api/share", { sessionID: session.id })
const own = { id: String(created.id), secret: String(created.secret) }
const step = Math.ceil(all.length / Number(changes))
const ticking = setInterval(tick, 1)
const cpu = process.cpuUsage()
const began = performance.now()
for (let start = 0; start < all.length; start += step) {
  const added = all.slice(start, start + step)
  messages.push(...added)
  tick()
  await call(`/api/share/${own.id}/sync`, {
    secret: own.secret,
    data: added.map(({ info }) => ({ type: "message", data: info })),
  })
  await Bun.sleep(20)
}
const end = all.at(-1)
if (end) await seen(`${server}/share/${own.id}/m/${messageId(end)}`, messageId(end))
const { user, system } = process.cpuUsage(cpu)
clearInterval(ticking)
console.log(
  JSON.stringify({
    uploaded,
    cpu_seconds: (user + system) / 1e6,
    pause_ms: pause,
    seconds: (performance.now() - began) / 1e3,
  }),
)
await share.dispose()
await rm(folder, { recursive: true })
process.exit(0)
