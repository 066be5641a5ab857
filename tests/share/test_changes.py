"""The files that a session changed, gathered from wherever its document tells them."""

from __future__ import annotations

import json
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.opencode.changes.changes import FileChange, Totals, changes, totals
from app.opencode.paths import is_generated
from tests.support import constructed, recorded
from tests.support.client import share
from tests.support.constructed import answer, read, with_messages


def changed(document: object) -> dict[str, FileChange]:
    return {change.path: change for change in changes(read(document))}


def numbers(document: object) -> dict[str, tuple[str, int, int]]:
    return {path: (each.status, each.additions, each.deletions) for path, each in changed(document).items()}


def without_summaries(name: str) -> dict[str, Any]:
    """A recorded session whose prompts do not tell what their answers changed."""
    document = recorded.document(name)
    for message in document["messages"]:
        message["info"].pop("summary", None)
    return document


def edited(tool: str, input: object, metadata: object) -> dict[str, Any]:
    """A recorded session with one call of an editing tool."""
    document = without_summaries("single-message")
    state = {"status": "completed", "input": input, "output": "", "metadata": metadata}
    document["messages"][1]["parts"] = [{"id": "prt_1", "type": "tool", "tool": tool, "state": state}]
    return document


def test_what_prompts_tell_is_what_changed() -> None:
    document = recorded.document("apply-patch")
    diffs = document["messages"][0]["info"]["summary"]["diffs"]
    assert numbers(document) == {
        diff["file"]: (diff["status"], diff["additions"], diff["deletions"]) for diff in diffs
    }
    for diff in diffs:
        [patch] = changed(document)[diff["file"]].patches
        assert (patch.message_id, patch.text) == (document["messages"][0]["info"]["id"], diff["patch"])


def test_a_file_changed_in_several_turns_has_a_patch_of_each() -> None:
    change = changed(recorded.document("rate-limit-feature"))["acme_api/app.py"]
    assert (change.status, len(change.patches)) == ("modified", 2)
    assert len({patch.message_id for patch in change.patches}) == 2


def test_totals_count_files_and_lines() -> None:
    assert totals(read(recorded.document("rate-limit-feature"))) == Totals(5, 57, 3)


@pytest.mark.parametrize("name", ["rate-limit-feature", "reverted"])
def test_without_the_prompts_the_calls_of_tools_tell_the_same_files(name: str) -> None:
    told, done = numbers(recorded.document(name)), numbers(without_summaries(name))
    assert done.keys() == told.keys()
    # Two calls changed the same line of this file one after the other: it counts twice.
    assert done.pop("acme_api/app.py", None) in (None, ("modified", 11, 4))
    assert {path: told[path] for path in done} == done


def test_a_patch_with_several_files_tells_each_of_them() -> None:
    assert numbers(without_summaries("apply-patch")) == {
        "acme_api/money.py": ("added", 2, 0),
        "acme_api/__init__.py": ("modified", 1, 1),
        "docs/design.md": ("modified", 1, 1),
        "web/src/client.ts": ("deleted", 0, 8),
    }


def test_calls_that_failed_changed_nothing() -> None:
    document = edited("edit", {"filePath": "a.py"}, {"diff": "@@ -1 +1 @@\n-a\n+b\n"})
    assert numbers(document) == {"a.py": ("modified", 1, 1)}
    document["messages"][1]["parts"][0]["state"] |= {"status": "error", "error": "no"}
    assert numbers(document) == {}


def test_what_was_undone_does_not_count() -> None:
    document = recorded.document("reverted")
    assert numbers(document) == {"poem.txt": ("added", 1, 0)}
    del document["session"]["revert"]
    assert numbers(document) == {"poem.txt": ("added", 2, 0)}


def test_of_a_turn_that_was_undone_from_its_middle_the_calls_before_count() -> None:
    document = recorded.document("rate-limit-feature")
    whole = numbers(document)
    calls = [
        message["info"]["id"]
        for message in document["messages"]
        if any(part.get("tool") in ("edit", "write") for part in message["parts"])
    ]
    document["session"]["revert"] = {"messageID": calls[1]}
    assert len(numbers(document)) == 1
    assert len(whole) == 5


