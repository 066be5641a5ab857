/** What texts made to be expensive cost, for `make bench`: reads `Input` from standard input, and prints `Output`. */
import { Redactor } from "../src/redaction/redactor"

interface Input {
  honest: string[]
  attacks: [name: string, text: string][]
  /** What costs so many times as much as honest text is measured again, so often. */
  suspicious: number
  rounds: number
}

interface Output {
  version: string
  /** Seconds of CPU. */
  honest: number
  /** Seconds of CPU for each of the attacks. */
  attacks: number[]
  /** The longest pause of the event loop in the honest texts, as one, in milliseconds. */
  pause: number
}

async function seconds(texts: string[]): Promise<number> {
  const began = process.cpuUsage()
  await new Redactor({ allow: [], deny: [], home: "/home/ada" }).redact(texts)
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1e6
}

async function longestPause(texts: string[]): Promise<number> {
  let last = performance.now()
  let longest = 0
  const look = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const timer = setInterval(look)
  await seconds(texts)
  look()
  clearInterval(timer)
  return longest
}

const { honest, attacks, suspicious, rounds } = (await Bun.stdin.json()) as Input
await seconds(honest.slice(0, 40))
const ordinary = await seconds(honest)
const perCharacter = ordinary / honest.reduce((sum, text) => sum + text.length, 0)
const costs: number[] = []
for (const [, text] of attacks) {
  let cost = await seconds([text])
  if (cost > suspicious * perCharacter * text.length)
    for (let round = 0; round < rounds; round++) cost = Math.min(cost, await seconds([text]))
  costs.push(cost)
}
const pause = await longestPause([honest.join("")])
const output: Output = { version: Bun.version, honest: ordinary, attacks: costs, pause }
console.log(JSON.stringify(output))
