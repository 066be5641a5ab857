import { styleText } from "node:util"
import { asFailure } from "../server/errors"
import type { Command } from "./command"
import { CHECKS, type Findings } from "./doctor-checks"

interface Result {
  name: string
  state: "ok" | "failed" | "skipped"
  /** What is well, or what is not and what to do. */
  detail: string
}

const COLOURS = { ok: "green", failed: "red", skipped: "yellow" } as const
const NAME_WIDTH = 11

export const doctor: Command = {
  usages: [
    {
      words: "doctor",
      summary: `checks address, redaction, plugin, proxy, certificate, clock, token and version, and shares and
removes a test session`,
    },
  ],
  accepts: ({ words }) => words.length === 0,
  async run(_, context) {
    const results = await examine({ context })
    const isWell = results.every(({ state }) => state === "ok")
    context.output.result(
      { ok: isWell, checks: results },
      results.map(({ name, state, detail }) => `${state.padEnd(8)} ${name.padEnd(NAME_WIDTH)} ${detail}`),
      (line, index) => line.replace(/^\w+/, (state) => coloured(results[index]?.state ?? "skipped", state)),
    )
    return isWell ? 0 : 1
  },
}

/** Runs the checks, and skips those for which one before has to be well. */
async function examine(findings: Findings): Promise<Result[]> {
  const results: Result[] = []
  let failed: string | undefined
  for (const { name, mayFail, run } of CHECKS) {
    if (failed !== undefined) {
      results.push({ name, state: "skipped", detail: `because of ${failed}` })
      continue
    }
    try {
      results.push({ name, state: "ok", detail: await run(findings) })
    } catch (error) {
      results.push({ name, state: "failed", detail: asFailure(error).message })
      if (!mayFail) failed = name
    }
  }
  return results
}

/** In colour on terminals, unless `NO_COLOR` is set: https://no-color.org */
function coloured(state: Result["state"], text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(COLOURS[state], text) : text
}