def test_what_the_document_tells_of_the_whole_session_fills_the_gaps() -> None:
    document = recorded.document("apply-patch")
    whole = [
        {"file": "acme_api/money.py", "before": "", "after": "x", "additions": 99, "deletions": 0},
        {"file": "notes.txt", "before": "one\ntwo\n", "after": "one\n2\n", "additions": 1, "deletions": 1},
        {"file": "new.txt", "before": "", "after": "one\n", "additions": 1, "deletions": 0},
        {
            "path": "gone.txt",
            "patch": "@@ -1,1 +0,0 @@\n-x\n",
            "additions": 0,
            "deletions": 1,
            "status": "deleted",
        },
    ]
    found = changed({**document, "diffs": whole})
    assert found["acme_api/money.py"].additions == 2
    assert found["notes.txt"].patches[0].text == "@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
    assert found["notes.txt"].patches[0].message_id == ""
    assert found["new.txt"].patches[0].text == "@@ -0,0 +1,1 @@\n+one\n"
    assert [found[path].status for path in ("notes.txt", "new.txt", "gone.txt")] == [
        "modified",
        "added",
        "deleted",
    ]
    items = [{"type": "session", "data": document["session"]}, {"type": "session_diff", "data": whole}]
    assert set(changed(items)) == {"acme_api/money.py", "notes.txt", "new.txt", "gone.txt"}


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ("a\nb\nc\nd\ne\n", "a\nb\nX\nd\ne\n", "@@ -1,5 +1,5 @@\n a\n b\n-c\n+X\n d\n e\n"),
        ("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\n6\n7\n", "@@ -4,3 +4,4 @@\n 4\n 5\n 6\n+7\n"),
        ("a\na\n", "a\n", "@@ -1,2 +1,1 @@\n a\n-a\n"),
        ("a\n", "", "@@ -1,1 +0,0 @@\n-a\n"),
        ("same", "same", ""),
    ],
)
def test_two_versions_of_a_file_become_a_patch(before: str, after: str, patch: str) -> None:
    diffs = [{"file": "a", "before": before, "after": after, "additions": 1, "deletions": 1}]
    change = changed({**recorded.document("empty"), "diffs": diffs})["a"]
    assert [each.text for each in change.patches] == ([patch] if patch else [])


def test_a_written_file_counts_with_all_its_lines() -> None:
    new = edited(
        "write", {"filePath": "/home/dev/projects/acme-api/a.txt", "content": "1\n2\n"}, {"exists": False}
    )
    assert numbers(new) == {"a.txt": ("added", 2, 0)}
    assert changed(new)["a.txt"].patches[0].text == "@@ -0,0 +1,2 @@\n+1\n+2\n"
    replaced = edited("write", {"filePath": "a.txt", "content": "1\n2\n"}, {"exists": True})
    assert numbers(replaced) == {"a.txt": ("modified", 2, 0)}


def test_a_line_that_looks_like_the_head_of_a_patch_counts() -> None:
    patch = "--- a.sql\n+++ a.sql\n@@ -1,1 +1,1 @@\n--- a comment\n+++ b\n"
    assert numbers(edited("edit", {"filePath": "a.sql"}, {"diff": patch})) == {"a.sql": ("modified", 1, 1)}


def test_a_path_outside_of_the_folder_stays_whole() -> None:
    document = edited("write", {"filePath": "/home/dev/projects/acme-api-2/a.txt", "content": "x"}, {})
    assert list(changed(document)) == ["/home/dev/projects/acme-api-2/a.txt"]


def test_the_calls_of_opencode_2_tell_their_files() -> None:
    assert numbers(constructed.document("v2b")) == {
        "src/app.py": ("modified", 2, 1),
        "NEWS.md": ("added", 2, 0),
    }


def test_what_a_sub_agent_changed_counts_once() -> None:
    document = constructed.document("v2b")
    write = {"status": "completed", "input": {"path": "child.txt", "content": "x\n"}, "content": []}
    call = {"type": "tool", "id": "c", "name": "write", "state": write}
    again = [
        {
            "type": "tool",
            "id": "t",
            "name": "subagent",
            "state": {"status": "completed", "input": {}, "metadata": {"sessionID": session["id"]}},
        }
        for session in (document["info"], document["children"][0]["session"])
    ]
    document["children"][0]["messages"].append(answer(call, *again, id="msg_c9"))
    found = changed(document)
    assert [patch.message_id for patch in found["child.txt"].patches] == ["msg_c9"]
    assert found["src/app.py"].additions == 2


def test_a_file_that_came_and_went_is_deleted_and_one_that_came_back_is_modified() -> None:
    def one(status: str) -> dict[str, Any]:
        files = {"files": [{"path": "a", "patch": "", "additions": 1, "deletions": 0, "status": status}]}
        state = {"status": "completed", "input": {}, "metadata": files}
        return {"type": "tool", "id": "c", "name": "edit", "state": state}

    def status(*statuses: str) -> str:
        return changed(with_messages(answer(*map(one, statuses))))["a"].status

    assert status("added", "deleted") == "deleted"
    assert status("deleted", "added") == "modified"
    assert status("added", "modified") == "added"
    assert status("modified", "modified") == "modified"


