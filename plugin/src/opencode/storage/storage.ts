import type { Session, SessionSource } from "../client"

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
  /** The session of a project's folder that changed last, and is not one of a sub-agent. */
  latest(directory: string): Promise<Session | undefined>
  shares(): Promise<StoredShare[]>
  /**
   * Makes these sessions ones that are not shared, so that OpenCode sends them nowhere, and closes the storage. Returns the
   * path of a copy made before. Throws a Failure, and changes nothing, if OpenCode is running.
   */
  unshare(sessionIds: readonly string[]): Promise<string>
  close(): void
}

/** The folder and the environment of an OpenCode. */
export interface Place {
  folder: string
  env: Record<string, string | undefined>
}

/** Finds the storages of one kind. Opening one throws a Failure if it cannot be read. */
export type Reader = (place: Place) => Promise<(() => Promise<Storage>)[]>

/** Where a copy of a file or folder is kept before it is changed: next to it. */
export const nameOfCopy = (path: string): string =>
  `${path}.before-${new Date().toISOString().replaceAll(/[-:]|\..*/g, "")}`
