/** How long redaction takes, and how long it keeps OpenCode from anything else: `npm run bench`. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Redactor } from "../src/redaction/redactor"
import { recordedSession } from "../test/support/fixtures"

const BYTES = 15_000_000
const SOURCES = join(import.meta.dir, "..", "node_modules", "bun-types")

/** A session of this size: recorded messages, whose tools have printed pieces of source code and documentation. */
function session(): { messages: unknown[] } {
  const recorded = recordedSession("subagents").messages
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.(ts|md|mdx)$/.test(name),
  )
  const texts = files.flatMap((name) => readFileSync(join(SOURCES, name), "utf8").match(/[^]{1,20000}/g) ?? [])
  const messages: unknown[] = []
  for (let bytes = 0, n = 0; bytes < BYTES; n++) {
    const output = `${n}\n${texts[n % texts.length]}`
    const message = {
      ...recorded[n % recorded.length],
      parts: [{ type: "tool", tool: "bash", state: { status: "completed", output, metadata: { output } } }],
    }
    bytes += JSON.stringify(message).length
    messages.push(message)
  }
  return { messages }
}

/** Milliseconds until it is done, and the longest time in which nothing else could happen. */
async function timed(work: () => Promise<unknown>): Promise<{ total: number; sleep: number }> {
  const began = performance.now()
  let last = began
  let sleep = 0
  const tick = () => {
    const now = performance.now()
    sleep = Math.max(sleep, now - last)
    last = now
  }
  const ticking = setInterval(tick, 0)
  await work()
  tick()
  clearInterval(ticking)
  return { total: performance.now() - began, sleep }
}

const document = session()
const redactor = new Redactor({ allow: [], deny: [], home: "/home/ada" })
const again = () => structuredClone(document)
const steps: [string, { messages: unknown[] }, () => void][] = [
  ["the first time", again(), () => undefined],
  ["unchanged", again(), () => undefined],
  ["with one message more", { messages: [...again().messages, { text: "one more" }] }, () => undefined],
  ["with a newly learnt secret", again(), () => redactor.learn([[crypto.randomUUID(), "environment-variable"]])],
]
console.log(`A session of ${(JSON.stringify(document).length / 1e6).toFixed(1)} MB`)
for (const [name, value, before] of steps) {
  before()
  const { total, sleep } = await timed(() => redactor.redact(value))
  console.log(`${name.padEnd(28)} ${total.toFixed(0).padStart(5)} ms, nothing else for at most ${sleep.toFixed(0)} ms`)
}
