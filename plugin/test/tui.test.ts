import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import plugin from "../src/tui"
import { FakeClient, SESSION, transcript } from "./support/fake-client"
import { Watch } from "./support/watch"
import { World } from "./support/world"

type Terminal = Parameters<typeof plugin.tui>[0]
type Layer = Parameters<Terminal["keymap"]["registerLayer"]>[0]
type Dialog =
  | { kind: "select"; props: Parameters<Terminal["ui"]["DialogSelect"]>[0] }
  | { kind: "confirm"; props: Parameters<Terminal["ui"]["DialogConfirm"]>[0] }

/** OpenCode's terminal, as far as the plugin knows it. */
class FakeTerminal extends Watch implements Terminal {
  commands: Layer["commands"] = []
  dialog: Dialog | undefined
  readonly toasts: string[] = []
  /** The links of sessions that OpenCode knows. */
  readonly links = new Map<string, string>()
  readonly client: Terminal["client"] = {
    session: {
      get: async ({ sessionID }) => ({ data: { share: { url: this.links.get(sessionID) ?? "" } } }),
      unshare: async ({ sessionID }) => this.links.delete(sessionID),
    },
  }
  readonly keymap = { registerLayer: ({ commands }: Layer) => void (this.commands = commands) }
  readonly ui: Terminal["ui"] = {
    dialog: {
      replace: (render) => void (this.dialog = render() as Dialog),
      clear: () => void (this.dialog = undefined),
    },
    DialogSelect: (props) => ({ kind: "select", props }),
    DialogConfirm: (props) => ({ kind: "confirm", props }),
    toast: ({ message }) => {
      this.toasts.push(message)
      this.changed()
    },
  }

  async type(slashName: string): Promise<void> {
    await this.commands.find((command) => command.slashName === slashName)?.run()
  }
}

const OTHER = "ses_dfdcb1c80ffeesxOqc7NSn0000"
const kept = process.env.XDG_STATE_HOME
let world: World
let folder: string
let terminal: FakeTerminal
beforeEach(async () => {
  world = await World.create(
    new FakeClient(transcript("hello", SESSION, { title: "Greet everybody" }), transcript("hi", OTHER)),
  )
  folder = await mkdtemp(join(tmpdir(), "better-share-tui-"))
  await symlink(world.folder, join(folder, "opencode-own-share"))
  process.env.XDG_STATE_HOME = folder
  terminal = new FakeTerminal()
  await plugin.tui(terminal)
})
afterEach(async () => {
  if (kept === undefined) delete process.env.XDG_STATE_HOME
  else process.env.XDG_STATE_HOME = kept
  await world.close()
  await rm(folder, { recursive: true })
})

describe("in OpenCode's terminal", () => {
  test("/shares lists one's shares, and removes the one that is chosen and confirmed", async () => {
    const share = await world.start().created()
    await terminal.type("shares")
    if (terminal.dialog?.kind !== "select") throw new Error("no list")
    expect(terminal.dialog.props.options).toMatchObject([{ title: "Greet everybody", description: share.url }])
    terminal.dialog.props.options[0]?.onSelect()
    const confirmation = terminal.dialog as Dialog
    if (confirmation.kind !== "confirm") throw new Error("not asked")
    expect(world.server.shares.size).toBe(1)
    confirmation.props.onConfirm()
    await terminal.until(() => terminal.toasts.length === 1)
    expect(terminal.toasts).toEqual(["Removed: 1 share."])
    expect(world.server.shares.size).toBe(0)
  })

  test("/shares and /unshare-all have OpenCode forget the links that are gone, and no others", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    await opencode.created(OTHER)
    terminal.links.set(SESSION, share.url).set(OTHER, "https://other.example.com/share/1")
    await terminal.type("unshare-all")
    ;(terminal.dialog as (Dialog & { kind: "confirm" }) | undefined)?.props.onConfirm()
    await terminal.until(() => terminal.toasts.length === 1)
    expect([...terminal.links]).toEqual([[OTHER, "https://other.example.com/share/1"]])
  })

  test("/shares shows titles without what a terminal would obey", async () => {
    Object.assign(world.host.transcripts.get(SESSION)?.session ?? {}, { title: "\u001b[2J\u202e\nforged" })
    await world.start().created()
    await terminal.type("shares")
    if (terminal.dialog?.kind !== "select") throw new Error("no list")
    expect(terminal.dialog.props.options).toMatchObject([{ title: "\\x1b[2J\\u202e\\nforged" }])
    terminal.dialog.props.options[0]?.onSelect()
    const confirmation = terminal.dialog as Dialog
    if (confirmation.kind !== "confirm") throw new Error("not asked")
    expect(confirmation.props.message).toStartWith("\\x1b[2J\\u202e\\nforged\nhttp")
  })

  test("/unshare-all removes all of them, once confirmed, and says what could not be removed", async () => {
    const opencode = world.start()
    await opencode.created()
    const other = await opencode.created(OTHER)
    await terminal.type("unshare-all")
    if (terminal.dialog?.kind !== "confirm") throw new Error("not asked")
    terminal.dialog.props.onCancel()
    expect(terminal.dialog).toBeUndefined()
    expect(world.server.shares.size).toBe(2)
    world.server.faults.delete = [Response.json({ error: "Wrong secret.", code: "wrong_secret" }, { status: 401 })]
    await terminal.type("unshare-all")
    ;(terminal.dialog as (Dialog & { kind: "confirm" }) | undefined)?.props.onConfirm()
    await terminal.until(() => terminal.toasts.length === 1)
    expect(terminal.toasts[0]).toMatch(
      /^Removed: 1 share\. Not removed, the link still works: .*does not accept the secret/,
    )
    expect(world.server.shares.size).toBe(1)
    await terminal.type("unshare-all")
    ;(terminal.dialog as (Dialog & { kind: "confirm" }) | undefined)?.props.onConfirm()
    await terminal.until(() => terminal.toasts.length === 2)
    expect(world.server.shares.has(other.id)).toBe(false)
  })

  test("both say so when there are none", async () => {
    await terminal.type("shares")
    await terminal.type("unshare-all")
    expect(terminal.toasts).toEqual(Array(2).fill("No shares are known on this machine."))
    expect(terminal.dialog).toBeUndefined()
  })
})
