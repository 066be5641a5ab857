import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { TIMEOUTS, type Timeouts } from "../../src/lib/timeouts"
import type { SyncItem } from "../../src/opencode/client"
import { type BetterShare, startBetterShare } from "../../src/plugin"
import type { Machine } from "../../src/privacy/filter"
import type { Share } from "../../src/server/share"
import { type PrivacyResult, readPrivacy } from "../../src/settings/privacy"
import type { SettingsResult } from "../../src/settings/server"
import type { NativeShare } from "../../src/sharing/bridge"
import { FakeClient, SESSION, transcript } from "./fake-client"
import { FakeServer } from "./fake-server"

/** Short enough to test, in the same order of size as the real ones. */
export const SHORT: Timeouts = {
  ...TIMEOUTS,
  create: 800,
  firstUpload: 800,
  remove: 300,
  dispose: 400,
  request: 300,
  upload: 2_000,
  retries: [1, 2],
  backoff: [5],
  maxRetryAfter: 100,
  toastDelay: 0,
  debounce: () => 5,
  pause: 5,
}

/** A machine that keeps no secrets. */
const NOWHERE: Machine = { env: {}, home: "" }

interface Choices {
  timeouts?: Partial<Timeouts>
  settings?: SettingsResult
  privacy?: PrivacyResult
  machine?: Machine
  host?: FakeClient
  print?: (line: string) => void
}

/** What versions before 0.2 had OpenCode store for a share. */
export const unsealed = ({ secret, base }: Share): string => `${secret}.${Buffer.from(base).toString("base64url")}`

/** A plugin between a fake OpenCode and a fake server, driven over real sockets as OpenCode does. */
export class World {
  readonly #instances: BetterShare[] = []

  private constructor(
    readonly server: FakeServer,
    readonly host: FakeClient,
    readonly folder: string,
  ) {}

  static async create(host = new FakeClient(transcript())): Promise<World> {
    return new World(new FakeServer(), host, await mkdtemp(join(tmpdir(), "better-share-test-")))
  }

  start({
    timeouts = {},
    settings,
    privacy = readPrivacy({}),
    machine = NOWHERE,
    host = this.host,
    print,
  }: Choices = {}): OpenCode {
    const share = startBetterShare({
      client: host,
      settings: settings ?? { base: this.server.base, token: undefined, chosenBy: "user", uploadHosts: [] },
      privacy,
      machine,
      timeouts: { ...SHORT, ...timeouts },
      folder: this.folder,
      print,
    })
    this.#instances.push(share)
    return new OpenCode(share)
  }

  /** What OpenCode would have stored for a share that exists on the fake server. */
  secretOf(shareId: string): string {
    return unsealed({ id: shareId, base: this.server.base, secret: this.server.shares.get(shareId)?.secret ?? "" })
  }

  async close(): Promise<void> {
    await Promise.all(this.#instances.map((instance) => instance.dispose()))
    await this.server.stop()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** OpenCode's own share calls. */
export class OpenCode {
  constructor(readonly share: BetterShare) {}

  call(method: string, path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.share.url}${path}`, {
      method,
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    })
  }

  create(sessionID = SESSION): Promise<Response> {
    return this.call("POST", "/api/share", { sessionID })
  }

  async created(sessionID = SESSION): Promise<NativeShare> {
    const response = await this.create(sessionID)
    if (!response.ok) throw new Error(`not shared: ${await response.text()}`)
    return (await response.json()) as NativeShare
  }

  sync(
    { id, secret }: { id: string; secret: string },
    data: SyncItem[] = [{ type: "session", data: { id: SESSION } }],
  ): Promise<Response> {
    return this.call("POST", `/api/share/${id}/sync`, { secret, data })
  }

  remove({ id, secret }: { id: string; secret: string }): Promise<Response> {
    return this.call("DELETE", `/api/share/${id}`, { secret })
  }
}
