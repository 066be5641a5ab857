"""What hostile, huge and odd calls become: always a form, of bounded size, that says what it leaves out."""

from __future__ import annotations

import json
import logging
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.lib.budget import Budget
from app.opencode import read_conversation
from app.opencode.model import File, Tool
from app.render import Renderer, attachments, contents, filters, full_text
from app.render.diff.html import MAX_ROWS
from app.render.tools import registry
from app.render.tools.agent import MAX_OPTIONS, MAX_QUESTIONS
from app.render.tools.files import MAX_CHARACTERS, MAX_FILES
from app.render.tools.registry import view_of
from app.render.tools.search import MAX_LINES
from app.render.tools.view import (
    CodeSection,
    DiffsSection,
    MatchesSection,
    QuestionsSection,
    SubagentSection,
    TerminalSection,
    ToolView,
)
from tests.support import recorded
from tests.support.client import share
from tests.support.recorded import with_parts

MEGABYTE = 1024 * 1024
FULL = "/share/GhIjKlMn/full/prt_0/call"


def part(name: str, number: int = 0, **state: object) -> dict[str, Any]:
    state = {"status": "completed", "input": {}, "output": "", "title": "", "metadata": {}, **state}
    return {"type": "tool", "id": f"prt_{number}", "tool": name, "state": state}


def call(name: str, **state: object) -> Tool:
    conversation = read_conversation(with_parts(part(name, **state)))
    [tool] = [block for step in conversation.steps for block in step.blocks if isinstance(block, Tool)]
    return tool


def view(name: str, **state: object) -> ToolView:
    return view_of(call(name, **state))


def diffs_of(form: ToolView) -> DiffsSection:
    [section] = form.sections
    assert isinstance(section, DiffsSection)
    return section


def added(count: int, path: str = "x.txt") -> str:
    return f"--- {path}\n+++ {path}\n@@ -0,0 +1,{count} @@\n" + "+x\n" * count


def page_of(client: FlaskClient, *parts: object) -> lxml.html.HtmlElement:
    share(client, with_parts(*parts))
    return lxml.html.fromstring(client.get("/share/GhIjKlMn").text)


def notes(root: lxml.html.HtmlElement) -> list[tuple[str, list[str]]]:
    return [
        (" ".join(note.text_content().split()), note.xpath("a/@href"))
        for note in root.xpath("//p[@class='note']")
    ]


# Time: each of these would run for many minutes were its time not proportional to its length


def test_a_sub_agents_report_with_many_openings_and_no_end_is_view() -> None:
    output = "<task_result>" * 200_000
    [child] = view("task", output=output).sections
    assert isinstance(child, SubagentSection)
    assert child.result
    assert child.result.text == output


def test_the_report_of_a_sub_agent_ends_with_its_last_tag() -> None:
    [child] = view("task", output="x <task_result>\na </task_result> b\n</task_result> y").sections
    assert isinstance(child, SubagentSection)
    assert child.result
    assert child.result.text == "a </task_result> b"


@pytest.mark.parametrize(
    "output",
    [
        "<file>\n" * 120_000,
        "<content>\n" * 90_000,
        "<file>\n" + "0" * 1_000_000 + "\n</file>",
        "<file>\n" + " " * 1_000_000 + "\n</file>",
        "<file>\n" + "9" * 5_000 + "| x\n</file>",
        "x" * 15 * MEGABYTE,
    ],
)
def test_whatever_was_read_is_view(output: str) -> None:
    [code] = view("read", output=output).sections
    assert isinstance(code, CodeSection)
    assert code.first_line is None


def test_a_file_that_was_read_is_shown_without_tags_and_with_its_numbers() -> None:
    [code] = view("read", output="<file>\n00007| <content>\n00008| b</content>\n</file>").sections
    assert code == CodeSection("output", "<content>\nb</content>", None, 7)


def test_an_attachment_of_percent_signs_is_not_taken_apart() -> None:
    def held(url: str) -> bytes | None:
        found = contents(File(id="f", url=url, mime="text/plain", name="f"))
        return found.data if found else None

    assert held("data:text/plain," + "%" * 20 * MEGABYTE) is None
    assert held("data:text/plain;base64," + "%" * 20 * MEGABYTE) is None
    assert held("data:text/plain;base64," + "AAAA" * MEGABYTE) == b"\0" * 3 * MEGABYTE
    assert held("data:text/plain,a%20b") == b"a b"
    assert held("data:text/plain;base64,YQ%3D%3D") == b"a"


def test_only_so_much_of_two_huge_texts_is_compared() -> None:
    old, new = ("\n".join(f"{side}{number}" for number in range(300_000)) for side in "ab")
    sections = view("edit", input={"filePath": "/x", "oldString": old, "newString": new}).sections
    assert all(isinstance(section, CodeSection) for section in sections)


# What is unforeseen


