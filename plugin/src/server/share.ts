import { serverBase } from "../settings/server"

/** A share and the secret that allows changing it, on the server that created it. */
export interface Share {
  id: string
  base: string
  secret: string
}

export const hostOf = (base: string): string => new URL(base).host

/** Parses what versions before 0.2 had OpenCode store for a share; undefined if this plugin did not create it. */
export function unpackSecret(id: string, packed: string): Share | undefined {
  const dot = packed.lastIndexOf(".")
  if (dot < 1) return undefined
  const base = Buffer.from(packed.slice(dot + 1), "base64url").toString()
  if (serverBase(base) !== base) return undefined
  return { id, base, secret: packed.slice(0, dot) }
}
