import { isObject } from "../opencode/client"

/** Who may read new shares, and for how long; undefined where the server decides. */
export interface Readers {
  audience?: Audience
  /** Seconds. */
  expiresIn?: number
}

export type Audience = (typeof AUDIENCES)[number]

const AUDIENCES = ["link", "password", "members"] as const

export const READERS_OPTIONS = ["audience", "expiresIn"]

const UNITS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 604_800 }

/** The user's options, which those of the project can make stricter and never laxer. */
export function readReaders(own: unknown, project: unknown): Readers {
  const [users, projects] = [optionsOf(own), optionsOf(project)]
  const stricter = projects.audience === "link" ? undefined : projects.audience
  const audience =
    users.audience === "link" || users.audience === undefined ? (stricter ?? users.audience) : users.audience
  const lifetimes = [users.expiresIn, projects.expiresIn].flatMap((seconds) => seconds ?? [])
  return {
    ...(audience ? { audience } : {}),
    ...(lifetimes.length > 0 ? { expiresIn: Math.min(...lifetimes) } : {}),
  }
}

/** Why these options cannot be used, if they cannot. */
export function problemOfReaders(options: Record<string, unknown>): string | undefined {
  if (options.audience !== undefined && !isAudience(options.audience))
    return 'The plugin option "audience" must be "link", "password" or "members".'
  if (options.expiresIn !== undefined && secondsOf(options.expiresIn) === undefined)
    return 'The plugin option "expiresIn" must be a time like "12h", "7d" or "4w".'
  return undefined
}

function optionsOf(given: unknown): Readers {
  if (!isObject(given)) return {}
  const expiresIn = secondsOf(given.expiresIn)
  return {
    ...(isAudience(given.audience) ? { audience: given.audience } : {}),
    ...(expiresIn === undefined ? {} : { expiresIn }),
  }
}

const isAudience = (value: unknown): value is Audience => AUDIENCES.some((audience) => audience === value)

function secondsOf(value: unknown): number | undefined {
  const [, count, unit] = typeof value === "string" ? (/^([1-9]\d{0,3})([mhdw])$/.exec(value) ?? []) : []
  return unit === undefined ? undefined : Number(count) * (UNITS[unit] ?? 0)
}
