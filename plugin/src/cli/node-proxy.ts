import { spawnSync } from "node:child_process"
import { canReadProxies, readsProxies } from "../lib/proxy"

const VARIABLES = ["http_proxy", "https_proxy"].flatMap((name) => [name, name.toUpperCase()])

/**
 * Runs this command again where Node.js has to be told to use the proxies of the environment, which it reads only when it
 * starts. Returns the exit code; undefined if that is not needed.
 */
export function rerunWithProxies(): number | undefined {
  const { env, argv, execPath, execArgv } = process
  if (readsProxies(env) || !canReadProxies() || !VARIABLES.some((name) => env[name])) return undefined
  const { status } = spawnSync(execPath, [...execArgv, ...argv.slice(1)], {
    stdio: "inherit",
    env: { ...env, NODE_USE_ENV_PROXY: "1" },
  })
  return status ?? 1
}
