import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Failure } from "../../server/errors"
import { isObject, type Json, type Session } from "../client"
import { nameOfCopy, type Reader, type Storage } from "./storage"
import { createdAt, updatedAt } from "./times"

/** Files that are read at once. */
const BATCH = 64

/** The JSON files in which OpenCode before version 1.2 keeps its sessions, as written by 1.0 and 1.1. */
export const readJsonFiles: Reader = async ({ folder }) => {
  const path = join(folder, "storage")
  const kinds: string[] = await readdir(path).catch(() => [])
  return kinds.includes("session") ? [async () => new JsonFileStorage(path)] : []
}

/** `session/<project>/<id>.json`, `message/<session>/<id>.json`, `part/<message>/<id>.json` and `session_share/<session>.json`. */
class JsonFileStorage implements Storage {
  #sessions: Promise<Session[]> | undefined

  constructor(readonly path: string) {}

  async has(sessionId: string) {
    return (await this.#all()).some(({ id }) => id === sessionId)
  }

  async latest(directory: string) {
    return (await this.#all())
      .filter((session) => session.directory === directory && session.parentID === undefined)
      .sort((one, other) => updatedAt(other) - updatedAt(one))[0]
  }

  async session(id: string) {
    const found = (await this.#all()).find((session) => session.id === id)
    if (!found) throw new Failure("unreadable", `There is no session ${id} in ${this.path}.`)
    return found
  }

  async children(id: string) {
    return (await this.#all()).filter(({ parentID }) => parentID === id)
  }

  async messages(id: string) {
    const infos = await readFolder(join(this.path, "message", id))
    const messages: { info: Json; parts: Json[] }[] = []
    for (const info of infos) messages.push({ info, parts: await readFolder(join(this.path, "part", String(info.id))) })
    return messages.sort((one, other) => createdAt(one.info) - createdAt(other.info))
  }

  async shares() {
    const folder = join(this.path, "session_share")
    const found = await Promise.all(
      (await namesIn(folder)).map(async (name) => ({ name, share: await readJson(join(folder, name)) })),
    )
    return found.flatMap(({ name, share }) =>
      share
        ? [
            {
              sessionId: name.replace(/\.json$/, ""),
              id: `${share.id}`,
              secret: `${share.secret}`,
              url: `${share.url}`,
            },
          ]
        : [],
    )
  }

  async unshare(sessionIds: readonly string[]) {
    const copy = nameOfCopy(this.path)
    const sessions = await this.#sessionFiles()
    for (const id of sessionIds) {
      const names = [...sessions.filter((name) => basename(name) === `${id}.json`), join("session_share", `${id}.json`)]
      for (const name of names) {
        const [path, kept] = [join(this.path, name), join(copy, name)]
        await mkdir(dirname(kept), { recursive: true, mode: 0o700 })
        await copyFile(path, kept)
        const { share, ...session } = (await readJson(path)) ?? {}
        if (!name.startsWith("session_share")) await replaceFile(path, JSON.stringify(session, undefined, 2))
        else await rm(path)
      }
    }
    return copy
  }

  close() {}

  /** The files of all sessions, relative to the folder. */
  async #sessionFiles(): Promise<string[]> {
    const names = await readdir(join(this.path, "session"), { recursive: true })
    return names.filter((name) => name.endsWith(".json")).map((name) => join("session", name))
  }

  #all(): Promise<Session[]> {
    this.#sessions ??= this.#readSessions()
    return this.#sessions
  }

  async #readSessions(): Promise<Session[]> {
    const folder = join(this.path, "session")
    const projects = await readdir(folder).catch(() => [])
    const sessions: Json[] = []
    for (const project of projects) sessions.push(...(await readFolder(join(folder, project))))
    return sessions.filter((session): session is Session => typeof session.id === "string")
  }
}

/** The objects in the files of a folder, in the order of their names, which are ids and ascend with time. */
async function readFolder(folder: string): Promise<Json[]> {
  const names = await namesIn(folder)
  const objects: Json[] = []
  for (let from = 0; from < names.length; from += BATCH) {
    const batch = names.slice(from, from + BATCH).map((name) => readJson(join(folder, name)))
    objects.push(...(await Promise.all(batch)).filter((object) => object !== undefined))
  }
  return objects
}

const namesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".json")).sort()

/** The object in a file; undefined if it is damaged. */
async function readJson(path: string): Promise<Json | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}`
  await writeFile(draft, text)
  await rename(draft, path)
}
