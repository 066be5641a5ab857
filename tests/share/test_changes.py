"""The files that a session changed, gathered from wherever its document tells them."""

from __future__ import annotations

import json
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.opencode.changes.changes import FileChange, changes
from app.opencode.changes.totals import Totals
from app.opencode.paths import is_generated
from tests.support import constructed, field, recorded
from tests.support.client import share
from tests.support.constructed import answer, index, read, with_messages


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
    assert index(recorded.document("rate-limit-feature")).session.changed == Totals(5, 57, 3)


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
        ("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\n6\n7\n", "@@ -1,6 +1,7 @@\n 1\n 2\n 3\n 4\n 5\n 6\n+7\n"),
        ("a\na\n", "a\n", "@@ -1,2 +1,1 @@\n a\n-a\n"),
        ("a\n", "", "@@ -1,1 +0,0 @@\n-a\n"),
        ("same", "same", ""),
        ("=\n" * 200 + "a", "=\n" * 200 + "b", "@@ -101,101 +101,101 @@\n" + " =\n" * 100 + "-a\n+b\n"),
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
    assert index(document).session.changed == Totals(3, 3, 0)


# The page


ADDRESS = "/share/GhIjKlMn/changes"
RECORDED_AND_FIELD = [*recorded.NAMES, *field.NAMES]


def page(client: FlaskClient, address: str = ADDRESS) -> Any:
    response = client.get(address)
    assert response.status_code == 200, address
    return lxml.html.fromstring(response.text)


def share_changes(client: FlaskClient, *diffs: dict[str, Any]) -> None:
    """A session whose prompt records these diffs."""
    document = recorded.document("single-message")
    counts = {"additions": 1, "deletions": 0}
    document["messages"][0]["info"]["summary"] = {"diffs": [{**counts, **diff} for diff in diffs]}
    share(client, json.dumps(document).encode())


