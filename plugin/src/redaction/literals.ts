import type { Steps } from "./steps"

/** Characters between two pauses. */
const CHUNK = 100_000

type Visit = (literal: string, start: number) => void

/**
 * Searches a text for many literals at once (Aho and Corasick, 1975): the work is linear in the text, however many there
 * are and whatever they have in common.
 */
export class Literals {
  /** The number of each character of the literals; 0 for all others. */
  readonly #symbols = new Uint16Array(65_536)
  readonly #width: number
  /** The transitions of the tree of literals, as a hash table with open addressing, and those of its root. */
  readonly #keys: Int32Array
  readonly #children: Int32Array
  readonly #roots: Int32Array
  /** The literal that ends in a state. */
  readonly #ends: (string | undefined)[] = [undefined]
  /** The state of the longest suffix of each state, and of its longest suffix in which a literal ends. */
  readonly #fallbacks: Int32Array
  readonly #suffixes: Int32Array

  /** With `ignoreCase` the literals are in lower case, and occur in any case of the letters A to Z. */
  constructor(literals: Iterable<string>, { ignoreCase = false } = {}) {
    const distinct = [...new Set(literals)].filter((literal) => literal !== "")
    let symbols = 0
    let states = 1
    for (const literal of distinct) {
      states += literal.length
      for (let index = 0; index < literal.length; index++) {
        const code = literal.charCodeAt(index)
        if (this.#symbols[code] === 0) this.#symbols[code] = ++symbols
      }
    }
    if (ignoreCase) for (let code = 65; code <= 90; code++) this.#symbols[code] = this.#symbols[code + 32] ?? 0
    this.#width = symbols + 1
    const size = 2 ** Math.ceil(Math.log2(2 * states))
    this.#keys = new Int32Array(size)
    this.#children = new Int32Array(size)
    this.#roots = new Int32Array(this.#width)
    this.#fallbacks = new Int32Array(states)
    this.#suffixes = new Int32Array(states)
    for (const literal of distinct) this.#add(literal)
    this.#link(distinct)
  }

  /** Visits each occurrence, also overlapping ones, by its end. */
  *search(text: string, visit: Visit): Steps<void> {
    for (let from = 0, state = 0; from < text.length; from += CHUNK) {
      state = this.#scan(text, from, Math.min(from + CHUNK, text.length), state, visit)
      yield
    }
  }

  /** Searches a part of a text, and returns the state at its end. A loop in a generator would be slow. */
  #scan(text: string, from: number, to: number, first: number, visit: Visit): number {
    const symbols = this.#symbols
    const roots = this.#roots
    const ends = this.#ends
    const suffixes = this.#suffixes
    let state = first
    for (let index = from; index < to; index++) {
      const symbol = symbols[text.charCodeAt(index)] as number
      if (symbol === 0) state = 0
      else state = state === 0 ? (roots[symbol] as number) : this.#after(state, symbol)
      if (state !== 0 && (ends[state] !== undefined || suffixes[state] !== 0)) this.#visit(state, index + 1, visit)
    }
    return state
  }

  /** The offsets of each literal that occurs, in order. */
  *offsets(text: string): Steps<Map<string, number[]>> {
    const offsets = new Map<string, number[]>()
    yield* this.search(text, (literal, start) => {
      const known = offsets.get(literal)
      if (known) known.push(start)
      else offsets.set(literal, [start])
    })
    return offsets
  }

  /** The state after a symbol: that of the longest suffix which begins a literal. */
  #after(from: number, symbol: number): number {
    if (symbol === 0) return 0
    for (let state = from; state !== 0; state = this.#fallbacks[state] as number) {
      const child = this.#children[this.#place(state * this.#width + symbol)] as number
      if (child !== 0) return child
    }
    return this.#roots[symbol] as number
  }

  /** Where the hash table has a transition, or has room for it. */
  #place(key: number): number {
    const mask = this.#keys.length - 1
    let place = (Math.imul(key, 0x9e3779b1) >>> 7) & mask
    while (this.#keys[place] !== 0 && this.#keys[place] !== key) place = (place + 1) & mask
    return place
  }

  #add(literal: string): void {
    let state = 0
    for (let index = 0; index < literal.length; index++) {
      const symbol = this.#symbols[literal.charCodeAt(index)] ?? 0
      state = this.#child(state, symbol) || this.#grow(state, symbol)
    }
    this.#ends[state] = literal
  }

  #child(state: number, symbol: number): number {
    return (state === 0 ? this.#roots[symbol] : this.#children[this.#place(state * this.#width + symbol)]) ?? 0
  }

  #grow(state: number, symbol: number): number {
    const child = this.#ends.push(undefined) - 1
    if (state === 0) {
      this.#roots[symbol] = child
      return child
    }
    const place = this.#place(state * this.#width + symbol)
    this.#keys[place] = state * this.#width + symbol
    this.#children[place] = child
    return child
  }

  /** Sets the fallbacks, level by level: those of a state need those of its parent. */
  #link(literals: readonly string[]): void {
    let states = literals.map(() => 0)
    for (let depth = 0, rest = [...literals]; rest.length > 0; depth++) {
      const deeper = rest.map((literal, index) => {
        const parent = states[index] ?? 0
        const symbol = this.#symbols[literal.charCodeAt(depth)] ?? 0
        const child = this.#child(parent, symbol)
        if (parent !== 0) {
          const shorter = this.#after(this.#fallbacks[parent] ?? 0, symbol)
          this.#fallbacks[child] = shorter
          this.#suffixes[child] = this.#ends[shorter] === undefined ? (this.#suffixes[shorter] ?? 0) : shorter
        }
        return child
      })
      states = deeper.filter((_, index) => (rest[index]?.length ?? 0) > depth + 1)
      rest = rest.filter((literal) => literal.length > depth + 1)
    }
  }

  #visit(last: number, end: number, visit: Visit): void {
    for (let state = last; state !== 0; state = this.#suffixes[state] ?? 0) {
      const literal = this.#ends[state]
      if (literal !== undefined) visit(literal, end - literal.length)
    }
  }
}
