import { PRIVACY_OPTIONS } from "./privacy"

export const DEFAULT_BASE = "https://opncd.com"

export interface Settings {
  /** URL of the server that creates new shares, without a trailing slash. */
  base: string
  /** Token for servers that restrict who may share. */
  token: string | undefined
  /** Whether this is the default server. */
  isDefault: boolean
  /** Hosts of the user's own networks that upload links may lead to, with or without a port. */
  uploadHosts: readonly string[]
}

/** Valid settings, or a sentence that says why sharing is refused. */
export type SettingsResult = Settings | { problem: string }

const OPTIONS = ["url", "uploadHosts", ...PRIVACY_OPTIONS]

/** Option, then environment, then default. An invalid value refuses: a typo must not send a session to the default server. */
export function readSettings(options: unknown, env: Record<string, string | undefined>): SettingsResult {
  const given = options ?? {}
  if (typeof given !== "object" || Array.isArray(given))
    return { problem: 'The options of opencode-better-share must look like {"url": "https://..."}.' }
  const unknown = Object.keys(given).find((key) => !OPTIONS.includes(key))
  if (unknown !== undefined)
    return {
      problem: `opencode-better-share has no option "${unknown}"; it knows ${OPTIONS.map((name) => `"${name}"`).join(", ")}.`,
    }

  const token = env.BETTER_SHARE_TOKEN || undefined
  if (token && !/^[\x21-\x7e]+$/.test(token))
    return { problem: "BETTER_SHARE_TOKEN has characters that no token can have." }

  const { url, uploadHosts = env.BETTER_SHARE_UPLOAD_HOSTS?.split(",") ?? [] } = given as Record<string, unknown>
  if (!areHosts(uploadHosts))
    return { problem: 'The plugin option "uploadHosts" must be a list of host names, like ["minio.example.com:9000"].' }
  const rest = { token, uploadHosts }
  if (url !== undefined) return withBase(url, 'The plugin option "url"', rest)
  const variable = env.BETTER_SHARE_BASE_URL
  if (variable !== undefined) return withBase(variable, "BETTER_SHARE_BASE_URL", rest)
  return { base: DEFAULT_BASE, isDefault: true, ...rest }
}

function withBase(value: unknown, name: string, rest: Pick<Settings, "token" | "uploadHosts">): SettingsResult {
  const base = serverBase(value)
  if (base === undefined)
    return { problem: `${name} must be the address of your server, like https://share.example.com.` }
  return { base, isDefault: false, ...rest }
}

/** Whether these are names or addresses of hosts as URLs contain them, with or without a port. */
const areHosts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((host) => typeof host === "string" && isHost(host))

function isHost(text: string): boolean {
  const url = `https://${text}`
  return URL.canParse(url) && new URL(url).href === `${url}/`
}

/** Parses an http(s) URL with an optional path. Others are refused: a query or password in it would be lost silently. */
export function serverBase(value: unknown): string | undefined {
  if (typeof value !== "string" || !URL.canParse(value)) return undefined
  const url = new URL(value)
  const bare = !url.search && !url.hash && !url.username && !url.password
  return bare && (url.protocol === "https:" || url.protocol === "http:")
    ? url.origin + url.pathname.replace(/\/+$/, "")
    : undefined
}
