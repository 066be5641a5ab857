"""Tools of MCP servers and plugins: shown by what their input says that they do, and by what came out."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.render.tools.outputs import is_markdown, numbered_lines
from app.render.tools.view import (
    CodeSection,
    MarkdownSection,
    NoteSection,
    Section,
    SubagentSection,
    TerminalSection,
    ToolView,
)
from tests.render.test_tools import FULL, MEGABYTE, page_of, part, view

MARKDOWN = "### Routing\n\nUse `route()`:\n\n```python\n@app.route('/')\n```\n"


def output_of(name: str, input: dict[str, Any], output: str) -> tuple[ToolView, Section]:
    form = view(name, input=input, output=output)
    assert form.action == name
    return form, form.sections[-1]


@pytest.mark.parametrize(
    ("name", "input"),
    [
        ("interactive_bash", {"tmux_command": "new-session -d -s dev"}),
        ("desktop-commander_start_process", {"command": "new-session -d -s dev", "timeout_ms": 100}),
    ],
)
def test_one_that_runs_a_command_shows_a_terminal(name: str, input: dict[str, Any]) -> None:
    form, output = output_of(name, input, "\x1b[32mok\x1b[0m")
    assert form.subject == "new-session -d -s dev"
    assert output == TerminalSection("output", "\x1b[32mok\x1b[0m")


def test_a_command_of_several_lines_is_shown_whole_as_such() -> None:
    form = view("ssh_exec", input={"cmd": "cd /srv\nmake", "cwd": "/srv"}, output="done")
    assert (form.subject, form.where) == ("cd /srv …", "/srv")
    assert form.sections[0] == CodeSection("input.cmd", "cd /srv\nmake", "bash", label="cmd")


@pytest.mark.parametrize(
    ("name", "input"),
    [
        ("github_get_file_contents", {"owner": "o", "repo": "r", "path": "src/app.py"}),
        ("serena_read_file", {"relative_path": "src/app.py", "start_line": 0}),
        ("filesystem_readTextFile", {"path": "src/app.py"}),
    ],
)
def test_one_that_reads_a_file_shows_it_in_its_language(name: str, input: dict[str, Any]) -> None:
    form, output = output_of(name, input, "import os\n")
    assert form.subject == "src/app.py"
    assert output == CodeSection("output", "import os\n", "python", label="output")


def test_the_numbers_of_a_file_stand_beside_its_lines() -> None:
    _, output = output_of("x_read", {"filePath": "a.py"}, "<file>\n00007| a\n00008| b\n</file>")
    assert output == CodeSection("output", "a\nb", "python", 7, "output")
    assert numbered_lines("3: found\n9: found") == ("3: found\n9: found", None)
    assert numbered_lines("1: a\nand more") == ("1: a\nand more", None)


def test_what_is_said_about_a_file_is_not_taken_for_the_file() -> None:
    _, output = output_of("lsp_diagnostics", {"filePath": "a.ts"}, "error at 3:5: no")
    assert output == CodeSection("output", "error at 3:5: no", label="output")
    _, output = output_of("look_at", {"file_path": "a.png", "goal": "What is it?"}, "A *cat*.")
    assert output == MarkdownSection("output", "A *cat*.", "Result")


@pytest.mark.parametrize(
    ("name", "input", "subject"),
    [
        ("ast_grep_search", {"pattern": "log($A)", "lang": "ts", "paths": ["src"]}, "log($A)"),
        ("websearch_web_search_exa", {"query": "uv lock", "numResults": 5}, "uv lock"),
        ("github_search_code", {"q": "flask", "perPage": 5}, "flask"),
        ("playwright_browser_navigate", {"url": "http://localhost:3000"}, "http://localhost:3000"),
        ("context7_get-library-docs", {"tokens": 9, "context7CompatibleLibraryID": "/a/b"}, "/a/b"),
        ("skill_mcp", {"mcp_name": "playwright", "tool_name": "browser_click"}, "browser_click"),
        ("session_read", {"session_id": "ses_1", "limit": 5}, "ses_1"),
    ],
)
def test_the_line_says_what_it_is_about_and_no_section_says_it_again(
    name: str, input: dict[str, Any], subject: str
) -> None:
    form = view(name, input=input, output="x")
    assert form.subject == subject
    assert subject not in [section.text for section in form.sections if isinstance(section, CodeSection)]
    assert len(form.sections) == len(input)


def test_one_that_delegates_shows_prompt_and_report_of_the_agent() -> None:
    input = {"description": "Do X", "prompt": "Do *X*\nwell", "subagent_type": "explore"}
    output = "**Done.**\n\n<task_metadata>\nsession_id: ses_1\n</task_metadata>"
    form = view("call_omo_agent", title="Do X", input=input, output=output)
    assert (form.subject, form.facts) == ("Do X", ["explore"])
    assert form.sections == [
        SubagentSection(
            "ses_1",
            MarkdownSection("input.prompt", "Do *X*\nwell", "Prompt"),
            MarkdownSection("output", "**Done.**", "Result"),
        ),
        NoteSection("session_id: ses_1"),
    ]
    _, report = output_of("background_output", {"task_id": "bg_1", "block": True}, "**Done.**")
    assert report == MarkdownSection("output", "**Done.**", "Result")


def test_json_is_shown_as_json_and_markdown_as_markdown(client: FlaskClient) -> None:
    root = page_of(
        client,
        part("github_get_issue", 0, input={"issue_number": 7}, output='{"title":"It fails"}'),
        part("context7_query-docs", 1, input={"query": "routes"}, output=MARKDOWN),
    )
    shown = [each.text_content() for each in root.xpath("//*[@id='prt_0']//pre")]
    assert shown[-1] == '{\n  "title": "It fails"\n}'
    assert root.xpath("//*[@id='prt_1']//div[contains(@class, 'prose')]//h3[. = 'Routing']")
    assert client.get(FULL.replace("call", "output")).text == '{"title":"It fails"}'


@pytest.mark.parametrize(
    "text",
    [
        MARKDOWN,
        "# Title\n\nText",
        "| a | b |\n|---|---|\n| 1 | 2 |\n\nSee [this](https://x.example).",
        "**Bold** and **more**",
    ],
)
def test_markdown_is_told_by_its_signs(text: str) -> None:
    assert is_markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# comment\nx = 2**3**4\n# comment\ny = a ** b",
        "## main...origin/main\n M a.py",
        "Title: a\nURL: https://x.example\n\n- one\n- two",
        "$ make\n```",
        "** " * MEGABYTE,
        "](" * MEGABYTE,
        "|" * MEGABYTE,
        "#" * MEGABYTE,
        "# " + " " * MEGABYTE,
    ],
)
def test_what_only_looks_a_little_like_it_keeps_its_lines(text: str) -> None:
    assert not is_markdown(text)


def test_json_that_is_none_or_too_much_to_indent_stays_as_it_is() -> None:
    for output, language in (
        ("[info] started", None),
        ("{" * 30_000, None),
        ("[" + "1," * MEGABYTE + "1]", "json"),
    ):
        _, section = output_of("x_y", {}, output)
        assert section == CodeSection("output", output, language, label="output")


def test_a_question_to_a_language_server_names_the_place() -> None:
    input = {"operation": "goToDefinition", "filePath": "/a.ts", "line": 3, "character": 7}
    form = view("lsp", input=input, output='[{"uri":"file:///b.ts"}]')
    assert (form.action, form.subject, form.facts) == ("Language server", "/a.ts:3:7", ["goToDefinition"])
    assert form.sections == [CodeSection("output", '[\n  {\n    "uri": "file:///b.ts"\n  }\n]', "json")]
    assert view("lsp", input={"operation": "workspaceSymbol", "query": "App"}).subject == "App"


def test_plan_mode_and_structured_output_have_a_line_of_their_own() -> None:
    form = view("plan_exit", title="Switching to build agent", output="User approved.")
    assert (form.action, form.subject) == ("Leave plan mode", "Switching to build agent")
    assert form.sections == [CodeSection("output", "User approved.")]
    form = view("plan_enter", input={"plan": "1. **Test**"})
    assert form.action == "Enter plan mode"
    assert form.sections == [MarkdownSection("input.plan", "1. **Test**", "Plan")]
    form = view("StructuredOutput", input={"name": "a", "items": [1]}, output="Structured output captured.")
    assert (form.action, form.subject) == ("Structured output", "name, items")
    assert form.sections == [CodeSection("input", '{\n  "name": "a",\n  "items": [\n    1\n  ]\n}', "json")]


def test_the_format_that_was_asked_for_says_what_a_page_is() -> None:
    for format, section in (
        ("html", CodeSection("output", "<h1>A</h1>", "html")),
        ("text", CodeSection("output", "<h1>A</h1>")),
        ("markdown", MarkdownSection("output", "<h1>A</h1>")),
        ("", CodeSection("output", "<h1>A</h1>")),
    ):
        form = view("webfetch", input={"url": "https://x.example", "format": format}, output="<h1>A</h1>")
        assert form.sections == [section]
