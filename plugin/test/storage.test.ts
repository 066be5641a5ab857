import { Database } from "bun:sqlite"
import { afterEach, describe, expect, test } from "bun:test"
import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { readExport } from "../src/opencode/export-file"
import { takeSnapshot } from "../src/opencode/snapshot"
import { dataPlace, latestSession, storageOf } from "../src/opencode/storage/open-storage"
import { RELEASES, recordedStorage, storedSessions } from "./support/stored-sessions"

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

/** The folder and place of an OpenCode with the sessions that a release has stored. */
async function opencode(release: string, more = {}) {
  const stored = { ...recordedStorage(release), ...more }
  const home = await storedSessions(stored)
  folders.push(home)
  return { home, sessions: stored.sessions, place: dataPlace({ XDG_DATA_HOME: home }, "") }
}

const nothing = async () => []

describe.each(RELEASES)("sessions that OpenCode %s has stored", (release) => {
  test("are read as its API hands them out", async () => {
    const { sessions, place } = await opencode(release)
    for (const [id, { session, messages, children }] of Object.entries(sessions)) {
      const storage = await storageOf(id, place)
      const snapshot = await takeSnapshot(storage, id, nothing)
      expect(snapshot.session).toEqual(session)
      expect(snapshot.messages).toEqual(messages)
      expect(snapshot.children.map((child) => child.session)).toEqual(children)
      storage.close()
    }
  })

  test("are found by their folder, the one that changed last first", async () => {
    const { sessions, place } = await opencode(release)
    const [, last = ""] = Object.keys(sessions)
    expect(await latestSession("/home/ada/project", place)).toBe(last)
    await expect(latestSession("/home/ada", place)).rejects.toThrow(/no session of \/home\/ada in/)
  })

  test("have their sub-agents with them", async () => {
    const { sessions, place } = await opencode(release)
    const [id = ""] = Object.keys(sessions)
    const storage = await storageOf(id, place)
    const { children } = await takeSnapshot(storage, id, nothing)
    expect(JSON.stringify(children.map(({ messages }) => messages))).toContain("Two names.")
    storage.close()
  })

  test("are known with their shares", async () => {
    const { sessions, place } = await opencode(release)
    const [, shared = ""] = Object.keys(sessions)
    const storage = await storageOf(shared, place)
    const [share, ...others] = await storage.shares()
    expect(others).toEqual([])
    expect(share).toMatchObject({ sessionId: shared, id: shared.slice(-8), url: sessions[shared]?.session.share?.url })
    expect(share?.secret).not.toBeEmpty()
    storage.close()
  })
})

describe("a session", () => {
  test("is read from the database after OpenCode has moved its files there", async () => {
    const { files } = recordedStorage("1.1.65")
    const { sessions, place } = await opencode("1.2.1", { files })
    for (const id of Object.keys(sessions)) expect((await storageOf(id, place)).path).toEndWith("opencode.db")
    const [old = ""] = Object.keys(recordedStorage("1.1.65").sessions)
    expect((await storageOf(old, place)).path).toEndWith("storage")
  })

  test("is read while OpenCode writes", async () => {
    const { home, sessions, place } = await opencode("1.18.33")
    const [id = ""] = Object.keys(sessions)
    using writing = new Database(join(home, "opencode", "opencode.db"))
    writing.exec("BEGIN IMMEDIATE; UPDATE session SET title = 'half written'")
    const storage = await storageOf(id, place)
    writing.exec("COMMIT")
    expect((await storage.session(id)).title).toBe("A scripted session")
    storage.close()
  })

  test("is read without what is damaged", async () => {
    const { home, sessions, place } = await opencode("1.18.33")
    const [id = ""] = Object.keys(sessions)
    using database = new Database(join(home, "opencode", "opencode.db"))
    database.exec("UPDATE part SET data = '{' WHERE data LIKE '%Everybody is greeted.%'")
    const text = JSON.stringify(await (await storageOf(id, place)).messages(id))
    expect(text).toContain("It is delegated.")
    expect(text).not.toContain("Everybody is greeted.")
  })

  test("is read from the database that OPENCODE_DB names, and that of another channel", async () => {
    const { home, sessions } = await opencode("1.18.33")
    const [id = ""] = Object.keys(sessions)
    const folder = join(home, "opencode")
    await Bun.write(join(folder, "mine.db"), "")
    const place = dataPlace({ XDG_DATA_HOME: home, OPENCODE_DB: "mine.db" }, "")
    await expect(storageOf(id, place)).rejects.toThrow(/does not know/)
    expect((await storageOf(id, dataPlace({ XDG_DATA_HOME: home }, ""))).path).toBe(join(folder, "opencode.db"))
    await Bun.$`mv ${folder}/opencode.db ${folder}/opencode-dev.db`
    expect((await storageOf(id, dataPlace({ XDG_DATA_HOME: home }, ""))).path).toBe(join(folder, "opencode-dev.db"))
  })

  test.each([
    ["that is not there", {}, /has no session/],
    ["in a database of another form", { sql: "CREATE TABLE session (id TEXT)" }, /opencode export/],
  ])("%s is refused with what to do", async (_, more, message) => {
    const { place } = await opencode("1.18.33", more)
    await expect(storageOf("ses_missing", place)).rejects.toThrow(message)
  })

  test("in a file that is no database is refused", async () => {
    const { home, place } = await opencode("1.1.65")
    for (const name of ["opencode.db", "opencode-dev.db"])
      await writeFile(join(home, "opencode", name), "This is no database.")
    await expect(storageOf("ses_missing", place)).rejects.toThrow(/cannot be read/)
    const [id = ""] = Object.keys(recordedStorage("1.1.65").sessions)
    expect((await storageOf(id, place)).path).toEndWith("storage")
  })

  test("is not found where there is no OpenCode", async () => {
    const { home } = await opencode("1.1.65")
    await mkdir(join(home, "empty"))
    await expect(storageOf("ses_missing", dataPlace({}, join(home, "empty")))).rejects.toThrow(/has no session/)
  })
})

describe("an export", () => {
  test("is read as `opencode export` writes it, and as a document that is shared", () => {
    const { session, messages } = Object.values(recordedStorage("1.18.33").sessions)[0] ?? {}
    const child = { session: { id: "ses_child" }, messages: [] }
    expect(readExport(JSON.stringify({ info: session, messages }), "it")).toEqual({
      session,
      messages,
      children: [],
    } as never)
    expect(readExport(JSON.stringify({ session, messages, children: [child] }), "it").children).toEqual([child])
  })

  test.each(["", "{", "[]", "{}", '{"info": {}, "messages": []}', '{"info": {"id": "ses_1"}}'])("is not %j", (text) => {
    expect(() => readExport(text, "notes.txt")).toThrow('notes.txt is not a session as "opencode export" writes it.')
  })
})
