const DATA_URL = /^data:([a-z]+\/[a-z0-9.+-]+)?((?:;[^;,]*)*?)(;base64)?,/i
const TEXT_TYPE =
  /^(?:text\/|application\/(?:[a-z0-9.-]*\+)?(?:json|xml|yaml|toml|javascript|x-sh|x-yaml|sql)|image\/svg\+xml)/i

/** A file inside of an address. */
export interface Attachment {
  /** Its text; undefined for what is no text, like a picture. */
  text: string | undefined
  /** The address of another text in its place. */
  withText(text: string): string
}

/** Undefined for a text that is no `data:` address. */
export function attachmentIn(url: string): Attachment | undefined {
  if (!url.startsWith("data:")) return undefined
  const head = DATA_URL.exec(url)
  if (!head) return undefined
  const [beginning, type = "text/plain", , isBase64] = head
  const body = url.slice(beginning.length)
  const withText = (text: string) =>
    beginning + (isBase64 ? Buffer.from(text).toString("base64") : encodeURIComponent(text))
  return { text: TEXT_TYPE.test(type) ? decoded(body, isBase64 !== undefined) : undefined, withText }
}

function decoded(body: string, isBase64: boolean): string {
  if (isBase64) return Buffer.from(body, "base64").toString()
  try {
    return decodeURIComponent(body)
  } catch {
    return body
  }
}