def test_the_page_of_changes_has_every_diff_beside_a_tree_of_the_files(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    root = page(client)
    tree = root.xpath("//nav[@class='file-tree']")[0]
    assert tree.xpath(".//span[@class='folder']/text()") == ["acme_api", "docs", "tests"]
    links = tree.xpath(".//a/@href")
    assert links == [f"#ui-file-{number}" for number in range(1, 6)]
    sections = [root.xpath(f"//section[@id='{link[1:]}']")[0] for link in links]
    assert [section.xpath("string(.//h2/code)").rpartition("/")[2] for section in sections] == tree.xpath(
        ".//a/text()"
    )
    app = sections[0]
    assert len(app.xpath(".//div[@class='diff']")) == 2
    assert "LIMITER = RateLimiter(limit=60, window=60)" in app.text_content()
    assert root.xpath("//p[@class='note']") == []


@pytest.mark.parametrize("mode", ["unified", "split"])
@pytest.mark.parametrize("name", RECORDED_AND_FIELD)
def test_every_changed_file_of_every_session_is_in_the_tree_and_has_a_story(
    client: FlaskClient, name: str, mode: str
) -> None:
    share(client, recorded.with_children(name) if name in recorded.NAMES else field.document_bytes(name))
    root = page(client, f"{ADDRESS}?diff={mode}")
    links = root.xpath("//nav[@class='file-tree']//a/@href")
    assert len(links) == len(set(links))
    assert all(root.xpath(f"//*[@id='{link[1:]}']") for link in links if link.startswith("#"))
    for number in range(1, len(links) + 1):
        assert page(client, f"{ADDRESS}/{number}?diff={mode}").xpath("//h1")
    assert client.get(f"{ADDRESS}/{len(links) + 1}").status_code == 404


def test_side_by_side_has_both_versions_with_the_changed_words_marked(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    root = page(client, f"{ADDRESS}?diff=split")
    [old] = root.xpath("//td[@class='text old removed'][contains(., 'def respond')]")
    [new] = old.xpath("../td[@class='text new added']")
    assert (old.text_content(), new.text_content()) == (
        "def respond(start, status, body):",
        "def respond(start, status, body, *headers):",
    )
    assert new.xpath("string(mark)") == ", *headers" or ", *headers" in "".join(new.xpath(".//mark//text()"))
    assert root.xpath("//nav[@class='diff-modes']/a[@aria-current]/@data-diff") == ["split"]
    assert root.xpath("//nav[@class='diff-modes']/a/@href") == [ADDRESS, f"{ADDRESS}?diff=split"]
    assert f"{ADDRESS}/1?diff=split" in root.xpath("//a[@class='story']/@href")


@pytest.mark.parametrize("address", ["", "/1"])
def test_a_layout_of_diffs_that_does_not_exist_is_not_found(client: FlaskClient, address: str) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    assert client.get(f"{ADDRESS}{address}?diff=both").status_code == 404


def test_unchanged_lines_are_folded_and_there(client: FlaskClient) -> None:
    before = "".join(f"line {number}\n" for number in range(40))
    share_changes(client, {"file": "a.txt", "before": before, "after": before.replace("line 20", "LINE")})
    root = page(client)
    folded = root.xpath("//details[contains(@class, 'unchanged')]")
    assert [each.xpath("string(summary)") for each in folded] == ["17 unchanged lines", "16 unchanged lines"]
    assert not any("open" in each.attrib for each in folded)
    assert len(root.xpath("//td[@class='text']")) == 41


def test_each_diff_leads_to_the_prompt_and_the_calls_that_made_it(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    first, second = page(client).xpath("//section[@id='ui-file-1']//p[contains(@class, 'made-by')]")
    assert first.xpath("a/text()") == [
        "The message that asked for this",
        "Edit 1",
        "Edit 2",
        "How this file came about",
    ]
    assert second.xpath("a/text()")[1:] == ["Edit 1", "Edit 2", "Edit 3"]
    for link in first.xpath("a/@href"):
        address, _, id = link.partition("#")
        assert not id or page(client, address).xpath(f"//*[@id='{id}']")


def test_a_diff_that_no_prompt_records_leads_to_its_call(client: FlaskClient) -> None:
    share(client, json.dumps(without_summaries("rate-limit-feature")).encode())
    links = page(client).xpath("//section[@id='ui-file-2']//p[contains(@class, 'made-by')]/a/text()")
    assert links == ["The call that made this", "How this file came about"]


def test_the_story_of_a_file_has_its_edits_with_what_was_said_before_each(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    events = page(client, f"{ADDRESS}/1").xpath("//section[@class='event']")
    said = [" ".join(event.xpath("string(*[contains(@class, 'said')])").split()) for event in events]
    assert said == [
        "I'll look at how requests flow first, then write the limiter behind a small interface.",
        "",
        "Yes. Add the header and write tests for the limiter.",
        "",
        "",
    ]
    assert "from .rate_limit import RateLimiter" in events[0].text_content()
    assert "str(retry_after)" in events[4].text_content()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_story_of_many_words_is_cut_into_pages_of_bounded_size(client: FlaskClient) -> None:
    document = without_summaries("single-message")
    parts = document["messages"][1]["parts"] = []
    for number in range(1_200):
        parts.append({"id": f"prt_s{number}", "type": "text", "text": f"{number} " + "[a](b) *c* " * 300})
        edit = {"input": {"filePath": "a"}, "metadata": {"diff": f"@@ -1 +1 @@\n-a\n+{number}\n"}}
        state = {"status": "completed", "output": "", **edit}
        parts.append({"id": f"prt_{number}", "type": "tool", "tool": "edit", "state": state})
    share(client, json.dumps(document).encode())
    address, seen = f"{ADDRESS}/1", 0
    while address:
        response = client.get(address)
        assert len(response.data) < 4 * 1024 * 1024
        root = lxml.html.fromstring(response.text)
        seen += len(root.xpath("//section[@class='event']"))
        address = next(iter(root.xpath("//p[@class='note']/a[contains(., 'of this file')]/@href")), "")
    assert seen == 1_200


def test_the_words_of_a_story_are_markdown_without_thoughts(client: FlaskClient) -> None:
    document = edited("write", {"filePath": "a.txt", "content": "x\n"}, {})
    said = {"id": "prt_0", "type": "text", "text": "<think>Hm.</think>\n\nI **write** it. <script>x</script>"}
    document["messages"][1]["parts"].insert(0, said)
    share(client, json.dumps(document).encode())
    [words] = page(client, f"{ADDRESS}/1").xpath("//div[contains(@class, 'said')]")
    assert words.xpath("string(.//strong)") == "write"
    assert "Hm." not in words.text_content()
    assert words.xpath(".//script") == []


def test_a_file_that_was_moved_says_where_it_was(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("apply-patch"))
    [heading] = page(client).xpath("//h2[starts-with(., 'docs/design.md')]")
    assert "moved from docs/architecture.md" in " ".join(heading.text_content().split())
    assert page(client).xpath("//li[@class='moved']/a/text()") == ["design.md"]


@pytest.mark.parametrize(
    ("patch", "facts"),
    [
        ("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", ["mode 100644 → 100755"]),
        ("diff --git a/x b/x\nindex 1..2\nBinary files a/x and b/x differ\n", ["binary"]),
        ("Binary files a/x and b/x differ\n", ["binary"]),
        ("diff --git a/x b/x\nGIT binary patch\nliteral 3\nKc\n", ["binary"]),
        (
            "diff --git a/x b/x\nnew file mode 100755\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n",
            ["executable"],
        ),
        ("diff --git a/y b/x\nsimilarity index 100%\nrename from y\nrename to x\n", ["renamed"]),
    ],
)
def test_what_lines_cannot_show_is_named(client: FlaskClient, patch: str, facts: list[str]) -> None:
    share_changes(client, {"file": "x", "patch": patch})
    [path] = page(client).xpath("//p[@class='path']")
    assert [fact for fact in path.xpath("span[@class='meta']/text()") if fact != "added"] == facts


def test_a_file_without_a_recorded_diff_is_in_the_tree_and_says_so(client: FlaskClient) -> None:
    share_changes(client, {"file": "a.png", "before": "", "after": "", "additions": 0, "status": "added"})
    root = page(client)
    [link] = root.xpath("//li[@class='added']/a/@href")
    assert "The diffs of 1 file are not on this page" in root.text_content()
    assert "It does so for binary files" in page(client, link).text_content()


def test_generated_files_come_last_and_folded(client: FlaskClient) -> None:
    patch = "@@ -0,0 +1,400 @@\n" + "+line\n" * 400
    share_changes(client, *({"file": name, "patch": patch} for name in ("a/package-lock.json", "b.py")))
    root = page(client)
    opened = {
        section.xpath("string(.//h2/code)"): "open" in section.xpath("details")[0].attrib
        for section in root.xpath("//section[@class='file-diffs']")
    }
    assert opened == {"a/package-lock.json": False, "b.py": True}
    assert len(root.xpath("//td[@class='text']")) == 800


def test_diffs_that_do_not_fit_have_pages_of_their_own_and_generated_ones_are_the_first(
    client: FlaskClient,
) -> None:
    patch = "@@ -0,0 +1,400 @@\n" + "+line\n" * 400
    names = [*(f"{letter}.py" for letter in "abcd"), "package-lock.json", "z.py"]
    share_changes(client, *({"file": name, "patch": patch, "additions": 400} for name in names))
    root = page(client)
    links = dict(zip(root.xpath("//li/a/text()"), root.xpath("//li/a/@href"), strict=True))
    assert links["package-lock.json"] == f"{ADDRESS}/5"
    assert links["a.py"] == "#ui-file-1"
    assert len(root.xpath("//td[@class='text']")) <= 2_000
    assert len(page(client, links["package-lock.json"]).xpath("//td[@class='text']")) == 400


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("package-lock.json", True),
        ("web/yarn.lock", True),
        ("web\\Cargo.lock", True),
        ("dist/app.min.js", True),
        ("tests/__snapshots__/a.test.ts.snap", True),
        (".terraform.lock.hcl", True),
        ("android/gradle.lockfile", True),
        ("ios/Package.resolved", True),
        ("go.work.sum", True),
        ("api/order_pb2.py", True),
        ("api/order_pb2_grpc.pyi", True),
        ("api/order.pb.go", True),
        ("src/schema.generated.ts", True),
        ("src/__generated__/types.ts", True),
        ("tests/__snapshots__/page.png", True),
        ("src/generated.ts", False),
        ("app/locks.py", False),
        ("file.lock.py", False),
        ("pb2.py", False),
        ("package.json", False),
        ("lock.py", False),
        ("src/min.js", False),
        ("docs/map", False),
    ],
)
def test_files_that_programs_write_are_known_by_their_names(path: str, answer: bool) -> None:
    assert is_generated(path) == answer
