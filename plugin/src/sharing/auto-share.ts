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

function hasShareFlag(args: readonly string[]): boolean {
  const end = args.indexOf("--")
  const options = end < 0 ? args : args.slice(0, end)
  return options.includes("run") && options.some((option) => option === "--share" || option === "--share=true")
}

const isOn = (value: string | undefined): boolean => value === "1" || value?.toLowerCase() === "true"
