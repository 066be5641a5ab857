/** Redacts each item of a JSON list on standard input by itself, and prints the list of what became of them. */
import { Redactor } from "../../src/redaction/redactor"

const items = (await Bun.stdin.json()) as unknown[]
const redacted = items.map(async (item) => (await new Redactor({ allow: [], deny: [], home: "" }).redact(item)).value)
console.log(JSON.stringify(await Promise.all(redacted)))
