import { serverBase } from "../settings/server"

/** A share and the secret that allows changing it, on the server that created it. */
export interface Share {
  id: string
  base: string
  secret: string
}

/**
 * OpenCode stores one string per share and returns it with each call. The string contains the URL of the server, so a share
 * stays on the server that created it when the setting changes, and no other server ever receives its secret.
 */
export const packSecret = (share: Share): string => `${share.secret}.${Buffer.from(share.base).toString("base64url")}`

/** Parses the string; undefined if this plugin did not create it. */
export function unpackSecret(id: string, packed: string): Share | undefined {
  const dot = packed.lastIndexOf(".")
  if (dot < 1) return undefined
  const base = Buffer.from(packed.slice(dot + 1), "base64url").toString()
  if (serverBase(base) !== base) return undefined
  return { id, base, secret: packed.slice(0, dot) }
}
