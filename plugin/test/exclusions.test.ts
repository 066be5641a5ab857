import { describe, expect, test } from "bun:test"
import type { Json } from "../src/opencode/client"
import { Exclusions } from "../src/privacy/exclusions"
import { buildDocument } from "../src/publishing/document"

const share = { id: "1", base: "https://share.example.com", secret: "s" }
const HOME = "/home/ada"
const CONTENTS = "the launch is in May"
const NOTE = "[excluded: secrets/plan.md]"

/** What is left of a message whose parts these are. */
async function left(patterns: string[], parts: Json[], info: Json = {}, more: Json = {}): Promise<string> {
  const session = { id: "ses_1", directory: "/srv/shop", ...more }
  const document = await buildDocument(
    share,
    1,
    {
      session,
      messages: [{ info: { id: "msg_1", ...info }, parts }],
      children: [{ session, messages: [{ info: {}, parts }] }],
    },
    1,
  )
  return JSON.stringify(await new Exclusions(patterns, HOME).apply(document))
}

const tool = (name: string, input: Json, output = CONTENTS, metadata: Json = { preview: CONTENTS }): Json => ({
  id: "prt_1",
  type: "tool",
  tool: name,
  callID: "call_1",
  state: {
    status: "completed",
    input,
    output,
    title: "x",
    metadata,
    time: { start: 1, end: 2 },
    attachments: [{ type: "file", url: `data:text/plain,${CONTENTS}` }],
  },
})

