"""The tools of OpenCode 2, in the shapes of its present sources."""

from __future__ import annotations

import json
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.opencode import Conversation
from app.opencode.model import Tool
from app.render.tools.registry import view_of
from app.render.tools.view import CallsSection, CodeSection, NoteSection, ToolView
from tests.support import constructed, field
from tests.support.client import share


def blocks(conversation: Conversation) -> list[object]:
    return [block for step in conversation.steps for block in step.blocks]


def view(name: str, input: object, output: str = "", **metadata: object) -> ToolView:
    content = [{"type": "text", "text": output}] if output else []
    call = {**constructed.tool(input=input, content=content, metadata=metadata), "name": name}
    [tool] = blocks(constructed.read(constructed.with_messages(constructed.answer(call))))
    assert isinstance(tool, Tool)
    return view_of(tool)


def test_what_was_read_is_numbered(client: FlaskClient) -> None:
    share(client, field.document_bytes("v2-read-not-numbered"))
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    lines = root.xpath("//table[contains(@class, 'numbered')]//tr")
    assert [line.xpath("string(td[2])") for line in lines] == ['import x from "x"', "", "export const y = 1"]
    assert root.xpath("//table[contains(@class, 'numbered')]//@data-n") == ["1", "2", "3"]


def test_what_was_read_from_an_offset_is_numbered_from_it() -> None:
    output = "Read file src/a.ts, lines 41-42 of 90\n41: a\n42: b\n\n(48 more lines; continue with offset=43)"
    code, note = view("read", {"path": "src/a.ts", "offset": 41}, output).sections
    assert isinstance(code, CodeSection)
    assert note == NoteSection("48 more lines; continue with offset=43")
    assert (code.text, code.first_line, code.language) == ("a\nb", 41, "typescript")


def test_a_text_that_only_begins_like_it_stays() -> None:
    [code] = view("read", {"path": "a.txt"}, "Read file this is not\nnumbered").sections
    assert isinstance(code, CodeSection)
    assert (code.text, code.first_line) == ("Read file this is not\nnumbered", None)


def test_code_shows_the_tools_that_it_called() -> None:
    calls = [
        {"tool": "github.search_issues", "status": "completed", "input": {"limit": 5, "query": "crash"}},
        {"tool": "github.get_issue", "status": "error", "input": {"number": 7}},
    ]
    form = view("execute", {"code": "return 1"}, '{"a": 1}', toolCalls=calls, error=True)
    assert (form.action, form.subject) == ("Run code", "github.search_issues, github.get_issue")
    code, made, output = form.sections
    assert isinstance(code, CodeSection)
    assert isinstance(made, CallsSection)
    assert isinstance(output, CodeSection)
    assert [(call.tool, call.subject, call.status) for call in made.calls] == [
        ("github.search_issues", "crash", "completed"),
        ("github.get_issue", "", "error"),
    ]
    assert (code.text, output.text, output.language) == ("return 1", '{\n  "a": 1\n}', "json")


def test_a_batch_shows_its_calls_and_their_outcome() -> None:
    calls = [
        {"tool": "read", "parameters": {"filePath": "a.ts"}},
        {"tool": "bash", "parameters": {"command": "ls"}},
    ]
    form = view("batch", {"tool_calls": calls}, details=[{"success": True}, {"success": False}])
    [made] = form.sections
    assert isinstance(made, CallsSection)
    assert [(call.tool, call.subject, call.status) for call in made.calls] == [
        ("read", "a.ts", "completed"),
        ("bash", "ls", "error"),
    ]
    assert form.facts == ["2 calls"]


@pytest.mark.parametrize(
    ("name", "input", "line"),
    [
        ("read_mcp_resource", {"server": "notion", "uri": "note://1"}, ("Read resource", "note://1")),
        ("mcp-resource", {"server": "notion", "uri": "note://1"}, ("Read resource", "note://1")),
        ("list_mcp_resources", {}, ("List resources", "of every MCP server")),
        ("session_move", {"directory": "../other", "queue": True}, ("Move session", "../other")),
        ("opencode_session_move", {"directory": "../other"}, ("Move session", "../other")),
        ("session-move", {"directory": "/x"}, ("Move session", "/x")),
    ],
)
def test_every_tool_has_a_line_of_its_own(name: str, input: object, line: tuple[str, str]) -> None:
    form = view(name, input, "done")
    assert (form.action, form.subject) == line


def test_a_patch_is_a_diff() -> None:
    patch = "*** Begin Patch\n*** Update File: a.ts\n@@\n-x\n+y\n*** End Patch"
    form = view("patch", {"patchText": patch}, "Success", files=[])
    assert (form.action, form.subject, form.change) == ("Patch", "a.ts", (1, 1))


def switch(type: str, **fields: Any) -> list[object]:
    message = {"id": "msg_1", "type": type, "time": {"created": 1}, **fields}
    return blocks(constructed.read(constructed.with_messages(message)))


SAME: list[tuple[str, dict[str, Any]]] = [
    ("agent-switched", {"agent": "build", "previous": "build"}),
    ("model-switched", {"model": {"id": "m", "providerID": "p"}, "previous": {"id": "m", "providerID": "p"}}),
    ("location-switched", {"location": {"directory": "/x"}, "previous": {"location": {"directory": "/x"}}}),
]


@pytest.mark.parametrize(("type", "fields"), SAME)
def test_a_switch_to_the_same_is_not_told(client: FlaskClient, type: str, fields: dict[str, Any]) -> None:
    assert switch(type, **fields) == []
    assert len(switch(type, **{key: value for key, value in fields.items() if key != "previous"})) == 1
    message = {"id": "msg_1", "type": type, "time": {"created": 1}, **fields}
    share(client, json.dumps(constructed.with_messages(message)).encode())
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    assert root.xpath("string(//main//section)").strip() == ""
