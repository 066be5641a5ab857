import type { ParseArgsConfig } from "node:util"
import type { Context } from "./context"

/** The options and other words of a command line. */
export interface Arguments {
  words: readonly string[]
  options: Readonly<Record<string, string | boolean | undefined>>
}

export interface Command {
  /** As in `remove <link>`; one for each way to use it. */
  usages: readonly { words: string; summary: string }[]
  options?: NonNullable<ParseArgsConfig["options"]>
  /** Whether the command can be run with these; else the usage is printed. */
  accepts(given: Arguments): boolean
  /** Returns the exit code: 0 if all was done, else 1. May throw a Failure. */
  run(given: Arguments, context: Context): Promise<number>
}

/** For commands whose only argument is a word, and that have to have it. */
export const oneWord = ({ words }: Arguments): boolean => words.length === 1

/** The only word of a command that takes one. */
export const wordOf = ({ words }: Arguments): string => words[0] ?? ""
