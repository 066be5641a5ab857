/**
 * What it costs to share a session and to follow it while it grows: `growth.ts <server> <session.json> <changes>`. The session is
 * shared when it is empty, and grows to all of the file; then a copy of it is shared at once. Prints JSON: bytes, milliseconds, and
 * seconds of CPU of this process.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { TIMEOUTS } from "../src/lib/timeouts"
import { isObject, type Message, messageId, type OpenCodeClient, type Session } from "../src/opencode/client"
import { startBetterShare } from "../src/plugin"
import { readPrivacy } from "../src/settings/privacy"
import { Pauses } from "./pauses"

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

/** The session as far as it has grown. */
const messages: Message[] = []
const client: OpenCodeClient = {
  session: async (id) => ({ ...session, id }),
  messages: async () => [...messages],
  message: async (_, id) => messages.findLast((message) => messageId(message) === id) ?? null,
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

interface Created {
  id: string
  secret: string
}

const create = async (sessionID: string): Promise<Created> => {
  const { id, secret } = await call("/api/share", { sessionID })
  return { id: String(id), secret: String(secret) }
}

/** Waits until the page of the last message is there. */
async function seen({ id }: Created): Promise<void> {
  const last = messageId(all.at(-1) ?? {})
  while (!(await (await send(`${server}/share/${id}/m/${last}`)).text()).includes(last)) await Bun.sleep(20)
}

async function grow(): Promise<Record<string, number>> {
  const share = await create(session.id)
  const step = Math.ceil(all.length / Number(changes))
  const cpu = process.cpuUsage()
  const pauses = new Pauses()
  const began = performance.now()
  for (let start = 0; start < all.length; start += step) {
    const added = all.slice(start, start + step)
    messages.push(...added)
    await call(`/api/share/${share.id}/sync`, {
      secret: share.secret,
      data: added.map(({ info }) => ({ type: "message", data: info })),
    })
    await Bun.sleep(20)
  }
  await seen(share)
  const { user, system } = process.cpuUsage(cpu)
  return {
    uploaded,
    cpu_seconds: (user + system) / 1e6,
    pause_ms: pauses.stop(),
    seconds: (performance.now() - began) / 1e3,
  }
}

/** Shares all of the session at once. */
async function shareAll(): Promise<Record<string, number>> {
  const pauses = new Pauses()
  const cpu = process.cpuUsage()
  const began = performance.now()
  const share = await create(`${session.id}00000000`)
  const returned = performance.now() - began
  await seen(share)
  const { user, system } = process.cpuUsage(cpu)
  return {
    first_returned_ms: returned,
    first_page_ms: performance.now() - began,
    first_pause_ms: pauses.stop(),
    first_cpu_seconds: (user + system) / 1e6,
  }
}

console.log(JSON.stringify({ ...(await grow()), ...(await shareAll()) }))
await share.dispose()
await rm(folder, { recursive: true })
process.exit(0)
