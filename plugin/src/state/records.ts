import { isObject } from "../opencode/client"
import type { Secret } from "../redaction/environment"
import type { Share } from "../server/share"

/** The records that must survive a restart, because OpenCode does not store them. */
export type StateRecord =
  | { kind: "removal"; share: Share } // still to be removed from its server
  | { kind: "upload"; id: string; base: string; sessionId: string; pid: number } // something is not uploaded yet, by this process
  | { kind: "organisation"; sessionId: string; share: Share } // made beside an organisation's share
  | { kind: "unshared"; sessionId: string } // never to be published again by itself
  | { kind: "share"; id: string; base: string; url: string; sessionId: string; title: string; createdAt: number } // one's own, for finding it again
  | { kind: "secret"; share: Share } // what it takes to remove one's own share, apart from what may be shown
  | { kind: "redacted"; id: string; base: string; secrets: readonly Secret[] } // removed from its documents, and to be removed from the next ones
  | { kind: "size"; id: string; base: string; bytes: number } // of its largest document
  | { kind: "allowed"; base: string } // a server that only projects name, and the user allowed
  | { kind: "update"; base: string; at: number } // when the user was told of another release of the plugin

/** The fields that identify a record. */
export type RecordKey =
  | { kind: "removal"; share: ShareName }
  | { kind: "secret"; share: ShareName }
  | { kind: "upload"; id: string; base: string }
  | { kind: "organisation"; sessionId: string }
  | { kind: "unshared"; sessionId: string }
  | { kind: "share"; id: string; base: string }
  | { kind: "redacted"; id: string; base: string }
  | { kind: "size"; id: string; base: string }
  | { kind: "allowed"; base: string }
  | { kind: "update"; base: string }

type ShareName = Pick<Share, "id" | "base">

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === "string"
/** Whether `list` can show the value as a date. */
const isTime: Check = (value) => typeof value === "number" && !Number.isNaN(new Date(value).getTime())
const isShare: Check = (value) =>
  isObject(value) && [value.id, value.base, value.secret].every(isText) && URL.canParse(String(value.base))
const areSecrets: Check = (value) =>
  Array.isArray(value) &&
  value.every(
    (secret) => Array.isArray(secret) && secret.length === 2 && secret.every((text) => isText(text) && text !== ""),
  )

/** Validators for the fields of each kind of record. */
const FIELDS: {
  [Kind in StateRecord["kind"]]: Record<Exclude<keyof Extract<StateRecord, { kind: Kind }>, "kind">, Check>
} = {
  removal: { share: isShare },
  upload: { id: isText, base: isText, sessionId: isText, pid: Number.isSafeInteger },
  organisation: { sessionId: isText, share: isShare },
  unshared: { sessionId: isText },
  share: { id: isText, base: isText, url: isText, sessionId: isText, title: isText, createdAt: isTime },
  secret: { share: isShare },
  redacted: { id: isText, base: isText, secrets: areSecrets },
  size: { id: isText, base: isText, bytes: Number.isSafeInteger },
  allowed: { base: isText },
  update: { base: isText, at: isTime },
}

/** Whether the value is a complete record: a file may be damaged. */
export function isStateRecord(value: unknown): value is StateRecord {
  if (!isObject(value) || !isKind(value.kind)) return false
  return Object.entries<Check>(FIELDS[value.kind]).every(([name, check]) => check(value[name]))
}

const isKind = (value: unknown): value is StateRecord["kind"] =>
  typeof value === "string" && Object.hasOwn(FIELDS, value)
