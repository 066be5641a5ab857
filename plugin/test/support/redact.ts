/** Redacts each text of a JSON list on standard input by itself, and prints the list of what became of them. */
import { Redactor } from "../../src/redaction/redactor"

const texts = (await Bun.stdin.json()) as unknown[]
const redacted = texts.map(async (text) => (await new Redactor({ allow: [], deny: [], home: "" }).redact(text)).value)
console.log(JSON.stringify(await Promise.all(redacted)))
