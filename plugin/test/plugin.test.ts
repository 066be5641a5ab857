import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import plugin from "../src/index"
import { FakeClient, message, SESSION, transcript } from "./support/fake-client"
import { FakeServer } from "./support/fake-server"

const source = new URL("../src/", import.meta.url).pathname
const kept = { ...process.env }
let server: FakeServer
let state: string
beforeEach(async () => {
  server = new FakeServer()
  state = await mkdtemp(join(tmpdir(), "better-share-test-"))
  process.env.XDG_STATE_HOME = state
  process.env.XDG_CONFIG_HOME = state
  process.env.BETTER_SHARE_ALLOWED_SERVERS = server.base
})
afterEach(async () => {
  for (const name of [
    "XDG_STATE_HOME",
    "XDG_CONFIG_HOME",
    "NO_PROXY",
    "no_proxy",
    "BETTER_SHARE_ALLOWED_SERVERS",
    "BETTER_SHARE_BASE_URL",
  ]) {
    if (kept[name] === undefined) delete process.env[name]
    else process.env[name] = kept[name]
  }
  await server.stop()
  await rm(state, { recursive: true, force: true })
})

/** OpenCode's client, and whether anybody asked it anything. */
function client(host = new FakeClient(transcript())) {
  const asked: string[] = []
  const answer = async <T>(name: string, value: Promise<T>) => {
    asked.push(name)
    return { data: await value, response: { status: 200 } }
  }
  type ById = { path: { id: string }; query?: { limit: number; before?: string | undefined } }
  return {
    host,
    asked,
    session: {
      get: ({ path }: ById) => answer("get", host.session(path.id)),
      children: ({ path }: ById) => answer("children", host.children(path.id)),
      list: () => answer("list", host.sessions()),
      unshare: ({ path }: ById) => answer("unshare", host.unshare(path.id)),
      messages: async ({ path }: ById) => {
        asked.push("messages")
        const data = await host.messages(path.id)
        return data ? { data, response: { status: 200 } } : { error: {}, response: { status: 400 } }
      },
    },
    tui: {
      showToast: ({ body: { message } }: { body: { message: string } }) => host.toast({ variant: "info", message }),
    },
  }
}

const configured = async (
  hooks: Awaited<ReturnType<typeof plugin.server>>,
  config: { enterprise?: { url?: string } } = {},
) => {
  await hooks.config(config)
  return config.enterprise?.url ?? ""
}
const create = (url: string) =>
  fetch(`${url}/api/share`, { method: "POST", body: JSON.stringify({ sessionID: SESSION }) })

