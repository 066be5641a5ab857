import { serverBase } from "../settings/server"
import { AllowedServers } from "../state/allowed-servers"
import { type Command, oneWord, wordOf } from "./command"

export const allow: Command = {
  usages: [
    { words: "allow <server>", summary: "lets projects that name this server share on it; --undo takes that back" },
  ],
  options: { undo: { type: "boolean" } },
  accepts: oneWord,
  async run(given, { env, output, stateFiles }) {
    const server = wordOf(given)
    const base = serverBase(server)
    if (base === undefined) {
      output.failure(`${server} is not the address of a server, like https://share.example.com.`, "usage")
      return 2
    }
    const allowed = new AllowedServers(stateFiles, env)
    const isUndone = given.options.undo === true
    await (isUndone ? allowed.remove(base) : allowed.add(base))
    output.result({ server: base, isAllowed: !isUndone }, [
      `Projects may${isUndone ? " no longer" : ""} share on ${base}.`,
    ])
    return 0
  },
}
