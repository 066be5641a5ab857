import { sleep } from "../lib/sleep"
import type { Timeouts } from "../lib/timeouts"
import type { OpenCodeClient, Toast } from "./client"

/** What the person at the keyboard is told. A toast that cannot be shown (no TUI) is no error. */
export class Toasts {
  constructor(
    private readonly client: OpenCodeClient,
    private readonly timeouts: Timeouts,
  ) {}

  async show(variant: Toast["variant"], message: string): Promise<void> {
    await this.client.toast({ variant, message }).catch(() => undefined)
  }

  /** After OpenCode's own toast, which says something wrong after a failure; the later one replaces it. */
  async replace(variant: Toast["variant"], message: string): Promise<void> {
    await sleep(this.timeouts.toastDelay)
    await this.show(variant, message)
  }
}
