#!/usr/bin/env node
/** `npx <server>/plugin.tgz`: sharing without a terminal, and your shares and servers. Runs in Node.js and bun. */
import "./cli/node-runtime"
import { run } from "./cli/commands"
import { rerunWithProxies } from "./cli/node-proxy"

/** Keeps the process alive: the timers between attempts do not. */
const awake = setInterval(() => undefined, 60_000)
process.exitCode = rerunWithProxies() ?? (await run(process.argv.slice(2)))
clearInterval(awake)
