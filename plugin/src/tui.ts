/** `/shares` and `/unshare-all` in OpenCode's terminal, for version 1 of its terminal plugin API; no model is asked. */

import { NAME } from "./lib/package"
import { TIMEOUTS } from "./lib/timeouts"
import { visible } from "./lib/visible"
import { ShareApi } from "./server/api"
import { removeShare } from "./state/remove-share"
import { type Entry, ShareList } from "./state/share-list"
import { openStateFolder, StateFiles } from "./state/state-files"

/** The part of the terminal's API that the plugin uses. */
interface Terminal {
  client: {
    session: {
      get(session: { sessionID: string }): Promise<{ data?: { share?: { url?: string } } }>
      unshare(session: { sessionID: string }): Promise<unknown>
    }
  }
  keymap: { registerLayer(layer: { commands: Command[] }): unknown }
  ui: {
    dialog: { replace(render: () => unknown): void; clear(): void }
    DialogSelect(props: { title: string; placeholder?: string; options: Option[] }): unknown
    DialogConfirm(props: { title: string; message: string; onConfirm(): void; onCancel(): void }): unknown
    toast(toast: { message: string; variant: "success" | "info" | "error" }): void
  }
}

interface Command {
  namespace: string
  name: string
  title: string
  desc: string
  category: string
  slashName: string
  run(): Promise<void>
}

interface Option {
  title: string
  value: string
  description: string
  onSelect(): void
}

async function tui({ client, keymap, ui }: Terminal): Promise<void> {
  const stateFiles = new StateFiles(openStateFolder(process.env))
  const shareList = new ShareList(stateFiles)
  const api = new ShareApi(TIMEOUTS)

  const remove = async (entries: readonly Entry[]): Promise<void> => {
    ui.dialog.clear()
    const results = await Promise.all(
      entries.map(async (entry) => {
        const problem = await removeShare(entry, shareList, stateFiles, api)
        if (problem === undefined) await forget(entry, client).catch(() => undefined)
        return problem
      }),
    )
    const problem = results.find((result) => result !== undefined)
    const removed = results.filter((result) => result === undefined).length
    ui.toast(
      problem === undefined
        ? { variant: "success", message: `Removed: ${shares(removed)}.` }
        : {
            variant: "error",
            message: `Removed: ${shares(removed)}. Not removed, the link still works: ${visible(problem)}`,
          },
    )
  }

  const confirm = (title: string, message: string, entries: readonly Entry[]): void =>
    ui.dialog.replace(() =>
      ui.DialogConfirm({ title, message, onConfirm: () => void remove(entries), onCancel: () => ui.dialog.clear() }),
    )

  const list = async (): Promise<void> => {
    const entries = await shareList.list()
    if (entries.length === 0) return ui.toast({ variant: "info", message: "No shares are known on this machine." })
    const options = entries.map((entry) => ({
      title: visible(entry.title || entry.url),
      value: entry.url,
      description: visible(entry.url),
      onSelect: () => confirm("Remove this share?", `${visible(entry.title)}\n${visible(entry.url)}`, [entry]),
    }))
    ui.dialog.replace(() => ui.DialogSelect({ title: "Your shares (choose one to remove it)", options }))
  }

  const unshareAll = async (): Promise<void> => {
    const entries = await shareList.list()
    if (entries.length === 0) return ui.toast({ variant: "info", message: "No shares are known on this machine." })
    confirm(
      "Remove all your shares?",
      `${shares(entries.length)}: the links stop working, and the servers delete the sessions.`,
      entries,
    )
  }

  const common = { namespace: "palette", category: "Better Share" }
  keymap.registerLayer({
    commands: [
      {
        ...common,
        name: "better-share.list",
        title: "Your shares",
        desc: "List and remove your shares",
        slashName: "shares",
        run: list,
      },
      {
        ...common,
        name: "better-share.remove-all",
        title: "Unshare all",
        desc: "Remove all your shares",
        slashName: "unshare-all",
        run: unshareAll,
      },
    ],
  })
}

/** Has OpenCode forget a link that is gone: its sidebar would show it, and /share copy it. */
async function forget({ sessionId, url }: Entry, { session }: Terminal["client"]): Promise<void> {
  const { data } = await session.get({ sessionID: sessionId })
  if (data?.share?.url === url) await session.unshare({ sessionID: sessionId })
}

const shares = (amount: number): string => (amount === 1 ? "1 share" : `${amount} shares`)

export default { id: NAME, tui }
