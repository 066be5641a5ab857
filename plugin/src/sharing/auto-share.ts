/** The settings of OpenCode about sharing. */
export interface ShareConfig {
  share?: unknown
  /** An older spelling of `share: "auto"`. */
  autoshare?: unknown
}

/**
 * Whether OpenCode shares sessions without the confirmation in its terminal: by its settings, or because it was started with
 * `run --share`. If neither says so, a user asked.
 */
export function isAutoShare(
  config: ShareConfig,
  args: readonly string[],
  env: Record<string, string | undefined>,
): boolean {
  return config.share === "auto" || config.autoshare === true || isOn(env.OPENCODE_AUTO_SHARE) || hasShareFlag(args)
}

/** Whether OpenCode was started as `opencode run`, which has no TUI. */
export const isRun = (args: readonly string[]): boolean => optionsOf(args).includes("run")

const hasShareFlag = (args: readonly string[]): boolean =>
  isRun(args) && optionsOf(args).some((option) => option === "--share" || option === "--share=true")

/** The arguments up to `--`, after which the prompt stands. */
function optionsOf(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--")
  return end < 0 ? args : args.slice(0, end)
}

const isOn = (value: string | undefined): boolean => value === "1" || value?.toLowerCase() === "true"
