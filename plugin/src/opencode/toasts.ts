import type { Host, Toast } from "./client"
import type { Limits } from "../lib/timeouts"
import { pause } from "../lib/sleep"

/** What the person at the keyboard is told. A toast that cannot be shown (no TUI) is no error. */
export class Toasts {
  constructor(
    private readonly host: Host,
    private readonly limits: Limits,
  ) {}

  async show(variant: Toast["variant"], message: string): Promise<void> {
    await this.host.toast({ variant, message }).catch(() => undefined)
  }

  /** After OpenCode's own toast, which says something wrong after a failure; the later one replaces it. */
  async replace(variant: Toast["variant"], message: string): Promise<void> {
    await pause(this.limits.toastDelay)
    await this.show(variant, message)
  }
}
