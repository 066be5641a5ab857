import { isObject } from "../opencode/client"
import { PRIVACY_OPTIONS } from "./privacy"
import { problemOfReaders, READERS_OPTIONS, type Readers, readReaders } from "./readers"

export interface Settings extends Readers {
  /** URL of the server that creates new shares, without a trailing slash. */
  base: string
  /** Token for servers that restrict who may share. */
  token: string | undefined
  /** Who chose the server: the user, or only the configuration of the project. */
  chosenBy: "user" | "project"
  /** Hosts of the user's own networks that upload links may lead to, with or without a port. */
  uploadHosts: readonly string[]
}

/** Valid settings, or a sentence that says why sharing is refused. */
export type SettingsResult = Settings | { problem: string }

const OPTIONS = ["url", "uploadHosts", ...READERS_OPTIONS, ...PRIVACY_OPTIONS]

/**
 * Environment, then the user's options, then the project's, then the server that handed out this package. The token goes to a server that the user chose,
 * because it was given for that one. An invalid value refuses: a typo must not send a session to another server.
 */
export function readSettings(
  own: unknown,
  env: Record<string, string | undefined>,
  project: unknown = undefined,
  packaged: unknown = undefined,
): SettingsResult {
  const problem = problemOf(own) ?? problemOf(project)
  if (problem !== undefined) return { problem }
  const token = env.BETTER_SHARE_TOKEN || undefined
  if (token && !/^[\x21-\x7e]+$/.test(token))
    return { problem: "BETTER_SHARE_TOKEN has characters that no token can have." }
  const variable = env.BETTER_SHARE_BASE_URL
  if (variable !== undefined && serverBase(variable) === undefined) return noAddress("BETTER_SHARE_BASE_URL")
  const uploadHosts = env.BETTER_SHARE_UPLOAD_HOSTS?.split(",") ?? optionsOf(own).uploadHosts ?? []
  if (!areHosts(uploadHosts)) return { problem: "BETTER_SHARE_UPLOAD_HOSTS must be host names, separated by commas." }

  const common = { uploadHosts, ...readReaders(own, project) }
  const chosen = serverBase(variable) ?? serverBase(optionsOf(own).url)
  if (chosen !== undefined) return { base: chosen, token, chosenBy: "user", ...common }
  const ofPackage = serverBase(packaged)
  const named = serverBase(optionsOf(project).url)
  if (named !== undefined && named !== ofPackage)
    return { base: named, token: undefined, chosenBy: "project", ...common }
  if (ofPackage === undefined) return { problem: NO_SERVER }
  // Whoever listed the package chose the server that it is from.
  const isOwn = own !== undefined
  return { base: ofPackage, token: isOwn ? token : undefined, chosenBy: isOwn ? "user" : "project", ...common }
}

const NO_SERVER =
  'No share server is named. Set BETTER_SHARE_BASE_URL, or the option "url" of the plugin, to its address, like https://share.example.com.'

const optionsOf = (given: unknown): Record<string, unknown> => (isObject(given) ? given : {})

/** Why these options cannot be used, if they cannot. */
function problemOf(given: unknown): string | undefined {
  if (given !== undefined && given !== null && !isObject(given))
    return 'The options of Better Share must look like {"url": "https://..."}.'
  const options = optionsOf(given)
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key))
  if (unknown !== undefined)
    return `Better Share has no option "${unknown}"; it knows ${OPTIONS.map((name) => `"${name}"`).join(", ")}.`
  const { url, uploadHosts } = options
  if (url !== undefined && serverBase(url) === undefined) return noAddress('The plugin option "url"').problem
  if (uploadHosts !== undefined && !areHosts(uploadHosts))
    return 'The plugin option "uploadHosts" must be a list of host names, like ["minio.example.com:9000"].'
  return problemOfReaders(options)
}

const noAddress = (name: string): { problem: string } => ({
  problem: `${name} must be the address of your server, like https://share.example.com.`,
})

/** Whether these are names or addresses of hosts as URLs contain them, with or without a port. */
const areHosts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((host) => typeof host === "string" && isHost(host))

const isHost = (text: string): boolean => URL.canParse(`https://${text}`) && new URL(`https://${text}`).host === text

/** Users paste these addresses into a shell. */
const HARMLESS = /^[\w.~:/[\]%-]+$/

/** Parses an http(s) URL with an optional path. Others are refused: a query or password in it would be lost silently. */
export function serverBase(value: unknown): string | undefined {
  if (typeof value !== "string" || !URL.canParse(value)) return undefined
  const url = new URL(value)
  const bare = !url.search && !url.hash && !url.username && !url.password
  const base = url.origin + url.pathname.replace(/\/+$/, "")
  return bare && (url.protocol === "https:" || url.protocol === "http:") && HARMLESS.test(base) ? base : undefined
}
