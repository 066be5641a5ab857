"""What language servers said after an edit is told with it."""

from __future__ import annotations

from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.render.tools.diagnostics import MAX_DIAGNOSTICS
from app.render.tools.view import DiagnosticsSection, ToolView
from tests.render.test_tools import page_of, part, view
from tests.support import field
from tests.support.client import share

DIFF = "--- /home/dev/a.ts\n+++ /home/dev/a.ts\n@@ -1 +1 @@\n-a\n+b\n"


def diagnostic(message: str = "wrong", line: object = 11, **fields: object) -> dict[str, Any]:
    return {"range": {"start": {"line": line, "character": 4}}, "message": message, "severity": 1, **fields}


def told(form: ToolView) -> list[str]:
    sections = [section for section in form.sections if isinstance(section, DiagnosticsSection)]
    return [
        f"{each.path}:{each.line}:{each.column} {each.severity} {each.message}"
        for section in sections
        for each in section.diagnostics
    ]


def edit(name: str = "edit", output: str = "", **files: object) -> ToolView:
    metadata = {"diff": DIFF, "diagnostics": {f"/home/dev/{file}.ts": found for file, found in files.items()}}
    input = {"filePath": "/home/dev/a.ts", "content": "b\n", "patchText": "*** Begin Patch\n"}
    return view(name, input=input, metadata=metadata, output=output)


def test_a_reader_sees_what_the_next_step_reacts_to(client: FlaskClient) -> None:
    share(client, field.document_bytes("lsp-errors-hidden"))
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    [summary] = root.xpath("//details[contains(@class, 'tool')]/summary")
    assert "1 error" in summary.text_content()
    [item] = root.xpath("//details//ul[@class='diagnostics']/li[@class='error']")
    assert " ".join(item.text_content().split()) == "error src/a.ts:12:5 ZZNAME cannot be found"


@pytest.mark.parametrize("name", ["edit", "write", "apply_patch", "multiedit", "patch"])
def test_every_editing_tool_tells_them(name: str) -> None:
    form = edit(name, a=[diagnostic()])
    assert told(form) == ["/home/dev/a.ts:12:5 error wrong"]
    assert "1 error" in form.facts


def test_errors_of_the_own_file_come_first_and_of_others_only_errors_are_told() -> None:
    form = edit(b=[diagnostic("far"), diagnostic("far", severity=2)], a=[diagnostic("near", severity=2)])
    assert told(form) == ["/home/dev/a.ts:12:5 warning near", "/home/dev/b.ts:12:5 error far"]
    assert form.facts == ["1 error", "1 warning"]


def test_a_broken_diagnostic_does_not_hide_the_others() -> None:
    form = edit(a=["x", None, diagnostic(line="x"), diagnostic("right", severity=None), {"range": {}}])
    assert told(form) == ["/home/dev/a.ts:12:5 error right"]
    assert told(view("edit", input={"filePath": "a"}, metadata={"diagnostics": [1], "diff": DIFF})) == []


def test_those_of_several_edits_are_those_after_the_last() -> None:
    results = [{"diagnostics": {"/home/dev/a.ts": [diagnostic(message)]}} for message in ("before", "after")]
    assert told(view("multiedit", metadata={"diff": DIFF, "results": results})) == [
        "/home/dev/a.ts:12:5 error after"
    ]


@pytest.mark.parametrize(
    "output",
    [
        'Done.\n\n<diagnostics file="/home/dev/a.ts">\nERROR [12:5] no `x`\nWARN [1:1] y\n</diagnostics>',
        "Done.\n\n<file_diagnostics>\nERROR [12:5] no `x`\nWARN [1:1] y\n</file_diagnostics>\n",
    ],
)
def test_they_are_read_from_the_output_where_nothing_else_has_them(output: str) -> None:
    assert "12:5 error no `x`" in told(edit(output=output))[0]
    assert told(view("bash", input={"command": "cat"}, output=output)) == []


def test_a_great_many_are_cut_and_whole_behind_a_link(client: FlaskClient) -> None:
    found = [diagnostic(f"number {number}", line=number) for number in range(MAX_DIAGNOSTICS + 7)]
    metadata = {"diff": DIFF, "diagnostics": {"/home/dev/a.ts": found}}
    root = page_of(client, part("edit", input={"filePath": "/home/dev/a.ts"}, metadata=metadata))
    assert len(root.xpath("//ul[@class='diagnostics']/li")) == MAX_DIAGNOSTICS
    [link] = root.xpath("//p[starts-with(normalize-space(), '7 more')]/a/@href")
    assert f"number {MAX_DIAGNOSTICS + 6}" in client.get(link).text
