import { serverBase } from "../settings/server"
import type { StateFiles } from "./state-files"

/** The servers that the user allowed projects to share on: once on this machine, or in `BETTER_SHARE_ALLOWED_SERVERS`. */
export class AllowedServers {
  constructor(
    private readonly stateFiles: StateFiles,
    private readonly env: Record<string, string | undefined>,
  ) {}

  async has(base: string): Promise<boolean> {
    const listed = (this.env.BETTER_SHARE_ALLOWED_SERVERS ?? "").split(",").map((url) => serverBase(url.trim()))
    return listed.includes(base) || (await this.stateFiles.read({ kind: "allowed", base })) !== undefined
  }

  async add(base: string): Promise<void> {
    await this.stateFiles.write({ kind: "allowed", base })
  }

  /** Returns whether the server was allowed on this machine. */
  async remove(base: string): Promise<boolean> {
    return await this.stateFiles.remove({ kind: "allowed", base })
  }
}
