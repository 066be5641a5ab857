import { visible } from "../lib/visible"

/** Prints results on the standard output, and all else on the standard error: lines for people, or one JSON value. */
export class Output {
  constructor(readonly isJson: boolean) {}

  /** The result of a command. `style` adds colours to a line that was made visible. */
  result(
    value: unknown,
    lines: readonly string[],
    style: (line: string, index: number) => string = (line) => line,
  ): void {
    if (this.isJson) console.log(JSON.stringify(value, undefined, 2))
    else for (const [index, line] of lines.entries()) console.log(style(visible(line), index))
  }

  /** What people should know meanwhile. */
  note(line: string): void {
    if (!this.isJson) console.error(visible(line))
  }

  /** Why the command has no result. */
  failure(message: string, kind: string): void {
    if (this.isJson) console.log(JSON.stringify({ error: message, kind }, undefined, 2))
    else console.error(visible(message))
  }
}

/** `1.2 MB` */
export function megabytes(bytes: number): string {
  return bytes < 100_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

export const isoDate = (time: number): string => new Date(time).toISOString()
