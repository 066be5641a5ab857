import { isObject, type Json, type Message, type SyncItem } from "./client"

interface Entry {
  info: Json | undefined
  parts: Map<string, Json>
}

/** The newest state of each message and part in OpenCode's sync batches since the session could last be listed. */
export class SyncedItems {
  readonly #entries = new Map<string, Entry>()

  add(items: readonly SyncItem[]): void {
    for (const { type, data } of items) {
      if (!isObject(data)) continue
      if (type === "message") this.#entry(String(data.id)).info = data
      if (type === "part") this.#entry(String(data.messageID)).parts.set(String(data.id), data)
    }
  }

  clear(): void {
    this.#entries.clear()
  }

  /** The stored messages with the changes applied. */
  applyTo(stored: readonly Message[]): Message[] {
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

  #entry(messageId: string): Entry {
    const entry = this.#entries.get(messageId) ?? { info: undefined, parts: new Map<string, Json>() }
    this.#entries.set(messageId, entry)
    return entry
  }
}

/** The id of the session in a batch; the request itself names only the share. */
export function sessionOf(items: readonly SyncItem[]): string | undefined {
  for (const { type, data } of items) {
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
