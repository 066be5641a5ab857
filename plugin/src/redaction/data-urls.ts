const DATA_URL = /^data:([a-z]{1,40}\/[a-z0-9.+-]{1,100})?(?:;[^,]{0,200})?,/i
const TEXT_TYPE =
  /^(?:text\/|application\/(?:[a-z0-9.-]*\+)?(?:json|xml|yaml|toml|javascript|x-sh|x-yaml|sql)|image\/svg\+xml)/i

/** The content of a `data:` URL (RFC 2397). */
export interface Attachment {
  /** The decoded text; undefined for a media type that is not text. */
  text: string | undefined
  /** The `data:` URL with another text as its content. */
  withText(text: string): string
}

/** Parses a `data:` URL; undefined for any other text. */
export function attachmentIn(url: string): Attachment | undefined {
  if (!url.startsWith("data:")) return undefined
  const head = DATA_URL.exec(url)
  if (!head) return undefined
  const [beginning, type = "text/plain"] = head
  const isBase64 = beginning.toLowerCase().endsWith(";base64,")
  const body = url.slice(beginning.length)
  const withText = (text: string) =>
    beginning + (isBase64 ? Buffer.from(text).toString("base64") : encodeURIComponent(text))
  return { text: TEXT_TYPE.test(type) ? decoded(body, isBase64) : undefined, withText }
}

function decoded(body: string, isBase64: boolean): string {
  if (isBase64) return Buffer.from(body, "base64").toString()
  try {
    return decodeURIComponent(body)
  } catch {
    return body
  }
}