describe("the plugin", () => {
  test("starts without asking OpenCode anything, and takes over sharing whatever was configured", async () => {
    const fake = client()
    const hooks = await plugin.server({ client: fake }, { url: server.base })
    expect(await configured(hooks, { enterprise: { url: "https://elsewhere.example" } })).toStartWith(
      "http://127.0.0.1:",
    )
    expect(fake.asked).toEqual([])
    await hooks.dispose()
  })

  test("shares, follows events, and flushes when it is disposed", async () => {
    const fake = client()
    const hooks = await plugin.server({ client: fake }, { url: server.base })
    const url = await configured(hooks)
    expect((await create(url)).status).toBe(200)
    for (const type of ["message.part.updated", "message.part.delta", "session.idle"])
      await hooks.event({ event: { type, properties: { sessionID: SESSION } } })
    await hooks.dispose()
    expect(server.count("upload", 200)).toBe(2)
    await expect(create(url)).rejects.toThrow()
  })

  test("shares on the server of the user's own file, whatever the project says", async () => {
    delete process.env.BETTER_SHARE_ALLOWED_SERVERS
    await mkdir(join(state, "opencode"))
    await writeFile(
      join(state, "opencode", "opencode.json"),
      JSON.stringify({ plugin: [["opencode-better-share", { url: server.base }]] }),
    )
    for (const options of [{ url: "https://evil.example", redact: false }, { url: server.base }, undefined]) {
      const hooks = await plugin.server({ client: client() }, options)
      expect((await create(await configured(hooks))).status).toBe(200)
      await hooks.dispose()
    }
    // The second and the third time the session has its link already.
    expect(server.count("create", 201)).toBe(1)
  })

  test.each([
    ["in pages", true, 5],
    ["as a whole where OpenCode has no pages", false, 2],
  ])("reads a long session %s", async (_, hasPages, requests) => {
    const long = transcript()
    for (let n = 2; n <= 200; n++) long.messages.push(message(n, `message ${n}`))
    const fake = client(new FakeClient(long))
    let asked = 0
    fake.session.messages = async ({ query }) => {
      asked++
      const end = Number(query?.before ?? 200)
      const start = query ? end - query.limit : 0
      const headers = new Headers(hasPages && start > 0 ? { "x-next-cursor": String(start) } : {})
      return { data: long.messages.slice(start, end), response: { status: 200, headers } }
    }
    const hooks = await plugin.server({ client: fake }, { url: server.base })
    expect((await create(await configured(hooks))).status).toBe(200)
    expect(server.document(SESSION.slice(-8))?.messages).toEqual(long.messages)
    expect(asked).toBe(requests)
    await hooks.dispose()
  })

  test("asks before it shares on a server that only the project names", async () => {
    delete process.env.BETTER_SHARE_ALLOWED_SERVERS
    const fake = client()
    const hooks = await plugin.server({ client: fake }, { url: server.base })
    expect((await create(await configured(hooks))).status).toBe(500)
    await fake.host.told(/^Not shared: This project names the server http.* "node .*cli.js allow http/)
    expect(server.requests).toEqual([])
    await hooks.dispose()
  })

  test("refuses while the user's own file cannot be read", async () => {
    await mkdir(join(state, "opencode"))
    await writeFile(join(state, "opencode", "opencode.json"), '{"plugin": [')
    const fake = client()
    const hooks = await plugin.server({ client: fake }, { url: server.base })
    expect((await create(await configured(hooks))).status).toBe(500)
    await fake.host.told(/^Not shared: The configuration of OpenCode cannot be read/)
    await hooks.dispose()
  })

  test("notices that OpenCode cannot list a session", async () => {
    const fake = client()
    fake.host.listable = false
    const hooks = await plugin.server({ client: fake }, { url: server.base })
    expect((await create(await configured(hooks))).status).toBe(200)
    expect(server.document(SESSION.slice(-8))?.messages).toEqual([])
    await hooks.dispose()
  })

  test("survives any event, and a client that fails", async () => {
    const hooks = await plugin.server({ client: {} as never }, { url: server.base })
    for (const type of ["session.updated", "session.created", "session.deleted", "message.updated", "unknown"]) {
      for (const properties of [
        undefined,
        {},
        { info: null },
        { info: { id: 7 } },
        { info: { id: SESSION, share: { url: "x" } } },
      ])
        await hooks.event({ event: { type, ...(properties && { properties: properties as never }) } })
    }
    expect((await create(await configured(hooks))).status).toBe(500)
    await hooks.dispose()
  })

  test.each([
    [true, 1],
    [false, 0],
  ])(
    "asks OpenCode whether an organisation is active (%p), and only then publishes because of an event",
    async (active, shares) => {
      const fake = client()
      const routes: string[] = []
      const _client = {
        get: async ({ url }: { url: string }) => {
          routes.push(url)
          return {
            data: {
              orgs: [
                { orgID: "org_0", active: false },
                { orgID: "org_1", active },
              ],
            },
          }
        },
      }
      const hooks = await plugin.server({ client: { ...fake, _client } }, { url: server.base })
      await configured(hooks)
      expect(routes).toEqual([])
      // The plugin starts after this hook; what it does then ends with this list when there is an organisation.
      while (routes.length === 0 || (active && !fake.asked.includes("list"))) await Bun.sleep(1)
      await Bun.sleep(1)
      const info = { id: SESSION }
      await hooks.event({ event: { type: "session.created", properties: { info } } })
      await hooks.event({
        event: {
          type: "session.updated",
          properties: { info: { ...info, share: { url: "https://org.example/share/1" } } },
        },
      })
      expect(server.shares.size).toBe(shares)
      await hooks.dispose()
    },
  )

  test("keeps loopback calls away from a proxy", async () => {
    process.env.NO_PROXY = "intranet.example"
    delete process.env.no_proxy
    const hooks = await plugin.server({ client: client() }, {})
    expect([process.env.NO_PROXY, process.env.no_proxy]).toEqual(["intranet.example,127.0.0.1", "127.0.0.1"])
    await hooks.dispose()
  })

  test("says what /shares needs where the terminal does not have it, before a model is asked", async () => {
    const fake = client()
    const hooks = await plugin.server({ client: fake }, { url: server.base })
    const config: { command?: unknown } = { command: { "unshare-all": { template: "mine" } } }
    await hooks.config(config)
    expect(config.command).toMatchObject({
      shares: { description: "Needs the plugin in tui.json" },
      "unshare-all": { template: "mine" },
    })
    expect(hooks["command.execute.before"]({ command: "shares" })).rejects.toThrow("add the plugin to tui.json")
    await fake.host.told(/^To use \/shares, add the plugin to tui\.json as well, or run ".* list"\.$/)
    await hooks["command.execute.before"]({ command: "unshare-all" })
    await hooks["command.execute.before"]({ command: "init" })
    await hooks.dispose()
  })

  test("adds no commands where the terminal has the plugin", async () => {
    await mkdir(join(state, "opencode"), { recursive: true })
    await writeFile(
      join(state, "opencode", "tui.json"),
      JSON.stringify({ plugin: [pathToFileURL(join(source, "tui.ts"))] }),
    )
    const hooks = await plugin.server({ client: client() }, { url: server.base })
    const config: { command?: unknown } = {}
    await hooks.config(config)
    expect(config.command).toBeUndefined()
    await hooks.dispose()
  })

  test("exports what OpenCode loads, and nothing else", async () => {
    expect(Object.keys(await import("../src/index"))).toEqual(["default"])
    expect(Object.keys(plugin)).toEqual(["id", "server"])
  })
})

describe("it fails closed:", () => {
  test("a wrong option refuses to share, also when the environment names a server", async () => {
    process.env.BETTER_SHARE_BASE_URL = server.base
    const fake = client()
    const hooks = await plugin.server({ client: fake }, { url: "share.example.com" })
    expect((await create(await configured(hooks))).status).toBe(500)
    await fake.host.told(/^Not shared: .*[Tt]he plugin option "url"/)
    expect(server.requests).toEqual([])
    await hooks.dispose()
  })

  test("without a loopback port OpenCode is sent to a dead end", async () => {
    const serve = spyOn(Bun, "serve").mockImplementation(() => {
      throw new Error("no port")
    })
    const fake = client()
    const hooks = await plugin.server({ client: fake }, { url: server.base })
    serve.mockRestore()
    expect(await configured(hooks, { enterprise: { url: "https://elsewhere.example" } })).toBe("http://127.0.0.1:9")
    await fake.host.told(/could not open a port/)
    await hooks.dispose()
  })

  test("even options and an environment that throw when read share nothing", async () => {
    const options = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("broken")
        },
      },
    )
    const hooks = await plugin.server({ client: client() }, options)
    expect((await create(await configured(hooks))).status).toBe(500)
    await hooks.dispose()
  })
})

