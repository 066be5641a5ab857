import { createCipheriv, createDecipheriv, createHmac, randomBytes, randomUUID } from "node:crypto"
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isObject } from "../opencode/client"
import { Failure } from "../server/errors"
import { type Share, unpackSecret } from "../server/share"

const PREFIX = "sealed."
const CIPHER = "aes-256-gcm"
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * OpenCode stores one string per share and returns it with each call. It holds the address of the server, so that a share stays
 * where it was created, and the secret. Both are sealed with a key in the state folder: without the plugin, OpenCode sends the
 * string to its vendor with the next prompt, where it must mean nothing. It ends with a secret that only removes the share: sent
 * to the server of the share, it lets OpenCode unshare without the plugin (`app/services/shares/share_secrets.py`).
 */
export class ShareSeal {
  #key: Buffer | undefined

  constructor(private readonly folder: string) {}

  /** The string for OpenCode. Throws a Failure if the key cannot be read or written. */
  seal({ id, base, secret }: Share): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, this.#keyOrNew(), nonce).setAAD(Buffer.from(id))
    const sealed = Buffer.concat([cipher.update(JSON.stringify({ base, secret })), cipher.final()])
    const removalSecret = createHmac("sha256", secret).update("remove").digest("base64url")
    return `${PREFIX}${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url")}.${removalSecret}`
  }

  /** The share of a string, also of one that a version without seals made; "lost" without the key, undefined if it is foreign. */
  open(id: string, text: string): Share | "lost" | undefined {
    if (!text.startsWith(PREFIX)) return unpackSecret(id, text)
    const [own = ""] = text.slice(PREFIX.length).split(".")
    const bytes = Buffer.from(own, "base64url")
    const [nonce, tag] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)]
    try {
      const decipher = createDecipheriv(CIPHER, this.#storedKey(), nonce).setAAD(Buffer.from(id)).setAuthTag(tag)
      const opened = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()])
      const share: unknown = JSON.parse(opened.toString())
      if (!isObject(share) || typeof share.base !== "string" || typeof share.secret !== "string") return "lost"
      return { id, base: share.base, secret: share.secret }
    } catch {
      return "lost"
    }
  }

  #storedKey(): Buffer {
    this.#key ??= readFileSync(join(this.folder, "key"))
    return this.#key
  }

  #keyOrNew(): Buffer {
    try {
      return this.#storedKey()
    } catch {
      // There is none yet.
    }
    try {
      this.#writeKey()
      return this.#storedKey()
    } catch {
      throw new Failure("refused", `The key of your shares cannot be kept in ${this.folder}.`)
    }
  }

  /** Of several processes that do this at once, one wins. */
  #writeKey(): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 })
    const draft = join(this.folder, `.${randomUUID()}`)
    writeFileSync(draft, randomBytes(KEY_BYTES), { mode: 0o600, flush: true })
    try {
      linkSync(draft, join(this.folder, "key"))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    } finally {
      rmSync(draft)
    }
  }
}
