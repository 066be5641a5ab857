import type { CreatedShare } from "../server/api"
import { hostOf } from "../server/share"

/** Who can read a new share, and until when, in sentences; none if everyone can who has the link. */
export function describeReaders({ share, audience, password, expiresAt }: CreatedShare): string[] {
  return [
    ...(password === undefined ? [] : [`Its password is ${password} (shown only now).`]),
    ...(audience === "members" ? [`Only members of ${hostOf(share.base)} can read it.`] : []),
    ...(expiresAt === undefined
      ? []
      : [`It ends on ${new Date(expiresAt).toISOString().slice(0, 16).replace("T", " ")} UTC.`]),
  ]
}
