import { sleep } from "../lib/sleep"
import type { Timeouts } from "../lib/timeouts"
import { visible } from "../lib/visible"
import type { OpenCodeClient, Toast } from "./client"

/** Messages to the user. A toast that cannot be shown, because there is no TUI, is no error. */
export class Toasts {
  constructor(
    private readonly client: OpenCodeClient,
    private readonly timeouts: Timeouts,
  ) {}

  async show(variant: Toast["variant"], message: string): Promise<void> {
    await this.client.toast({ variant, message: visible(message) }).catch(() => undefined)
  }

  /** Shows a toast after OpenCode's own, which is wrong after a failure and is replaced by it. */
  async replace(variant: Toast["variant"], message: string): Promise<void> {
    await sleep(this.timeouts.toastDelay)
    await this.show(variant, message)
  }
}
