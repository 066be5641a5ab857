import { isObject, type Json, type Message, type SyncItem } from "./client"

/**
 * A sync of all of a session, which is parsed only if somebody asks for its items: that would hold up OpenCode, and most sessions can
 * be read from OpenCode itself.
 */
export class UnparsedSync {
  constructor(private readonly json: Uint8Array) {}

  items(): readonly SyncItem[] {
    try {
      return itemsOf(JSON.parse(new TextDecoder().decode(this.json)))
    } catch {
      return []
    }
  }
}

export type Sync = readonly SyncItem[] | UnparsedSync

/** The items in the body of a sync. */
export const itemsOf = (body: unknown): SyncItem[] =>
  isObject(body) && Array.isArray(body.data) ? body.data.filter(isSyncItem) : []

const isSyncItem = (value: unknown): value is SyncItem => isObject(value) && typeof value.type === "string"

interface Entry {
  info: Json | undefined
  parts: Map<string, Json>
}

/** The newest state of each message and part in OpenCode's sync batches since the session could last be listed. */
export class SyncedItems {
  readonly #entries = new Map<string, Entry>()
  #syncs: Sync[] = []

  add(sync: Sync): void {
    this.#syncs.push(sync)
  }

  clear(): void {
    this.#syncs = []
    this.#entries.clear()
  }

  /** The stored messages with the changes applied. */
  applyTo(stored: readonly Message[]): Message[] {
    for (const sync of this.#syncs) this.#merge(sync instanceof UnparsedSync ? sync.items() : sync)
    this.#syncs = []
    const mergeOverlaps = new Map<string, Entry>()
    for (const message of stored) {
      const info = isObject(message.info) ? message.info : {}
      const parts = Array.isArray(message.parts) ? message.parts.filter(isObject) : []
      mergeOverlaps.set(String(info.id), { info, parts: new Map(parts.map((part) => [String(part.id), part])) })
    }
    for (const [id, entry] of this.#entries) {
      const before = mergeOverlaps.get(id)
      mergeOverlaps.set(id, {
        info: entry.info ?? before?.info,
        parts: new Map([...(before?.parts ?? []), ...entry.parts]),
      })
    }
    return [...mergeOverlaps.values()]
      .flatMap(({ info, parts }) => (info ? [{ info, parts: [...parts.values()].sort(byId) }] : []))
      .sort((a, b) => createdOf(a.info) - createdOf(b.info) || byId(a.info, b.info))
  }

  #merge(items: readonly SyncItem[]): void {
    for (const { type, data } of items) {
      if (!isObject(data)) continue
      if (type === "message") this.#entry(String(data.id)).info = data
      if (type === "part") this.#entry(String(data.messageID)).parts.set(String(data.id), data)
    }
  }

  #entry(messageId: string): Entry {
    const entry = this.#entries.get(messageId) ?? { info: undefined, parts: new Map<string, Json>() }
    this.#entries.set(messageId, entry)
    return entry
  }
}

/** The id of the session in a sync; the request itself names only the share. */
export function sessionOf(sync: Sync): string | undefined {
  for (const { type, data } of sync instanceof UnparsedSync ? sync.items() : sync) {
    if (!isObject(data)) continue
    const id = type === "session" ? data.id : data.sessionID
    if (typeof id === "string") return id
  }
  return undefined
}

const createdOf = (info: Json): number =>
  isObject(info.time) && typeof info.time.created === "number" ? info.time.created : 0

/** OpenCode's ids ascend with time. */
function byId(a: Json, b: Json): number {
  if (a.id === b.id) return 0
  return String(a.id) < String(b.id) ? -1 : 1
}
