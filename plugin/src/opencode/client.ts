/** Where sessions are read from: OpenCode's API, its storage, or a file. */
export interface SessionSource {
  session(id: string): Promise<Session>
  /** Undefined when OpenCode cannot list this session's messages (a bug with JSON-schema prompts). */
  messages(id: string): Promise<Message[] | undefined>
  children(id: string): Promise<Session[]>
}

/** What the plugin needs from any version of OpenCode; implemented in index.ts, and by a fake in the tests. */
export interface OpenCodeClient extends SessionSource {
  /** One message; null if it does not exist (any more), undefined when OpenCode cannot hand it out. */
  message(sessionId: string, id: string): Promise<Message | null | undefined>
  sessions(): Promise<Session[]>
  /** OpenCode's own /unshare. */
  unshare(id: string): Promise<void>
  /** Whether the user is logged in to an organisation: OpenCode then shares with the organisation's server, not with the bridge. */
  inOrganisation(): Promise<boolean>
  toast(toast: Toast): Promise<void>
}

export interface Toast {
  message: string
  variant: "success" | "info" | "warning" | "error"
}

export type Json = Record<string, unknown>

export interface Session extends Json {
  id: string
  share?: { url?: string }
}

/** A message: `{info, parts}` in OpenCode 1; flat, with a `type`, in OpenCode 2. */
export type Message = Json

/** One entry of OpenCode's own sync batches. */
export interface SyncItem {
  type: string
  data: unknown
}

export const messageId = ({ info, id }: Message): string => String(isObject(info) ? info.id : id)

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)
