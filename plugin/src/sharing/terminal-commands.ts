import { commandLine } from "../lib/package"
import { isObject } from "../opencode/client"

/** What tui.ts gives the terminal where `tui.json` has the plugin, with the command line that does the same. */
const COMMANDS: Record<string, string> = { shares: "list", "unshare-all": "remove --all" }

/**
 * The commands of the terminal, for one that does not have them, with what to say in place of each: OpenCode would complete
 * `/shares` to `/unshare`, and run that.
 */
export class TerminalCommands {
  readonly #added = new Set<string>()

  /** The commands of a configuration, and those that it does not have itself. */
  addTo(given: unknown): Record<string, unknown> {
    const configured = isObject(given) ? given : {}
    const added = Object.keys(COMMANDS).filter((name) => !(name in configured))
    for (const name of added) this.#added.add(name)
    const commands = added.map((name) => [
      name,
      // The template is for releases of OpenCode that do not ask the plugin before they run a command.
      { description: "Needs the plugin in tui.json", template: `Only answer this, and do nothing: ${hint(name)}` },
    ])
    return { ...configured, ...Object.fromEntries(commands) }
  }

  /** What to say in place of running the command; undefined if it is not one of these. */
  hintFor(name: string): string | undefined {
    return this.#added.has(name) ? hint(name) : undefined
  }
}

const hint = (name: string): string =>
  `To use /${name}, add the plugin to tui.json as well, or run "${commandLine()} ${COMMANDS[name]}".`
