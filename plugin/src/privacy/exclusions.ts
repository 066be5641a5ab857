import { isObject, type Json, type Message, type Session } from "../opencode/client"
import type { Transcript } from "../opencode/snapshot"
import type { SessionDocument } from "../publishing/document"
import { TimeSlices } from "../redaction/time-slices"
import { PathMatcher } from "./path-matcher"
import { PathReader } from "./path-reader"

/** Tools whose output names files and has no contents. */
const LISTING_TOOLS = new Set(["glob", "list"])
const note = (path: string): string => `[excluded: ${path}]`

/** Keeps the contents of files that match `exclude` out of a document, wherever a tool names one of them. */
export class Exclusions {
  readonly #paths: PathMatcher | undefined

  constructor(
    patterns: readonly string[],
    private readonly home: string,
  ) {
    this.#paths = patterns.length > 0 ? new PathMatcher(patterns) : undefined
  }

  async apply(document: SessionDocument): Promise<SessionDocument> {
    const paths = this.#paths
    if (!paths) return document
    const slices = new TimeSlices()
    const allowed = (transcript: Transcript) => withoutExcluded(transcript, paths, this.home, slices)
    const children: Transcript[] = []
    for (const child of document.children ?? []) children.push(await allowed(child))
    return { ...document, ...(await allowed(document)), ...(children.length > 0 ? { children } : {}) }
  }
}

/** The first excluded path in the input and output of a tool call. */
type Find = (texts: readonly string[], call?: Json) => string | undefined

async function withoutExcluded(
  { session, messages }: Transcript,
  paths: PathMatcher,
  home: string,
  slices: TimeSlices,
): Promise<Transcript> {
  const project = new PathReader(typeof session.directory === "string" ? session.directory : "/", home)
  const find: Find = (texts, { command, workdir } = {}) => {
    const folders = project.workingDirectories(textsIn(command).join(" "), typeof workdir === "string" ? workdir : "")
    return firstIn(texts, (text) => paths.find(text, project, folders))
  }
  const diffs = (holder: Json): Json => withoutDiffs(holder, find)
  return {
    session: withoutUndone(diffs(session), find) as Session,
    messages: await slices.map(messages, (message) => withoutContents(message, find, diffs)),
  }
}

function withoutContents(message: Message, find: Find, diffs: (holder: Json) => Json): Message {
  const result = { ...message }
  if (isObject(message.info)) result.info = diffs(message.info)
  if (Array.isArray(message.parts))
    result.parts = withoutAttached(
      message.parts.map((part) => (isObject(part) ? withoutOutput(part, find) : part)),
      find,
    )
  if (Array.isArray(message.content))
    result.content = message.content.map((block) => (isObject(block) ? withoutOutput(block, find) : block))
  return message.type === "shell" ? withoutShell(result, find) : result
}

/** The diffs that OpenCode keeps in a session's or a prompt's summary. */
function withoutDiffs(holder: Json, find: Find): Json {
  const { summary } = holder
  if (!isObject(summary) || !Array.isArray(summary.diffs)) return holder
  const diffs = summary.diffs.map((diff: unknown) => {
    if (!isObject(diff)) return diff
    const path = find([String(diff.file ?? diff.path ?? "")])
    if (path === undefined) return diff
    return {
      ...diff,
      ...Object.fromEntries(
        ["patch", "before", "after"]
          .filter((key) => key in diff)
          .map((key) => [key, key === "before" ? "" : note(path)]),
      ),
    }
  })
  return { ...holder, summary: { ...summary, diffs } }
}

/** The diff of the undone changes, which covers all files. */
function withoutUndone(session: Json, find: Find): Json {
  const { revert } = session
  if (!isObject(revert) || typeof revert.diff !== "string") return session
  const path = find([revert.diff])
  return path === undefined ? session : { ...session, revert: { ...revert, diff: note(path) } }
}

/** A tool call: input may contain the text to write, output the text of the file. */
function withoutOutput(part: Json, find: Find): Json {
  const { state } = part
  if (!isObject(state)) return part
  const tool = String(part.tool ?? part.name ?? "")
  const input = textsIn(state.input)
  const output = LISTING_TOOLS.has(tool)
    ? []
    : textsIn([state.output, state.title, state.metadata, state.content, state.structured, state.raw, state.error])
  const path = find([...input, ...output], isObject(state.input) ? state.input : {})
  if (path === undefined) return part
  const { time, status } = state
  const contents =
    state.content === undefined ? { output: note(path) } : { content: [{ type: "text", text: note(path) }] }
  const failed =
    status === "error" ? { error: isObject(state.error) ? { ...state.error, message: note(path) } : note(path) } : {}
  return {
    ...part,
    state: {
      status,
      input: { filePath: path },
      title: path,
      metadata: {},
      ...contents,
      ...failed,
      ...(time === undefined ? {} : { time }),
    },
  }
}

/** An attached file, and the text that OpenCode adds to the prompt for it. */
function withoutAttached(parts: unknown[], find: Find): unknown[] {
  const excluded = parts.filter(isObject).find((part) => part.type === "file" && attachedPath(part, find) !== undefined)
  if (!excluded) return parts
  return parts.map((part) => {
    if (!isObject(part)) return part
    const path = attachedPath(excluded, find) ?? ""
    if (part.type === "text" && part.synthetic === true) return { ...part, text: note(path) }
    const own = part.type === "file" ? attachedPath(part, find) : undefined
    return own === undefined
      ? part
      : { id: part.id, sessionID: part.sessionID, messageID: part.messageID, type: "text", text: note(own) }
  })
}

function attachedPath(part: Json, find: Find): string | undefined {
  const source = isObject(part.source) ? String(part.source.path ?? "") : ""
  const url = typeof part.url === "string" && !part.url.startsWith("data:") ? (part.url.split("?")[0] ?? "") : ""
  return find([source, url, String(part.filename ?? "")])
}

function withoutShell(message: Json, find: Find): Json {
  const path = find(textsIn([message.command, message.output]), message)
  return path === undefined ? message : { ...message, output: note(path) }
}

function firstIn(texts: readonly string[], pathIn: (text: string) => string | undefined): string | undefined {
  for (const text of texts) {
    const path = pathIn(text)
    if (path !== undefined) return path
  }
  return undefined
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return value.startsWith("data:") ? [] : [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isObject(value) ? Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)]) : []
}