ODD_DIFFS: list[Any] = [
    None,
    5,
    "x",
    {},
    [None, 5, "x", [], {}],
    [{"file": 5}],
    [{"patch": "@@ -1 +1 @@\n"}],
]


@pytest.mark.parametrize("field", ["patch", "additions", "status"])
def test_a_diff_with_something_odd_still_names_its_file(field: str) -> None:
    document = recorded.document("apply-patch")
    assert numbers({**document, "diffs": [{"file": "odd", field: []}]})["odd"] == ("modified", 0, 0)


@pytest.mark.parametrize("diffs", ODD_DIFFS, ids=str)
def test_odd_diffs_are_passed_over(diffs: object) -> None:
    document = recorded.document("apply-patch")
    before = numbers(document)
    assert numbers({**document, "diffs": diffs}) == before
    document["messages"][0]["info"]["summary"] = {"diffs": diffs}
    assert set(numbers(document)) == set(numbers(without_summaries("apply-patch")))
    for metadata in ({"files": diffs}, {"filediff": diffs}, {"diff": diffs}, diffs):
        assert set(numbers(edited("edit", {"filePath": "a"}, metadata))) <= {"a"}


def test_far_too_many_files_are_not_listed() -> None:
    many = [{"file": f"f{number}", "additions": 1, "deletions": 0} for number in range(10_001)]
    document = recorded.document("empty")
    assert len(changed({**document, "diffs": many[:-1]})) == 10_000
    assert changed({**document, "diffs": many}) == {}


def test_beyond_the_cap_lines_count_without_their_patches() -> None:
    patch = "@@ -0,0 +1,1 @@\n+" + "x" * 12 * 1024 * 1024 + "\n"
    document = {**recorded.document("empty"), "diffs": [{"file": name, "patch": patch} for name in "abc"]}
    found = changed(document)
    assert [len(found[name].patches) for name in "abc"] == [1, 1, 0]
    assert totals(constructed.read(document)) == Totals(3, 3, 0)


# The page


def test_the_page_of_changes_has_every_diff_below_the_list(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn/changes").text)
    links = root.xpath("//table[@class='files']//a/@href")
    assert links == [f"#ui-file-{number}" for number in range(1, 6)]
    sections = [root.xpath(f"//section[@id='{link[1:]}']")[0] for link in links]
    paths = root.xpath("//table[@class='files']//a//text()")
    assert [section.xpath("string(h2/a)") for section in sections] == paths
    app = sections[paths.index("acme_api/app.py")]
    assert len(app.xpath(".//div[@class='diff']")) == 2
    assert "LIMITER = RateLimiter(limit=60, window=60)" in app.text_content()
    assert root.xpath("//p[@class='note']") == []


def test_diffs_that_do_not_fit_and_generated_files_have_pages_of_their_own(client: FlaskClient) -> None:
    document = recorded.document("single-message")
    patch = "@@ -0,0 +1,400 @@\n" + "+line\n" * 400
    names = [*(f"{letter}.py" for letter in "abcdefgh"), "package-lock.json"]
    document["messages"][0]["info"]["summary"] = {
        "diffs": [{"file": name, "patch": patch, "additions": 400, "deletions": 0} for name in names]
    }
    share(client, json.dumps(document).encode())
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn/changes").text)
    links = root.xpath("//table[@class='files']//a/@href")
    assert links[0] == "#ui-file-1"
    assert links[7:] == ["/share/GhIjKlMn/changes/8", "/share/GhIjKlMn/changes/9"]
    assert len(root.xpath("//td[@class='text']")) <= 2_000
    elsewhere = len([link for link in links if link.startswith("/")])
    assert f"The diffs of {elsewhere} files are on pages of their own" in root.text_content()
    page = lxml.html.fromstring(client.get(links[8]).text)
    assert len(page.xpath("//td[@class='text']")) == 400


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("package-lock.json", True),
        ("web/yarn.lock", True),
        ("web\\Cargo.lock", True),
        ("dist/app.min.js", True),
        ("tests/__snapshots__/a.test.ts.snap", True),
        ("package.json", False),
        ("lock.py", False),
        ("src/min.js", False),
        ("docs/map", False),
    ],
)
def test_files_that_programs_write_are_known_by_their_names(path: str, answer: bool) -> None:
    assert is_generated(path) == answer
