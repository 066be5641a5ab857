import { chmod, mkdir, mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface Ran {
  out: string
  err: string
  code: number
}

interface Choices {
  env?: Record<string, string | undefined>
  stdin?: string
  /** The program instead of Node.js; bun has SQLite, whatever version of Node.js is there. */
  runtime?: string
}

/** The command line as npx runs it: one file, in Node.js, with a home folder of its own. */
export class CommandLine implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  /** With the records in this folder. */
  static async create(state: string): Promise<CommandLine> {
    const folder = await mkdtemp(join(tmpdir(), "better-share-cli-"))
    await symlink(state, join(folder, "opencode-own-share"))
    await mkdir(join(folder, "home"))
    const entry = new URL("../../src/cli.ts", import.meta.url).pathname
    await Bun.build({ entrypoints: [entry], target: "node", outdir: folder })
    await chmod(join(folder, "cli.js"), 0o755)
    return new CommandLine(folder)
  }

  get home(): string {
    return join(this.folder, "home")
  }

  async run(args: readonly string[], { env = {}, stdin = "", runtime }: Choices = {}): Promise<Ran> {
    const program = join(this.folder, "cli.js")
    const child = Bun.spawn([...(runtime ? [runtime, program] : [program]), ...args], {
      env: { PATH: process.env.PATH ?? "", HOME: this.home, XDG_STATE_HOME: this.folder, ...env },
      cwd: this.home,
      stdin: Buffer.from(stdin),
      stdout: "pipe",
      stderr: "pipe",
    })
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    return { out, err, code }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true })
  }
}
