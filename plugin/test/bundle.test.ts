import { expect, test } from "bun:test"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { scripts } from "../package.json"

const root = join(import.meta.dir, "..")

test("the bundle that servers hand out is made of these sources: run `npm run build` after a change", async () => {
  const folder = await mkdtemp(join(tmpdir(), "better-share-bundle-"))
  try {
    for (const command of scripts.build.replaceAll("--outdir=dist", `--outdir=${folder}`).split(" && "))
      expect(await Bun.spawn(command.split(" "), { cwd: root, stdout: "ignore", stderr: "ignore" }).exited).toBe(0)
    for (const name of ["index.js", "tui.js", "cli.js"])
      expect((await readFile(join(folder, name), "utf8")) === (await readFile(join(root, "dist", name), "utf8"))).toBe(
        true,
      )
  } finally {
    await rm(folder, { recursive: true })
  }
})
