import { createHash } from "node:crypto"
import { mkdir, open, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { sleep } from "../lib/sleep"

/** Milliseconds between two looks at a lock that another process has. */
const PAUSE = 50

/** Lets one process at a time do something for a session, by a file in the state folder. */
export class StateLock {
  /** A lock that is older than `maxAge` milliseconds belongs to a process that has ended. */
  constructor(
    private readonly folder: string,
    private readonly maxAge: number,
  ) {}

  /** Runs the action when no other process, and no other call in this one, runs one for this session. */
  async run<T>(sessionId: string, action: () => Promise<T>): Promise<T> {
    const path = join(this.folder, `lock-${createHash("sha256").update(sessionId).digest("hex").slice(0, 32)}`)
    // A folder that cannot be written is no reason not to share.
    const isLocked = await this.#acquire(path).catch(() => false)
    try {
      return await action()
    } finally {
      if (isLocked) await rm(path, { force: true })
    }
  }

  async #acquire(path: string): Promise<boolean> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    for (;;) {
      try {
        await (await open(path, "wx", 0o600)).close()
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
      }
      const made = await stat(path).catch(() => undefined)
      if (made && Date.now() - made.mtimeMs > this.maxAge) await rm(path, { force: true })
      else await sleep(PAUSE)
    }
  }
}
