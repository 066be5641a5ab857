import { explain } from "../redaction/explain"
import { ownRules } from "../redaction/own-formats"
import type { Rule } from "../redaction/rules"
import { Failure } from "../server/errors"
import { type Command, oneWord, wordOf } from "./command"
import type { Context } from "./context"
import { describe, prepare, summaryOf } from "./preparation"
import { contentOf, readSession } from "./session-input"

export const redact: Command = {
  usages: [
    { words: "redact <session>", summary: "prints the document of a session as share would upload it" },
    {
      words: "redact --explain <file>",
      summary: `lists what would be removed from a text, and by which rule; - is the standard input,
--formats <file> reads your own formats`,
    },
  ],
  options: { explain: { type: "boolean" }, formats: { type: "string" } },
  accepts: (given) => oneWord(given) && (given.options.explain === true || given.options.formats === undefined),
  async run(given, context) {
    return given.options.explain
      ? await explainRemovals(wordOf(given), given.options.formats, context)
      : await printDocument(wordOf(given), context)
  },
}

async function printDocument(name: string, context: Context): Promise<number> {
  const prepared = await prepare(await readSession(name, context), [], context)
  const { session, messages, children } = prepared.document
  context.output.note(describe(summaryOf(prepared)))
  // As it is, and not made visible: it is for a program.
  console.log(JSON.stringify({ session, messages, ...(children ? { children } : {}) }))
  return 0
}

/** Prints a line for each part, as `flask redact --explain` does. */
async function explainRemovals(file: string, formats: unknown, { output }: Context): Promise<number> {
  const own = typeof formats === "string" ? await readFormats(formats) : []
  const removals = explain(await contentOf(file), own)
  output.result(
    removals,
    removals.map(
      ({ line, length, kind, reasons }) =>
        `${`${line}`.padStart(6)}  ${`${length}`.padStart(5)} characters  ${kind.padEnd(24)}  ${reasons.join(", ")}`,
    ),
  )
  return 0
}

async function readFormats(file: string): Promise<readonly Rule[]> {
  const own = ownRules(parsed(await contentOf(file)))
  if (own === undefined)
    throw new Failure(
      "refused",
      `${file} is not a list of formats like [{"name": "ACME token", "prefix": ["acme_"], ...}].`,
    )
  return own
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
