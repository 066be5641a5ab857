import { parseArgs } from "node:util"
import { commandLine } from "../lib/package"
import { asFailure } from "../server/errors"
import { allow } from "./allow"
import type { Arguments, Command } from "./command"
import { Context } from "./context"
import { doctor } from "./doctor"
import { list } from "./list"
import { Output } from "./output"
import { redact } from "./redact"
import { remove } from "./remove"
import { share } from "./share"
import { show } from "./show"
import { uninstall } from "./uninstall"
import { update } from "./update"

const COMMANDS: Readonly<Record<string, Command>> = {
  share,
  update,
  list,
  show,
  remove,
  redact,
  allow,
  doctor,
  uninstall,
}

const WIDTH = 26

/** Runs a command line. Returns the exit code: 0 if all was done, 1 if not, 2 if it is not one. */
export async function run(args: readonly string[]): Promise<number> {
  const [name = "", ...rest] = args
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  const given = command && argumentsOf(command, rest)
  if (!command || !given?.options || !command.accepts(given)) return printUsage(name)
  const output = new Output(given.options.json === true)
  try {
    return await command.run(given, new Context(output))
  } catch (error) {
    const { message, kind } = asFailure(error)
    output.failure(message, kind)
    return 1
  }
}

/** Undefined if there are options that the command does not have. */
function argumentsOf({ options = {} }: Command, args: string[]): Arguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ...options, json: { type: "boolean" } },
      allowPositionals: true,
    })
    return { words: positionals, options: values as Arguments["options"] }
  } catch {
    return undefined
  }
}

function printUsage(name: string): number {
  const isWanted = ["help", "--help", "-h"].includes(name)
  const print = isWanted ? console.log : console.error
  print(`Usage: ${commandLine()} <command>\n`)
  for (const { words, summary } of Object.values(COMMANDS).flatMap(({ usages }) => usages)) {
    const [first = "", ...others] = summary.split("\n")
    print(`  ${words.padEnd(WIDTH)}${first}`)
    for (const line of others) print(" ".repeat(WIDTH + 2) + line)
  }
  print("\nEach command takes --json. The exit code is 0 if all was done, 1 if not, and 2 after this text.")
  return isWanted ? 0 : 2
}
