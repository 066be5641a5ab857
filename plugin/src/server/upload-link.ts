import { excerpt } from "../lib/visible"
import { Failure } from "./errors"
import { networksOf, type Resolve } from "./networks"

/** What an upload link may lead to besides the internet, and how names are resolved. */
export interface UploadPolicy {
  /** Hosts, with or without a port, that the user allowed. */
  hosts: readonly string[]
  /** How the request to a URL finds its host; undefined if a proxy does. */
  resolverFor(url: URL): Resolve | undefined
}

/**
 * Throws a Failure unless the link leads to where a session may be uploaded: to the server itself, to a host that the user
 * allowed, to the internet, or to a network of the kind that the server is in. A name may resolve to another address when
 * the upload connects; only `http:` would then find anybody there, because no other host has a certificate for that name.
 */
export async function checkUploadLink(link: URL, base: string, { hosts, resolverFor }: UploadPolicy): Promise<void> {
  const server = new URL(base)
  const refused = (why: string) => new Failure("refused", `The upload link of ${server.host} ${why}.`)
  if (link.protocol !== "https:" && (link.protocol !== "http:" || server.protocol !== "http:"))
    throw refused("is not encrypted")
  if (link.origin === server.origin || hosts.includes(link.host) || hosts.includes(link.hostname)) return
  const inner = [...(await networksOf(link, resolverFor(link)))].filter((network) => network !== "public")
  if (inner.length === 0) return
  const own = await networksOf(server, resolverFor(server))
  // A server could name one of the user's addresses beside its own.
  if (own.has("public") || inner.some((network) => !own.has(network)))
    throw refused(
      `leads into your own network (${excerpt(link.host, 100)}): allow that host in "uploadHosts" if it is yours`,
    )
}
