import { lastUpTo } from "../lib/binary-search"
import { mergeOverlaps } from "./finding"
import type { Rule } from "./rules"
import { Scanner } from "./scanner"
import { finished } from "./steps"
import { withoutAnsi } from "./stripped-text"

/** A removed part: the number of its line, its length, and the names of the rules that found it. */
export interface Removal {
  line: number
  length: number
  kind: string
  reasons: string[]
}

/** What the rules, and one's own, remove from a text, in order. */
export function explain(text: string, own: readonly Rule[]): Removal[] {
  const plain = finished(withoutAnsi(text))?.plain ?? text
  const reasons = finished(new Scanner(own).reasons(plain))
  const removed = mergeOverlaps(reasons.map(({ finding }) => finding))
  const names = removed.map(() => new Set<string>())
  const starts = removed.map(({ start }) => start)
  for (const { name, finding } of reasons) names[lastUpTo(starts, finding.start)]?.add(name)
  let line = 1
  let position = 0
  return removed.map(({ start, end, kind }, index) => {
    line += plain.slice(position, start).split("\n").length - 1
    position = start
    return { line, length: end - start, kind, reasons: [...(names[index] ?? [])] }
  })
}
