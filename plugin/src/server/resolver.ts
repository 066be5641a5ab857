import { isProxied } from "../lib/proxy"
import { Failure } from "./errors"
import type { Resolve } from "./networks"

/** How this machine finds the host of a URL; undefined if fetch leaves that to a proxy. */
export const machineResolver =
  (env: Record<string, string | undefined>) =>
  (url: URL): Resolve | undefined =>
    isProxied(url, env) ? undefined : resolve

/** All addresses of a name, from the resolver that fetch uses. */
async function resolve(name: string): Promise<readonly string[]> {
  try {
    return (await Bun.dns.lookup(name, { backend: "system" })).map(({ address }) => address)
  } catch {
    throw new Failure("unreachable", `The name ${name} cannot be resolved. Check the address and your network.`)
  }
}
