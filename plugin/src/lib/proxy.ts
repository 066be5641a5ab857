/** Whether fetch sends a request to this URL through a proxy, which then resolves the name of the host. */
export function isProxied({ protocol, host, hostname }: URL, env: Record<string, string | undefined>): boolean {
  const variable = protocol === "https:" ? "https_proxy" : "http_proxy"
  if (!(env[variable] || env[variable.toUpperCase()])) return false
  const exceptions = `${env.no_proxy ?? ""},${env.NO_PROXY ?? ""}`.toLowerCase().split(/[\s,]+/)
  return !exceptions.filter(Boolean).some((entry) => entry === "*" || isWithin(entry, hostname) || entry === host)
}

/** Whether the host is the entry of NO_PROXY, or below it. */
function isWithin(entry: string, hostname: string): boolean {
  const domain = entry.replace(/^\*?\./, "")
  return hostname === domain || hostname.endsWith(`.${domain}`)
}
