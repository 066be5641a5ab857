"""What an edit says: what it changed, where that is known, and that a failed one changed nothing."""

from __future__ import annotations

import json

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.opencode import read_conversation
from app.opencode.changes.changes import changes
from app.render.tools.view import DiffsSection
from tests.render.test_tools import diffs_of, page_of, part, view
from tests.support import field
from tests.support.client import share

EDIT = {"filePath": "/home/dev/app/a.ts", "oldString": "x\ny", "newString": "x\nz"}


def text_of(element: lxml.html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def test_a_failed_edit_says_that_it_changed_nothing(client: FlaskClient) -> None:
    share(client, field.document_bytes("edit-line-numbers-invented"))
    failed, several = lxml.html.fromstring(client.get("/share/GhIjKlMn").text).xpath(
        "//details[contains(@class, 'tool')]"
    )
    assert text_of(failed.xpath("summary")[0]) == "Edit a.ts changed nothing1.2 s error"
    assert failed.xpath(".//*[@class='change']") == []
    assert failed.xpath(".//@data-n") == []
    assert [text_of(row) for row in failed.xpath(".//tr")] == ["x", "y"]
    # Of an edit whose diff is recorded, the numbers are known.
    assert "+1 -1" in text_of(several.xpath("summary")[0])
    assert several.xpath(".//@data-n") == ["33", "33"]


@pytest.mark.parametrize("status", ["error", "running", "pending"])
@pytest.mark.parametrize("name", ["edit", "multiedit", "apply_patch"])
def test_what_was_not_done_has_no_counts(name: str, status: str) -> None:
    patch = "*** Begin Patch\n*** Add File: b.ts\n+one\n*** Update File: a.ts\n@@\n-x\n+y\n*** End Patch"
    form = view(name, input={**EDIT, "patchText": patch}, status=status, error="no")
    assert form.change is None
    [diffs] = [section for section in form.sections if isinstance(section, DiffsSection)]
    assert not any(file.is_applied for file in diffs.files)
    assert ("changed nothing" in form.facts) == (status == "error" and name != "multiedit")


def test_a_failed_write_changed_nothing() -> None:
    assert view("write", input={"filePath": "a", "content": "x\n"}, status="error", error="no").facts == [
        "1 line",
        "changed nothing",
    ]


def test_without_a_recorded_diff_the_place_in_the_file_is_not_known() -> None:
    form = view("edit", input=EDIT)
    assert form.change == (1, 1)
    rows = [row for hunk in diffs_of(form).files[0].hunks for row in hunk.rows]
    assert {(row.old_number, row.new_number) for row in rows} == {(None, None)}
    assert view("edit", input={**EDIT, "replaceAll": True}).change is None


def test_a_call_that_made_several_edits_shows_and_counts_each() -> None:
    diff = "--- a.ts\n+++ a.ts\n@@ -{0} +{0} @@\n-c\n+d\n"
    results = [{"diff": diff.format(3)}, {"filediff": {"file": "a.ts", "patch": diff.format(40)}}]
    assert view("multiedit", input={"filePath": "a.ts"}, metadata={"results": results}).change == (2, 2)
    session = field.document("edit-line-numbers-invented")
    session["messages"][1]["parts"][1]["state"]["metadata"]["results"] = results
    [change] = changes(read_conversation(json.dumps(session).encode()))
    assert (change.path, change.additions, change.deletions) == ("a.ts", 2, 2)


def test_a_windows_file_has_no_empty_line_at_its_end(client: FlaskClient) -> None:
    share(client, field.document_bytes("crlf-extra-line"))
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    assert root.xpath("//table[contains(@class, 'numbered')]//@data-n") == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("bash", {"input": {"command": "dir"}, "output": "one\r\ntwo\r\n"}),
        ("skill", {"input": {"name": "x"}, "output": "one\r\ntwo\r\n"}),
        ("read", {"input": {"filePath": "a"}, "output": "<file>\n00001| one\r\n00002| two\r\n</file>"}),
    ],
)
def test_nor_does_any_other_text_with_windows_lines(
    client: FlaskClient, name: str, state: dict[str, object]
) -> None:
    root = page_of(client, part(name, **state))
    texts = root.xpath(
        "//details[contains(@class, 'tool')]//pre | //details[contains(@class, 'tool')]//table"
    )
    assert [text.text_content().strip("\n").split() for text in texts] == [["one", "two"]]
    assert "\r" not in texts[0].text_content()
    assert not texts[0].text_content().rstrip(" ").endswith("\n\n")
