import type { SessionDocument } from "../publishing/document"
import { givenSecrets, type Secret, secretsIn, secretsOfProject } from "../redaction/environment"
import { Redactor } from "../redaction/redactor"
import { Failure } from "../server/errors"
import type { PrivacyResult } from "../settings/privacy"
import { Exclusions } from "./exclusions"

export interface FilteredDocument {
  document: SessionDocument
  redactions: number
  /** The redactions by kind, the most frequent first. */
  kinds: Readonly<Record<string, number>>
  /** The secrets removed from this and earlier documents of the share. */
  removed: readonly Secret[]
}

/** The places on this machine that contain secrets. */
export interface Machine {
  env: Record<string, string | undefined>
  home: string
}

/** Removes from the documents of one share what must not leave this machine. */
export class PrivacyFilter {
  readonly #exclusions: Exclusions
  readonly #redactor: Redactor | undefined

  constructor(
    private readonly privacy: PrivacyResult,
    private readonly machine: Machine,
  ) {
    const { exclude, redact } = "problem" in privacy ? { exclude: [], redact: false as const } : privacy
    this.#exclusions = new Exclusions(exclude, machine.home)
    this.#redactor = redact ? new Redactor({ ...redact, home: machine.home }) : undefined
  }

  /** How many secrets are searched for; more of them may stand in what was filtered before. */
  get knownSecrets(): number {
    return this.#redactor?.known ?? 0
  }

  /** `removed` are the secrets removed from earlier documents, including those that another process uploaded. */
  async apply(document: SessionDocument, removed: readonly Secret[]): Promise<FilteredDocument> {
    if ("problem" in this.privacy) throw new Failure("refused", this.privacy.problem)
    const allowed = await this.#exclusions.apply(document)
    if (!this.#redactor) return { document: allowed, redactions: 0, kinds: {}, removed }
    const { directory } = allowed.session
    this.#redactor.learn(secretsIn(this.machine.env))
    this.#redactor.learn(secretsGiven(this.machine.env))
    if (typeof directory === "string") this.#redactor.learn(await secretsOfProject(directory))
    this.#redactor.recall(removed)
    const { session, messages, children } = allowed
    const {
      value,
      count,
      kinds,
      removed: all,
    } = await this.#redactor.redact({ session, messages, ...(children ? { children } : {}) })
    return { document: { ...allowed, ...value }, redactions: count, kinds, removed: all }
  }
}

/** Throws a Failure if they cannot be read: what they protect must not appear on the page. */
function secretsGiven({ BETTER_SHARE_SECRETS: json }: Machine["env"]): readonly Secret[] {
  const secrets = json ? givenSecrets(json) : []
  if (!secrets) throw new Failure("refused", "BETTER_SHARE_SECRETS must be a JSON object of names and texts.")
  return secrets
}
