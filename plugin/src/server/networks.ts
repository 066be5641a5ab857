import { BlockList, isIP } from "node:net"

/** Where an address leads: to this machine, to the machines on its link, to a network that is not the internet, or there. */
export type Network = "loopback" | "link-local" | "private" | "public"

/**
 * The special-purpose address blocks of IANA that lead, or could lead, to machines of the user's own networks.
 * https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const BLOCKS: Record<Exclude<Network, "public">, { ipv4: readonly string[]; ipv6: readonly string[] }> = {
  loopback: {
    // The unspecified addresses connect to this machine too.
    ipv4: ["0.0.0.0/8", "127.0.0.0/8"],
    ipv6: ["::/128", "::1/128"],
  },
  "link-local": { ipv4: ["169.254.0.0/16"], ipv6: ["fe80::/10"] },
  private: {
    ipv4: [
      "10.0.0.0/8",
      "100.64.0.0/10", // carrier-grade NAT
      "172.16.0.0/12",
      "192.0.0.0/24",
      "192.168.0.0/16",
      "198.18.0.0/15",
      "224.0.0.0/3", // multicast, reserved, broadcast
    ],
    ipv6: [
      "64:ff9b:1::/48", // NAT64 of a network's own
      "2001::/32", // Teredo and 6to4, which contain any IPv4 address
      "2002::/16",
      "fc00::/7",
      "fec0::/10",
      "ff00::/8",
    ],
  },
}
/** IPv6 addresses whose last 32 bits are an IPv4 address. BlockList itself knows `::ffff:0:0/96`. */
const IPV4_PREFIXES = ["::", "64:ff9b::", "::ffff:0:"]

const LISTS = Object.entries(BLOCKS).map(([network, { ipv4, ipv6 }]) => ({
  network: network as Network,
  list: blockList(ipv4, ipv6),
}))

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList()
  for (const [address, length] of ipv4.map(split)) {
    list.addSubnet(address, length, "ipv4")
    for (const prefix of IPV4_PREFIXES) list.addSubnet(`${prefix}${address}`, 96 + length, "ipv6")
  }
  for (const [address, length] of ipv6.map(split)) list.addSubnet(address, length, "ipv6")
  return list
}

function split(block: string): [address: string, length: number] {
  const [address = "", length] = block.split("/")
  return [address, Number(length)]
}

/** The network of an IPv4 or IPv6 address. */
export function networkOf(address: string): Network {
  const family = isIP(address) === 6 ? "ipv6" : "ipv4"
  return LISTS.find(({ list }) => list.check(address, family))?.network ?? "public"
}

/** Resolves a host name to all its addresses. */
export type Resolve = (name: string) => Promise<readonly string[]>

/** The networks that the host of a URL is in; empty if only a proxy knows, for which `resolve` is undefined. */
export async function networksOf({ hostname }: URL, resolve: Resolve | undefined): Promise<ReadonlySet<Network>> {
  const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "")
  if (isIP(host)) return new Set([networkOf(host)])
  if (host === "localhost" || host.endsWith(".localhost")) return new Set(["loopback"])
  return new Set((await resolve?.(host))?.map(networkOf))
}