def test_a_form_that_fails_gives_way_to_that_of_an_unknown_tool(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(tool: Tool) -> ToolView:
        raise ValueError

    monkeypatch.setitem(registry.TOOLS, "bash", registry.ToolEntry(fail))
    with caplog.at_level(logging.CRITICAL):
        root = page_of(client, part("bash", input={"command": "make"}, output="done"))
        assert client.get(FULL).text == "--- input.command ---\nmake\n\n--- output ---\ndone"
    assert [each.text_content() for each in root.xpath("//span[@class='action']")] == ["bash"]


def test_a_field_that_is_null_counts_as_absent() -> None:
    form = view("bash", input={"command": "ls", "workdir": None}, output="x", metadata={"exit": None})
    assert (form.action, form.subject, form.sections) == ("$", "ls", [TerminalSection("output", "x")])
    todos = [{"content": "a", "status": "completed", "priority": None}]
    assert view("todowrite", input={"todos": todos}, metadata=None).facts == ["1 of 1 done"]


# How large a page may be


def test_a_page_shows_only_so_many_rows_of_diffs_and_links_the_rest(client: FlaskClient) -> None:
    files = [{"filePath": f"/f{number}", "patch": added(500, f"f{number}")} for number in range(200)]
    parts = [part("apply_patch", number, metadata={"files": files}) for number in range(6)]
    root = page_of(client, *parts)
    assert 1_000 < len(root.xpath("//table[@class='code']//tr")) < 3_000
    assert len(lxml.html.tostring(root)) < MEGABYTE
    # 23 of the 200 are within what is read; of the first call's, those that the page has rows for.
    found = [(text, link) for text, [link] in notes(root) if "files not shown here" in text]
    assert found[-1] == ("23 files not shown here. Show all", FULL.replace("prt_0", "prt_5"))
    assert "+++ f199" in client.get(FULL).text


def test_a_call_that_changed_more_than_is_read_says_so(client: FlaskClient) -> None:
    changes = [
        {"filePath": f"/f{number}", "patch": added(MAX_CHARACTERS // 10, f"f{number}")} for number in range(9)
    ]
    parts = [
        part("apply_patch", metadata={"files": changes}),
        part("edit", 1, metadata={"diff": added(MAX_CHARACTERS)}),
        part("apply_patch", 2, input={"patchText": "*** Delete File: x\n" * 30_000}),
    ]
    diffs = [diffs_of(view_of(call(each["tool"], **each["state"]))) for each in parts]
    assert [each.is_cut for each in diffs] == [True] * 3
    assert (
        sum(len(hunk.rows) for each in diffs for file in each.files for hunk in file.hunks) < MAX_CHARACTERS
    )
    assert max(len(each.files) for each in diffs) == MAX_FILES
    assert sum("This change is longer" in text for text, _ in notes(page_of(client, *parts))) == 3
    assert client.get(FULL.replace("prt_0", "prt_1")).text.count("\n+x") == MAX_CHARACTERS


def test_a_search_with_endless_results_shows_the_first_and_says_how_many_follow(client: FlaskClient) -> None:
    for name, output in (
        ("glob", "/a\n" * 1_000_000),
        ("grep", "Found\n/a:\n" + "  Line 1: x\n" * 1_000_000),
    ):
        [section] = view(name, output=output).sections
        assert isinstance(section, MatchesSection)
        assert sum(len(file.lines) or 1 for file in section.files) <= MAX_LINES
        assert section.hidden == output.count("\n") - MAX_LINES
    root = page_of(client, part("grep", output="/a:\n" + "  Line 1: x\n" * 600))
    assert notes(root) == [("101 more lines not shown here. Show all", [FULL.replace("call", "output")])]


def test_paths_of_windows_are_found_too() -> None:
    [found] = view("grep", output="C:\\src\\a.py:\n  Line 3: x").sections
    assert isinstance(found, MatchesSection)
    assert [(file.path, file.lines) for file in found.files] == [("C:\\src\\a.py", [(3, "x")])]


def test_only_so_many_questions_and_options_are_shown() -> None:
    questions = [{"question": "q", "options": [{"label": "a"}] * 1_000}] * 100
    [section] = view("question", input={"questions": questions}).sections
    assert isinstance(section, QuestionsSection)
    assert section.is_cut
    assert len(section.questions) == MAX_QUESTIONS
    assert {len(question.options) for question in section.questions} == {MAX_OPTIONS}


def test_an_error_is_shown_up_to_a_length_and_says_when_it_is_cut(client: FlaskClient) -> None:
    session = recorded.document("single-message")
    session["messages"][1]["info"]["error"] = {"name": "APIError", "data": {"message": "no " * 5_000 + "END"}}
    share(client, json.dumps(session).encode())
    page = client.get("/share/GhIjKlMn").text
    assert "no END" in page
    assert "This message is shortened" not in page
    session["messages"][1]["info"]["error"]["data"]["message"] = "no " * 10_000
    share(client, json.dumps(session).encode(), "Longer11")
    assert "This message is shortened" in client.get("/share/Longer11").text


def test_a_long_row_of_a_diff_is_cut_with_a_note_and_a_link(client: FlaskClient) -> None:
    diff = f"--- x\n+++ x\n@@ -0,0 +1 @@\n+{'x' * 5_000}END\n"
    root = page_of(client, part("edit", input={"filePath": "/x"}, metadata={"diff": diff}))
    assert notes(root) == [("Of its long lines 3.0 kB not shown here. Show all", [FULL])]
    assert "END" in client.get(FULL).text


def test_a_long_address_is_only_named() -> None:
    described = attachments.describe(
        File(id="f", url="https://x.example/" + "a" * MEGABYTE, mime="", name="")
    )
    assert (described.web_url, described.name) == ("", "file")


# What calls view_of


def test_several_edits_without_a_recorded_diff_are_diffs_of_their_texts() -> None:
    edits = [{"oldString": "a", "newString": "b"}, {"oldString": "c", "newString": "d"}]
    form = view("multiedit", input={"filePath": "/x", "edits": edits})
    assert (form.subject, form.change) == ("/x", (2, 2))
    assert [row.text for file in diffs_of(form).files for hunk in file.hunks for row in hunk.rows] == [
        *"abcd"
    ]


def test_a_line_without_a_newline_at_its_end_says_so(client: FlaskClient) -> None:
    diff = "--- x\n+++ x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"
    root = page_of(client, part("edit", metadata={"diff": diff}))
    cells = [cell.text_content() for cell in root.xpath("//td[@class='text']")]
    assert cells == ["a (no newline at the end)", "a"]


def test_only_a_status_that_is_known_becomes_a_class(client: FlaskClient) -> None:
    todos = [{"content": "a", "status": status} for status in ("completed", "failure prompt", "")]
    root = page_of(client, part("todowrite", input={"todos": todos}))
    items = root.xpath("//ul[@class='checklist']/li")
    assert [item.get("class") for item in items] == ["completed", None, None]
    assert "failure prompt" in items[1].text_content()


@pytest.mark.parametrize(
    ("folder", "path", "shown"),
    [
        ("/home/dev", "/home/dev/a/b", "a/b"),
        ("/home/dev/", "/home/dev", "."),
        ("/home/dev", "/home/developer", "/home/developer"),
        ("C:\\src", "C:\\src\\a", "a"),
        ("C:\\src", "C:\\src", "."),
        ("", "", ""),
        ("", "/a", "/a"),
    ],
)
def test_paths_are_shown_as_seen_from_the_sessions_folder(folder: str, path: str, shown: str) -> None:
    conversation = read_conversation(with_parts())
    conversation.directory = folder
    assert Renderer(None, conversation, Budget()).relative(path) == shown  # type: ignore[arg-type]


def test_a_negative_time_is_unknown() -> None:
    assert (filters.duration(-5000), filters.duration(None), filters.duration(0)) == ("", "", "0 ms")


def test_the_text_of_a_recorded_diff_can_be_had_in_full() -> None:
    found = full_text(call("edit", metadata={"diff": added(2)}), "call")
    assert found == f"--- metadata.diff ---\n{added(2)}"


# The diffs of a file


def shared_edits(client: FlaskClient, *patches: str) -> None:
    session = recorded.document("single-message")
    session["messages"][0]["info"].pop("summary", None)
    session["messages"][1]["parts"] = [
        part("edit", number, input={"filePath": "/x.txt"}, metadata={"diff": patch})
        for number, patch in enumerate(patches)
    ]
    share(client, json.dumps(session).encode())


def test_the_diffs_of_a_file_are_on_as_many_pages_as_they_need(client: FlaskClient) -> None:
    shared_edits(client, *[added(MAX_ROWS, f"x{number}.txt") for number in range(10)])
    address, seen = "/share/GhIjKlMn/changes/1", 0
    while address:
        page = lxml.html.fromstring(client.get(address).text)
        rows = len(page.xpath("//tr[@class='added']"))
        assert 0 < rows <= 2_000
        seen += rows
        address = next(iter(page.xpath("//a[@rel='next']/@href")), "")
    assert seen == 10 * MAX_ROWS
    assert client.get("/share/GhIjKlMn/changes/1?from=11").status_code == 404
    assert client.get("/share/GhIjKlMn/changes/1?from=0").status_code == 404


def test_a_diff_that_names_endless_files_is_cut_and_whole_behind_a_link(client: FlaskClient) -> None:
    patch = "".join(f"--- f{number}\n+++ f{number}\n@@ -1 +1 @@\n+x\n" for number in range(30_000))
    shared_edits(client, added(1), patch)
    page = client.get("/share/GhIjKlMn/changes/1")
    assert len(page.data) < MEGABYTE
    links = lxml.html.fromstring(page.text).xpath("//a[text()='Show all']/@href")
    assert set(links) == {"/share/GhIjKlMn/changes/1/2"}
    whole = client.get(links[0])
    assert (whole.text, whole.mimetype) == (patch, "text/plain")
    assert client.get("/share/GhIjKlMn/changes/1/3").status_code == 404
    assert client.get("/share/GhIjKlMn/changes/2/1").status_code == 404