describe("what is installed", () => {
  test("the source needs no other package when it runs", async () => {
    const files = (await readdir(source, { recursive: true })).filter((name) => name.endsWith(".ts"))
    expect(files).toContain("redaction/redactor.ts")
    // The command line is built before it runs.
    for (const name of files.filter((name) => !name.startsWith("cli"))) {
      const imports = [...(await readFile(join(source, name), "utf8")).matchAll(/from "([^"]+)"/g)].map(
        ([, from]) => from,
      )
      expect(imports.filter((from) => !/^(\.\.?\/|node:|bun$|bun:)/.test(from ?? ""))).toEqual([])
    }
  })

  test("the source loads where no package is installed, and the bundle exports the same", async () => {
    // The rules are the server's: a checkout has both.
    await cp(source, join(state, "plugin/src"), { recursive: true })
    await cp(join(source, "../../app/redaction/rules.json"), join(state, "app/redaction/rules.json"))
    const built = await Bun.build({
      entrypoints: [join(source, "index.ts")],
      target: "bun",
      outdir: join(state, "dist"),
    })
    expect(built.success).toBe(true)
    for (const file of ["plugin/src/index.ts", "dist/index.js"]) {
      const loaded = (await import(join(state, file))) as { default: typeof plugin }
      expect(loaded.default.id).toBe(plugin.id)
      const hooks = await loaded.default.server({ client: client() }, { url: server.base })
      expect((await create(await configured(hooks))).status).toBe(200)
      await hooks.dispose()
    }
  })
})
