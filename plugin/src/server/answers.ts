import { isObject, type Json } from "../opencode/client"

/** What the server answers when it has created a share. */
export interface Creation {
  /** The link of the share, in ASCII without blanks: OpenCode puts it on the clipboard. */
  url: string
  secret: string
  createdAt: number
  /** The release of the plugin that the server hands out; undefined from older servers. */
  plugin: string | undefined
  /** Who may read the share; undefined from older servers, which know only links. */
  audience: string | undefined
  /** What readers need, if the server made it for this share. */
  password: string | undefined
  /** When the share ends; undefined if it stays until it is removed. */
  expiresAt: number | undefined
}

/** A signed URL for one upload, with the headers that were signed. */
export interface UploadLink {
  url: URL
  headers: Record<string, string>
  createdAt: number
  /** When the share ends; undefined if it stays until it is removed. */
  expiresAt: number | undefined
  /** The revision that the upload is to follow when it is committed; undefined from servers that know only whole documents. */
  revision: number | undefined
}

export interface Committed {
  revision: number
  /** The types of items that changes may have; empty from servers of 0.2.0, which do not say. */
  items: ReadonlySet<unknown>
  /** A link for the next changes, of any size. */
  next: UploadLink | undefined
}

const MAX_LINK_CHARACTERS = 2_000
const PRINTABLE = /^[\x21-\x7e]+$/
/** Without `Content-Length`, which fetch sets from the body to the declared size. */
const SIGNED_HEADER = /^(content-type|content-encoding|cache-control|if-none-match|x-amz-[a-z0-9-]+)$/i

/** Reads the answer to the creation of a share; undefined if it is none. */
export function readCreation({
  url,
  secret,
  createdAt,
  plugin,
  audience,
  password,
  shareExpiresAt,
}: Json): Creation | undefined {
  if (typeof secret !== "string" || !PRINTABLE.test(secret) || !isTime(createdAt)) return undefined
  const link = readUrl(url)?.href
  if (!link || link.length > MAX_LINK_CHARACTERS) return undefined
  return {
    url: link,
    secret,
    createdAt,
    plugin: isRelease(plugin) ? plugin : undefined,
    audience: typeof audience === "string" ? audience : undefined,
    password: typeof password === "string" && PASSWORD.test(password) ? password : undefined,
    expiresAt: isTime(shareExpiresAt) ? shareExpiresAt : undefined,
  }
}

const PASSWORD = /^[\x21-\x7e]{8,200}$/

const isRelease = (value: unknown): value is string => typeof value === "string" && /^[\w.-]{1,64}$/.test(value)

/** Reads the answer to a request for an upload link; undefined if it is none. */
export function readUploadLink({
  presignedUrl,
  headers = {},
  createdAt,
  shareExpiresAt,
  kind,
  revision,
}: Json): UploadLink | undefined {
  const url = readUrl(presignedUrl)
  if (!url || !isObject(headers) || !isTime(createdAt)) return undefined
  return {
    url,
    headers: sendable(headers),
    createdAt,
    expiresAt: isTime(shareExpiresAt) ? shareExpiresAt : undefined,
    // An older server ignores what it was asked for, and does not repeat it.
    revision: kind !== undefined && isRevision(revision) ? revision : undefined,
  }
}

/** Reads the answer to a commit; undefined if it is none. */
export function readCommitted({ revision, items, next }: Json): Committed | undefined {
  if (!isRevision(revision)) return undefined
  return {
    revision,
    items: new Set(Array.isArray(items) ? items : []),
    next: isObject(next) ? readUploadLink(next) : undefined,
  }
}

/** An http(s) URL without a user name or password. */
function readUrl(value: unknown): URL | undefined {
  if (typeof value !== "string" || !URL.canParse(value)) return undefined
  const url = new URL(value)
  const isWeb = url.protocol === "https:" || url.protocol === "http:"
  return isWeb && !url.username && !url.password ? url : undefined
}

function sendable(headers: Json): Record<string, string> {
  const entries = Object.entries(headers).filter(
    (entry): entry is [string, string] =>
      SIGNED_HEADER.test(entry[0]) && typeof entry[1] === "string" && /^[\x20-\x7e]*$/.test(entry[1]),
  )
  return Object.fromEntries(entries)
}

const isRevision = (value: unknown): value is number => Number.isSafeInteger(value)

const isTime = (value: unknown): value is number =>
  typeof value === "number" && !Number.isNaN(new Date(value).getTime())
