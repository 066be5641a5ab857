type Environment = Record<string, string | undefined>

/** Whether fetch sends a request to this URL through a proxy, which then resolves the name of the host. */
export function isProxied(url: URL, env: Environment): boolean {
  if (!readsProxies(env) || !proxyOf(url, env)) return false
  const { host, hostname } = url
  const exceptions = `${env.no_proxy ?? ""},${env.NO_PROXY ?? ""}`.toLowerCase().split(/[\s,]+/)
  return !exceptions.filter(Boolean).some((entry) => entry === "*" || isWithin(entry, hostname) || entry === host)
}

/** The host of the proxy that the environment names for this URL; undefined if it names none. */
export function proxyOf({ protocol }: URL, env: Environment): string | undefined {
  const variable = protocol === "https:" ? "https_proxy" : "http_proxy"
  const proxy = env[variable] || env[variable.toUpperCase()]
  return proxy && (URL.canParse(proxy) ? new URL(proxy).host || proxy : proxy)
}

/** Node.js uses the proxies of the environment if it is told so, and not before versions 22.21 and 24. */
export const readsProxies = (env: Environment): boolean =>
  process.versions.bun !== undefined || (env.NODE_USE_ENV_PROXY === "1" && canReadProxies())

export function canReadProxies(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
  return major >= 24 || (major === 22 && minor >= 21)
}

/** Whether the host is the entry of NO_PROXY, or below it. */
function isWithin(entry: string, hostname: string): boolean {
  const domain = entry.replace(/^\*?\./, "")
  return hostname === domain || hostname.endsWith(`.${domain}`)
}
