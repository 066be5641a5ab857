import type { Origin } from "../lib/package"
import type { Toasts } from "../opencode/toasts"
import type { StateFiles } from "../state/state-files"

/** Milliseconds between two notices: a week. */
const PAUSE = 7 * 24 * 60 * 60 * 1000

/** Says that a server has another release of this plugin: OpenCode keeps the one that it has installed. */
export class UpdateNotice {
  /** `origin` is where this package is from; undefined in a checkout, which is updated otherwise. */
  constructor(
    private readonly origin: Origin | undefined,
    private readonly stateFiles: StateFiles,
    private readonly toasts: Toasts,
  ) {}

  /** Called with the release that the server at `base` hands out; undefined from servers that do not say. */
  async compare(base: string, release: string | undefined): Promise<void> {
    const { origin } = this
    if (origin?.url !== base || release === undefined || release === origin.release) return
    const last = await this.stateFiles.read({ kind: "update", base })
    if (last && Date.now() - last.at < PAUSE) return
    await this.stateFiles.write({ kind: "update", base, at: Date.now() })
    await this.toasts.show(
      "info",
      `Your server has another version of this plugin. To update, copy the new line for opencode.json from ${base} and restart OpenCode.`,
    )
  }
}
