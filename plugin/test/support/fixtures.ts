import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import type { SyncItem } from "../../src/opencode/client"
import type { SessionDocument } from "../../src/publishing/document"

const unpack = (name: string) => gunzipSync(readFileSync(new URL(`../fixtures/${name}.gz`, import.meta.url))).toString()

/** What was recorded under this name. */
export const recorded = <T>(name: string) => JSON.parse(unpack(name)) as T

/** A session recorded from a real OpenCode. */
export const recordedSession = (name: string) => recorded<SessionDocument>(`${name}.json`)

export interface RecordedCall {
  kind: "create" | "sync" | "remove"
  path: string
  request: { sessionID?: string; secret?: string; data?: SyncItem[] }
}

/** The share calls of a real OpenCode, in their order. */
export const recordedCalls = () =>
  unpack("native-protocol-lifecycle.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RecordedCall)
