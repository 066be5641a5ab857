import { serverBase } from "../settings/server"

/** What it takes to change a share: which one, on which server, and the right to do so. */
export interface Share {
  id: string
  base: string
  secret: string
}

/**
 * OpenCode stores one string per share and gives it back with each call. With the server's address inside, a share keeps
 * going to the server that made it when the setting changes, and no other server ever sees its secret.
 */
export const packSecret = (share: Share): string => `${share.secret}.${Buffer.from(share.base).toString("base64url")}`

/** Undefined for a secret that this plugin did not make. */
export function unpackSecret(id: string, packed: string): Share | undefined {
  const dot = packed.lastIndexOf(".")
  if (dot < 1) return undefined
  const base = Buffer.from(packed.slice(dot + 1), "base64url").toString()
  if (serverBase(base) !== base) return undefined
  return { id, base, secret: packed.slice(0, dot) }
}
