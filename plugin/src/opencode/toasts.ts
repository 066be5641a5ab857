import { sleep } from "../lib/sleep"
import type { Timeouts } from "../lib/timeouts"
import { visible } from "../lib/visible"
import type { OpenCodeClient, Toast } from "./client"

/** Messages to the user. A toast that cannot be shown, because there is no TUI, is no error. */
export class Toasts {
  /** `print` is for problems of processes without a TUI. */
  constructor(
    private readonly client: OpenCodeClient,
    private readonly timeouts: Timeouts,
    private readonly print?: (line: string) => void,
  ) {}

  async show(variant: Toast["variant"], message: string): Promise<void> {
    if (variant === "warning" || variant === "error") this.print?.(`Better Share: ${visible(message)}`)
    await this.client.toast({ variant, message: visible(message) }).catch(() => undefined)
  }

  /** Shows a toast after OpenCode's own, which is wrong after a failure and is replaced by it. */
  async replace(variant: Toast["variant"], message: string): Promise<void> {
    // Without a TUI there is none to wait for, and the process may end.
    if (!this.print) await sleep(this.timeouts.toastDelay)
    await this.show(variant, message)
  }
}
