import { homedir } from "node:os"
import { packageOrigin, pluginFiles } from "../lib/package"
import { TIMEOUTS } from "../lib/timeouts"
import { isObject, type Session } from "../opencode/client"
import { dataPlace } from "../opencode/storage/open-storage"
import { PrivacyFilter } from "../privacy/filter"
import { ShareApi } from "../server/api"
import { Failure } from "../server/errors"
import { readPrivacy } from "../settings/privacy"
import { projectOptions } from "../settings/project-files"
import { readSettings, type Settings, type SettingsResult } from "../settings/server"
import { filesToEdit, userOptions } from "../settings/user-files"
import { ShareList } from "../state/share-list"
import { ShareSeal } from "../state/share-seal"
import { openStateFolder, StateFiles } from "../state/state-files"
import { StateLock } from "../state/state-lock"
import type { Output } from "./output"

/** What the commands work with: the settings, the records and the servers that the plugin in OpenCode has, too. */
export class Context {
  readonly env = process.env
  readonly home = homedir()
  /** Of the records. */
  readonly folder = openStateFolder(this.env)
  readonly stateFiles = new StateFiles(this.folder)
  readonly shareList = new ShareList(this.stateFiles)
  readonly lock = new StateLock(this.folder, 2 * TIMEOUTS.create)
  readonly seal = new ShareSeal(this.folder)
  readonly place = dataPlace(this.env, this.home)

  constructor(readonly output: Output) {}

  /** Throws a Failure if no server is named, or a setting is wrong. */
  settings(): Settings {
    const settings = this.#settings()
    if ("problem" in settings) throw new Failure("refused", settings.problem)
    return settings
  }

  api(): ShareApi {
    const settings = this.#settings()
    return new ShareApi(TIMEOUTS, "problem" in settings ? [] : settings.uploadHosts)
  }

  /** For the documents of a session, with the rules of the user and of the session's project. */
  filter({ directory }: Session): PrivacyFilter {
    const project = typeof directory === "string" ? readable(() => projectOptions(directory, this.#places)) : undefined
    return new PrivacyFilter(readPrivacy(this.#userOptions(), project), { env: this.env, home: this.home })
  }

  /** The environment, then the server that handed out this package, because whoever runs it named it, then the user's files. */
  #settings(): SettingsResult {
    const own = this.#userOptions() ?? {}
    const origin = packageOrigin()
    return readSettings(isObject(own) && origin ? { ...own, url: origin.url } : own, this.env)
  }

  #userOptions(): unknown {
    return readable(() => userOptions(this.#places))
  }

  /** The configuration of the user that loads the plugin, or keeps OpenCode from its vendor's server. */
  configuration(): { plugin: string[]; enterprise: string[] } {
    return readable(() => filesToEdit(this.#places))
  }

  get #places() {
    return { env: this.env, home: this.home, plugins: pluginFiles() }
  }
}

/** What a file that cannot be read says may be what protects the session. */
function readable<T>(read: () => T): T {
  try {
    return read()
  } catch {
    throw new Failure("refused", "The configuration of OpenCode cannot be read.")
  }
}
