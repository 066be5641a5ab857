import type { Share } from "../server/share"
import type { StateRecord } from "./records"
import type { StateFiles } from "./state-files"

export type PendingUpload = Extract<StateRecord, { kind: "upload" }>

/** Remembers which shares lack something of their sessions, for the case that this process ends before it is uploaded. */
export class PendingUploads {
  /** Ends when the file system agrees with what was asked for last. */
  #written: Promise<unknown> = Promise.resolve()

  constructor(private readonly stateFiles: StateFiles) {}

  /** A write error is ignored: it is no reason not to share. */
  add({ id, base }: Share, sessionId: string): void {
    this.#then(() => this.stateFiles.write({ kind: "upload", id, base, sessionId, pid: process.pid }))
  }

  remove({ id, base }: Share): void {
    this.#then(() => this.stateFiles.remove({ kind: "upload", id, base }))
  }

  /** What processes that have ended left behind. */
  async abandoned(): Promise<PendingUpload[]> {
    const records = await this.stateFiles.readAll()
    return records.filter((record) => record.kind === "upload").filter(({ pid }) => !isRunning(pid))
  }

  async saved(): Promise<void> {
    await this.#written
  }

  #then(write: () => Promise<unknown>): void {
    this.#written = this.#written.then(write).catch(() => undefined)
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process.
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}
