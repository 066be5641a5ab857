#!/usr/bin/env node
/** `npx <server>/plugin.tgz`: your shares and servers, also without OpenCode. Runs in Node.js and bun. */
import { readFile } from "node:fs/promises"
import { text as textOf } from "node:stream/consumers"
import { commandLine } from "./lib/package"
import { TIMEOUTS } from "./lib/timeouts"
import { visible } from "./lib/visible"
import { explain } from "./redaction/explain"
import { ownRules } from "./redaction/own-formats"
import { ShareApi } from "./server/api"
import { serverBase } from "./settings/server"
import { AllowedServers } from "./state/allowed-servers"
import { removeShare } from "./state/remove-share"
import { type Entry, ShareList } from "./state/share-list"
import { openStateFolder, StateFiles } from "./state/state-files"

const USAGE = `Usage: ${commandLine()} <command>

  list             your shares on this machine, the newest first
  remove <link>    makes a link stop working and deletes the session from its server; takes its id,
                   and the address of anything on its pages, too
  remove --all     does so with all of them
  allow <server>   lets projects that name this server share on it; --undo takes that back
  redact --explain <file>
                   lists what would be removed from a text, and by which rule; - is the standard input,
                   --formats <file> reads your own formats`

const stateFiles = new StateFiles(openStateFolder(process.env))
const shareList = new ShareList(stateFiles)

/** Prints one line, which may contain text of sessions and servers. */
const print = (line: string): void => console.log(visible(line))
const complain = (line: string): void => console.error(visible(line))

async function list(): Promise<number> {
  const entries = await shareList.list()
  if (entries.length === 0) complain("No shares are known on this machine.")
  for (const { url, title, createdAt } of entries)
    print(`${new Date(createdAt).toISOString().slice(0, 10)}  ${url}  ${title}`)
  return 0
}

async function remove(link: string): Promise<number> {
  const chosen = link === "--all" ? await shareList.list() : await shareList.find(link)
  if (chosen.length === 0) {
    complain(
      link === "--all"
        ? "No shares are known on this machine."
        : `No share ${link} is known on this machine: see \`list\`.`,
    )
    return link === "--all" ? 0 : 1
  }
  const links = [...new Set(chosen.map(({ url }) => url))]
  if (link !== "--all" && links.length > 1) {
    complain(
      `Nothing was removed: ${links.length} shares on different servers are called ${link}. Name one by its link:`,
    )
    for (const each of links) complain(each)
    return 1
  }
  const results = await Promise.all(chosen.map(removeOne))
  return results.every(Boolean) ? 0 : 1
}

/** Returns whether the link stopped working. */
async function removeOne(entry: Entry): Promise<boolean> {
  const problem = await removeShare(entry, shareList, stateFiles, new ShareApi(TIMEOUTS))
  if (problem === undefined) print(`Removed: ${entry.url}`)
  else complain(`Not removed, the link still works: ${entry.url}: ${problem}`)
  return problem === undefined
}

async function allow(server: string, isUndone: boolean): Promise<number> {
  const base = serverBase(server)
  if (base === undefined) {
    complain(`${server} is not the address of a server, like https://share.example.com.`)
    return 2
  }
  const allowed = new AllowedServers(stateFiles, process.env)
  await (isUndone ? allowed.remove(base) : allowed.add(base))
  print(`Projects may${isUndone ? " no longer" : ""} share on ${base}.`)
  return 0
}

/** Prints a line for each part, as `flask redact --explain` does. */
async function explainRemovals(file: string, formats: string | undefined): Promise<number> {
  const [text, list] = await Promise.all([contentOf(file), formats === undefined ? "[]" : contentOf(formats)])
  if (text === undefined) {
    complain(`${file} cannot be read.`)
    return 1
  }
  const own = list === undefined ? undefined : ownRules(parsed(list))
  if (own === undefined) {
    complain(`${formats} is not a list of formats like [{"name": "ACME token", "prefix": ["acme_"], ...}].`)
    return 1
  }
  for (const { line, length, kind, reasons } of explain(text, own))
    print(`${`${line}`.padStart(6)}  ${`${length}`.padStart(5)} characters  ${kind.padEnd(24)}  ${reasons.join(", ")}`)
  return 0
}

const contentOf = (file: string): Promise<string | undefined> =>
  (file === "-" ? textOf(process.stdin) : readFile(file, "utf8")).catch(() => undefined)

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

async function main([command, argument, ...rest]: string[]): Promise<number> {
  if (command === "list" && argument === undefined) return await list()
  if (command === "remove" && argument !== undefined && rest.length === 0) return await remove(argument)
  if (command === "allow" && argument !== undefined && (rest.length === 0 || rest.join() === "--undo"))
    return await allow(argument, rest.length > 0)
  const [file, option, formats] = rest
  if (command === "redact" && argument === "--explain" && file !== undefined && rest.length <= 3)
    if (option === undefined || (option === "--formats" && formats !== undefined))
      return await explainRemovals(file, formats)
  console.error(USAGE)
  return 2
}

/** Keeps the process alive: the timers between attempts do not. */
const awake = setInterval(() => undefined, 60_000)
process.exitCode = await main(process.argv.slice(2))
clearInterval(awake)
