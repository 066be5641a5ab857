import type { SessionSource } from "../client"

/** What OpenCode keeps of a session that is shared, to change and remove its share. */
export interface StoredShare {
  sessionId: string
  /** The id of the share on its server. */
  id: string
  secret: string
  url: string
}

/** One of the places where an OpenCode keeps its sessions. */
export interface Storage extends SessionSource {
  /** The file or folder, for messages. */
  path: string
  has(sessionId: string): Promise<boolean>
  shares(): Promise<StoredShare[]>
  close(): void
}

/** The folder and the environment of an OpenCode. */
export interface Place {
  folder: string
  env: Record<string, string | undefined>
}

/** Finds the storages of one kind. Opening one throws a Failure if it cannot be read. */
export type Reader = (place: Place) => Promise<(() => Promise<Storage>)[]>
