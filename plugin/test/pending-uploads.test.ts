import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import type { PendingUpload } from "../src/state/pending-uploads"
import { StateFiles } from "../src/state/state-files"
import { FakeClient, message, SESSION, transcript } from "./support/fake-client"
import { World } from "./support/world"

let world: World
beforeEach(async () => {
  world = await World.create()
})
afterEach(() => world.close())

const endedProcess = () => Bun.spawnSync([process.execPath, "--version"]).pid
const pendingUploads = async () =>
  (await new StateFiles(world.folder).readAll()).filter((record) => record.kind === "upload")

/** OpenCode ends before its server has the last answer. */
async function endBeforeUpload(pid: number): Promise<PendingUpload> {
  const opencode = world.start({ timeouts: { backoff: [3_600_000] } })
  const share = await opencode.created()
  world.host.transcripts.get(SESSION)?.messages.push(message(2, "the last answer"))
  world.server.always.renew = () => Response.json({}, { status: 503 })
  await opencode.sync(share)
  await opencode.share.dispose()
  delete world.server.always.renew
  const [pending] = await pendingUploads()
  if (!pending) throw new Error("nothing is pending")
  const record = { ...pending, pid }
  await new StateFiles(world.folder).write(record)
  return record
}

describe("what could not be uploaded before OpenCode ended", () => {
  test("is uploaded once OpenCode has started again", async () => {
    const { id } = await endBeforeUpload(endedProcess())
    await world.start().share.start()
    await world.server.until(() => world.server.document(id)?.messages.length === 2)
  })

  test("is nothing after the last upload, nor after the share was removed", async () => {
    const opencode = world.start()
    const share = await opencode.created()
    await opencode.sync(share)
    await opencode.share.dispose()
    expect(await pendingUploads()).toEqual([])
    const { id } = await endBeforeUpload(endedProcess())
    const second = world.start()
    await second.remove({ id, secret: share.secret })
    await second.share.dispose()
    expect(await pendingUploads()).toEqual([])
  })

  test("is left to a process that still runs", async () => {
    const record = await endBeforeUpload(process.pid)
    const before = world.server.requests.length
    const second = world.start()
    await second.share.start()
    await second.share.dispose()
    expect(world.server.requests).toHaveLength(before)
    expect(await pendingUploads()).toEqual([record])
  })

  test("is left to the OpenCode that has the session", async () => {
    const record = await endBeforeUpload(endedProcess())
    const second = world.start({ host: new FakeClient(transcript("hello", "ses_of_another_project")) })
    await second.share.start()
    await second.share.dispose()
    expect(await pendingUploads()).toEqual([record])
  })
})