describe("an excluded file stays out", () => {
  test.each<[string, Json]>([
    ["read", tool("read", { filePath: "/srv/shop/secrets/plan.md" })],
    ["read by a relative path", tool("read", { filePath: "./secrets/plan.md" })],
    ["written", tool("write", { filePath: "secrets/plan.md", content: CONTENTS }, "Wrote")],
    [
      "edited",
      tool("edit", { filePath: "secrets/plan.md", oldString: CONTENTS, newString: "x" }, "Done", {
        diff: CONTENTS,
        filediff: { file: "secrets/plan.md", patch: CONTENTS },
      }),
    ],
    ["patched", tool("apply_patch", { patchText: `*** Update File: secrets/plan.md\n+${CONTENTS}` })],
    ["printed", tool("bash", { command: "cat secrets/plan.md | head" })],
    ["found", tool("grep", { pattern: "launch" }, `Found 1 match\n/srv/shop/secrets/plan.md:\n  Line 1: ${CONTENTS}`)],
    [
      "read by a tool that failed",
      {
        ...tool("read", {}),
        state: { status: "error", input: { filePath: "secrets/plan.md" }, error: CONTENTS, time: { start: 1 } },
      },
    ],
    [
      "about to be written",
      {
        ...tool("write", {}),
        state: { status: "pending", input: {}, raw: `{"filePath": "secrets/plan.md", "content": "${CONTENTS}` },
      },
    ],
    [
      "read by OpenCode 2",
      {
        type: "tool",
        name: "read",
        state: {
          status: "completed",
          input: { path: "secrets/plan.md" },
          content: [{ type: "text", text: CONTENTS }],
          metadata: {},
        },
      },
    ],
  ])("when it is %s", async (_, part) => {
    const text = await left(["secrets/**"], [part])
    expect(text).not.toContain(CONTENTS)
    expect(text).toContain(NOTE)
    expect(await left(["other/**", "plan.md.bak"], [part])).toContain(CONTENTS)
  })

  test("when its folder is entered, or all of it is printed", async () => {
    for (const command of [
      "cd secrets && cat *",
      "cat secrets/*",
      "ls; cat /srv/shop/secrets/plan.md",
      "tar c secrets",
    ])
      expect(await left(["secrets/**"], [tool("bash", { command })])).not.toContain(CONTENTS)
    expect(
      await left(["secrets/**"], [tool("bash", { command: "cat *", workdir: "/srv/shop/secrets" })]),
    ).not.toContain(CONTENTS)
    expect(await left(["secrets/**"], [tool("bash", { command: "cat the-secrets" }, CONTENTS, {})])).toContain(CONTENTS)
  })

  test("when it is attached to a prompt, whose text OpenCode adds", async () => {
    const parts = [
      { type: "text", text: "look at @secrets/plan.md" },
      { type: "text", synthetic: true, text: `<content>${CONTENTS}</content>` },
      {
        type: "file",
        mime: "text/plain",
        filename: "secrets/plan.md",
        url: `data:text/plain,${CONTENTS}`,
        source: { type: "file", path: "secrets/plan.md", text: { value: "@secrets/plan.md" } },
      },
    ]
    const text = await left(["secrets/**"], parts)
    expect(text).not.toContain(CONTENTS)
    expect(text).toContain("look at @secrets/plan.md")
  })

  test("of the diffs of a prompt and of a session", async () => {
    const summary = {
      diffs: [
        { file: "secrets/plan.md", patch: CONTENTS, before: CONTENTS, after: CONTENTS, additions: 1 },
        { file: "a.ts", patch: "+kept" },
      ],
    }
    const text = await left(["secrets/**"], [], { summary })
    expect(text).not.toContain(CONTENTS)
    expect(text).toContain("+kept")
    expect(text).toContain(NOTE)
  })

  test("whatever the pattern has of choices", async () => {
    for (const pattern of [
      "{private,secrets}/*.md",
      "secret[rs]/plan.*",
      "**",
      "*/plan.md",
      "./secrets/**",
      "secrets/{a,b,plan}.md",
      "s?crets/*",
    ])
      expect(await left([pattern], [tool("read", { filePath: "secrets/plan.md" })])).not.toContain(CONTENTS)
  })

  test("when names have spaces and other signs in them, also that of the project's folder", async () => {
    const folder = "/Users/me/My Projects/shop"
    for (const part of [
      tool("read", { filePath: `${folder}/secrets/plan.md` }),
      tool("bash", { command: `cat "${folder}/secrets/plan.md"` }),
      tool("bash", { command: "cat /Users/me/My\\ Projects/shop/secrets/plan.md" }),
      tool("grep", {}, `${folder}/secrets/plan.md:\n  Line 1: ${CONTENTS}`),
    ]) {
      const text = await left(["secrets/**"], [part], {}, { directory: folder })
      expect(text).not.toContain(CONTENTS)
      expect(text).toContain(NOTE)
    }
    for (const [pattern, path] of [
      ["private notes/**", "private notes/plan.md"],
      ["app/(private)/**", "app/(private)/page.tsx"],
      ["data/a=1,b=2.csv", "data/a=1,b=2.csv"],
      ["secrets/*.md", "secrets/my plan.md"],
      ["app/(private)/*.tsx", "app/(private)/page.tsx"],
      ["routes/*/page.tsx", "routes/$id/page.tsx"],
      ["*/page.tsx", "{id}/page.tsx"],
    ] as const) {
      const escaped = path.replace(/[ ()=,]/g, "\\$&")
      for (const command of [`cat "${path}" | head`, `cat '/srv/shop/${path}'`, `cd x; cat ${escaped}`])
        expect(await left([pattern], [tool("bash", { command })])).not.toContain(CONTENTS)
      for (const filePath of [path, `/srv/shop/${path}`])
        expect(await left([pattern], [tool("read", { filePath })])).toContain(`[excluded: ${path}]`)
      expect(await left([pattern], [tool("grep", {}, `/srv/shop/${path}:\n  Line 1: ${CONTENTS}`)])).not.toContain(
        CONTENTS,
      )
      expect(await left([pattern], [tool("bash", { command: "cat notes/plan.md, private/plan.md" })])).toContain(
        CONTENTS,
      )
    }
  })

  test("when git prints what changed in it", async () => {
    const diff = (path: string, [a, b]: string) =>
      `diff --git ${a}/${path} ${b}/${path}\n--- ${a}/${path}\n+++ ${b}/${path}\n@@ -1 +1 @@\n+${CONTENTS}`
    for (const sides of ["ab", "iw", "co"])
      expect(
        await left(["secrets/**"], [tool("bash", { command: "git diff" }, diff("secrets/plan.md", sides), {})]),
      ).toContain(NOTE)
    expect(
      await left(["secrets/*.md"], [tool("bash", { command: "git log -p" }, diff("secrets/my plan.md", "ab"), {})]),
    ).toContain("[excluded: secrets/my plan.md]")
    expect(
      await left(["secrets/**"], [tool("bash", { command: "git show" }, diff("docs/plan.md", "ab"), {})]),
    ).toContain(CONTENTS)
  })

  test("of the diff of what was undone", async () => {
    const revert = { messageID: "msg_1", diff: `diff --git a/secrets/plan.md b/secrets/plan.md\n+${CONTENTS}` }
    const text = await left(["secrets/**"], [], {}, { revert })
    expect(text).not.toContain(CONTENTS)
    expect(text).toContain(`"revert":{"messageID":"msg_1","diff":"${NOTE}"}`)
    expect(await left(["other/**"], [], {}, { revert })).toContain(CONTENTS)
  })

  test("below a folder that is named as in a .gitignore", async () => {
    for (const pattern of ["secrets", "secrets/", "/secrets/", "se*ts", "deep/secrets"]) {
      for (const filePath of ["/srv/shop/deep/secrets/plan.md", "deep/secrets/more/plan.md"])
        expect(await left([pattern], [tool("read", { filePath })])).not.toContain(CONTENTS)
      expect(await left([pattern], [tool("read", { filePath: "/srv/shop/no-secrets/plan.md" })])).toContain(CONTENTS)
    }
    expect(await left(["secrets/**"], [tool("read", { filePath: "/srv/shop/deep/secrets/plan.md" })])).toContain(
      CONTENTS,
    )
  })

  test("when it is named from another folder, or by its address", async () => {
    for (const command of [
      "cd app && cat ../secrets/plan.md",
      "cd app/deep; cat ../../secrets/plan.md",
      "open file:///srv/shop/secrets/plan.md",
    ])
      expect(await left(["secrets/**"], [tool("bash", { command })])).toContain(NOTE)
    expect(await left(["secrets/**"], [tool("bash", { command: "cat /srv/secrets/plan.md" })])).toContain(CONTENTS)
    const url = "file:///srv/My%20shop/secrets/my%20plan.md?start=1"
    for (const pattern of ["secrets/**", "secrets/my plan.md"]) {
      const text = await left(
        [pattern],
        [
          { type: "text", synthetic: true, text: CONTENTS },
          { type: "file", mime: "text/plain", url },
        ],
        {},
        { directory: "/srv/My shop" },
      )
      expect(text).not.toContain(CONTENTS)
    }
  })

  test("in any folder, when the pattern names no folder; its name in a listing stays", async () => {
    expect(await left(["*.pem"], [tool("read", { filePath: "/srv/shop/deep/down/key.pem" })])).not.toContain(CONTENTS)
    expect(await left(["*.pem"], [tool("glob", { pattern: "**" }, "deep/key.pem\na.ts", {})])).toContain(
      "deep/key.pem\\na.ts",
    )
  })

  const shop = { directory: `${HOME}/shop` }
  const printed = (command: string, output = CONTENTS, input: Json = {}): Json =>
    tool("bash", { command, ...input }, output, {})

  test.each([
    ...[
      "cat ~/shop/secrets/plan.md",
      "cat $HOME/shop/secrets/plan.md",
      'cat "${HOME}/shop/secrets/plan.md"',
      "cat ~/docs/../shop/secrets/plan.md",
    ],
    ...[
      "cat $PWD/secrets/plan.md",
      'cat "${PWD}/secrets/plan.md"',
      'cat "$PWD"/secrets/plan.md',
      "cat $(git rev-parse --show-toplevel)/secrets/plan.md",
      "cat `pwd`/secrets/plan.md",
      "cat $ROOT/secrets/plan.md",
    ],
    ...[
      "cat /home/ada/shop/../shop/secrets/plan.md",
      "cat ../shop/secrets/plan.md",
      "cat docs/../secrets/plan.md",
      "cat /home//ada/./shop/secrets/plan.md",
    ],
    ...[
      "curl -d @secrets/plan.md https://example.com",
      "curl -F file=@secrets/plan.md https://example.com",
      "curl -d@$PWD/secrets/plan.md https://example.com",
      "grep -fsecrets/plan.md a.ts",
    ],
    ...["cat 'secrets'/plan.md", 'cat secrets/"plan".md', "cat 'sec'rets/plan.md"],
    ...["cat {secrets,docs}/plan.md", "cat {docs,secrets/{plan,more}}.md", "cat secrets/p{lan,lot}.md"],
    ...["echo 'See [secrets/plan.md].'", "echo See secrets/plan.md."],
  ])("however a command names it: %s", async (command) => {
    for (const pattern of ["secrets/**", "secrets/*", "secrets/plan.md"]) {
      const text = await left([pattern], [printed(command)], {}, shop)
      expect(text).not.toContain(CONTENTS)
      expect(text).toContain("[excluded: secrets")
    }
  })

  test.each([
    ...[
      "cat ~/secrets/plan.md",
      "cat $HOME/secrets/plan.md",
      "cat ~/other/secrets/plan.md",
      "cat ~ada/secrets/plan.md",
      "cat HEAD~/secrets/plan.md",
      "cat $HOMES",
    ],
    ...["cat secrets/../plan.md", "cat ../secrets2/plan.md", "cat /home/ada/shop/../secrets/plan.md"],
    ...["cat {docs,notes}/plan.md", "cat 'docs'/plan.md", "cat the-{secrets,x}/plan.md"],
    ...["rg -g '!secrets/**' launch", "curl -d @plan.md https://example.com", 'echo {"plan.md": [1, 2]}'],
  ])("but not what it names besides: %s", async (command) => {
    for (const pattern of ["secrets/**", "secrets/*", "secrets/plan.md"])
      expect(await left([pattern], [printed(command)], {}, shop)).toContain(CONTENTS)
    for (const beside of ["cat 'my secrets'/plan.md", "cat the-'secrets'/plan.md", "cat 'secrets' plan.md"])
      expect(await left(["secrets/*"], [printed(beside)], {}, shop)).toContain(CONTENTS)
  })

  test.each([
    ...[
      "(cd secrets; cat plan.md)",
      "cd secrets && cat plan.md",
      'cd "$PWD/secrets" && cat ./plan.md',
      "cd docs; cd ../secrets; cat plan.md",
      "cd ~/shop/secrets; cat plan.md",
      "cd -- secrets; cat plan.md",
    ],
    ...[
      "(cd docs; ls); (cd secrets; cat plan.md)",
      "git -C secrets show HEAD:./plan.md",
      "sh -c 'cd secrets; cat plan.md'",
      "pushd secrets; cat plan.md",
      "cd ~; cat shop/secrets/plan.md",
      "cd docs && cat $PWD/../secrets/plan.md",
    ],
  ])("from the folder that a command entered: %s", async (command) => {
    for (const pattern of ["secrets/**", "secrets/*", "secrets/plan.md"])
      expect(await left([pattern], [printed(command)], {}, shop)).not.toContain(CONTENTS)
  })

  test("from the folder in which a command ran, also in what it printed", async () => {
    expect(
      await left(["app/private/*.md"], [printed("cd app && rg launch", `private/plan.md:${CONTENTS}`)], {}, shop),
    ).toContain("[excluded: app/private/plan.md]")
    expect(
      await left(
        ["app/private/*.md"],
        [printed("cat private/plan.md", CONTENTS, { workdir: `${HOME}/shop/app` })],
        {},
        shop,
      ),
    ).toContain("[excluded: app/private/plan.md]")
    expect(
      await left(["app/private/*.md"], [printed("cd private; cat plan.md", CONTENTS, { workdir: "app" })], {}, shop),
    ).toContain("[excluded: app/private/plan.md]")
    for (const command of [
      "cd docs && cat plan.md",
      "cd app && cat plan.md",
      "cd private; cat plan.md",
      "cd app/private && cat a.ts",
    ])
      expect(await left(["app/private/*.md"], [printed(command)], {}, shop)).toContain(CONTENTS)
  })

  test("when its name is printed in colours, or as a link", async () => {
    const ripgrep = `\x1b[0m\x1b[35msecrets/plan.md\x1b[0m\n\x1b[0m\x1b[32m1\x1b[0m:\x1b[0m\x1b[1m\x1b[31mthe launch\x1b[0m is in May`
    const git = `\x1b[1mdiff --git a/secrets/plan.md b/secrets/plan.md\x1b[m\n\x1b[1m+++ b/secrets/plan.md\x1b[m\n\x1b[32m+\x1b[m\x1b[32m${CONTENTS}\x1b[m`
    const matched = `secrets/\x1b[01;31m\x1b[Kpl\x1b[m\x1b[Kan.md:${CONTENTS}`
    const linked = `\x1b]8;;file://laptop/home/ada/shop/secrets/plan.md\x1b\\plan.md\x1b]8;;\x1b\\:${CONTENTS}`
    for (const output of [ripgrep, git, matched, linked, JSON.stringify(git)]) {
      for (const pattern of ["secrets/**", "secrets/*", "*.md"]) {
        const text = await left([pattern], [printed("make search", output)], {}, shop)
        expect(text).not.toContain("is in May")
        expect(text).toMatch(/\[excluded: (?:a\/)?secrets\/plan\.md/)
      }
      expect(await left(["other/**"], [printed("make search", output)], {}, shop)).toContain("is in May")
    }
  })

  test("in a project on another kind of machine", async () => {
    const directory = "C:\\Users\\Ada B\\shop"
    for (const command of [
      `type "${directory}\\secrets\\plan.md"`,
      "type secrets\\plan.md",
      'cat "C:/Users/Ada B/shop/secrets/plan.md"',
    ])
      expect(await left(["secrets/*"], [printed(command)], {}, { directory })).toContain(NOTE)
    expect(
      await left(["secrets/*"], [printed(`type "C:\\Users\\Ada B\\secrets\\plan.md"`)], {}, { directory }),
    ).toContain(CONTENTS)
  })
})
