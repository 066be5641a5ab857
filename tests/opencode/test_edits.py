"""Which calls made a change, and what was said before each of them."""

from __future__ import annotations

from typing import Any

from app.opencode.changes.changes import FileChange, changes
from app.opencode.changes.edits import MAX_SAID_CHARACTERS
from app.opencode.changes.record import read_changes, write_changes
from tests.support import recorded
from tests.support.constructed import read


def changed(document: object) -> dict[str, FileChange]:
    return {change.path: change for change in changes(read(document))}


def edit(number: int, path: str = "a.py") -> dict[str, Any]:
    metadata = {"diff": f"@@ -1 +1 @@\n-{number}\n+{number + 1}\n"}
    state = {"status": "completed", "input": {"filePath": path}, "output": "", "metadata": metadata}
    return {"id": f"prt_{number}", "type": "tool", "tool": "edit", "state": state}


def text(words: str, **fields: object) -> dict[str, Any]:
    return {"id": f"prt_{words[:20]}", "type": "text", "text": words, **fields}


def with_parts(*parts: dict[str, Any], diffs: object = None) -> dict[str, Any]:
    """A prompt "Please." and an answer of these parts; the prompt records `diffs`."""
    document = recorded.document("single-message")
    prompt, answer = document["messages"]
    prompt["info"]["summary"] = {"diffs": diffs or []}
    prompt["parts"] = [text("Please.")]
    answer["parts"] = list(parts)
    return document


def story(document: object, path: str = "a.py") -> list[tuple[str, str]]:
    """The calls that changed a file, with the words before each."""
    patches = changed(document)[path].patches
    return [(edit.part_id, edit.said) for patch in patches for edit in patch.edits]


def test_a_change_that_a_prompt_records_names_the_calls_that_made_it() -> None:
    document = recorded.document("rate-limit-feature")
    [first, second] = changed(document)["acme_api/app.py"].patches
    calls = [
        part["id"]
        for part in recorded.parts("rate-limit-feature")
        if part.get("tool") == "edit" and part["state"]["input"]["filePath"].endswith("acme_api/app.py")
    ]
    assert [edit.part_id for patch in (first, second) for edit in patch.edits] == calls
    assert (len(first.edits), len(second.edits)) == (2, 3)
    assert "+from .rate_limit import RateLimiter" in (first.edits[0].text or "")


def test_the_words_before_a_call_are_the_last_of_the_answer_or_else_the_prompt() -> None:
    document = with_parts(edit(0), text("First this."), text("Then that."), edit(1), edit(2), edit(3, "b.py"))
    assert story(document) == [("prt_0", "Please."), ("prt_1", "Then that."), ("prt_2", "Then that.")]
    assert story(document, "b.py") == [("prt_3", "Then that.")]
    [patch, *_] = changed(document)["a.py"].patches
    assert patch.edits[0].said_by == "user"


def test_thinking_and_what_opencode_added_are_not_what_was_said() -> None:
    reasoning = {"id": "prt_r", "type": "reasoning", "text": "Hm."}
    document = with_parts(text("Said."), reasoning, text("Added.", synthetic=True), edit(0))
    assert story(document) == [("prt_0", "Said.")]


def test_long_words_are_cut() -> None:
    [(_, said)] = story(with_parts(text("x" * 10_000), edit(0)))
    assert len(said) == MAX_SAID_CHARACTERS


def test_a_change_that_no_call_made_has_none() -> None:
    diffs = [{"file": "a.py", "patch": "@@ -1 +1 @@\n-a\n+b\n", "additions": 1, "deletions": 1}]
    assert story(with_parts(text("Done."), diffs=diffs)) == []


def test_a_call_that_failed_made_nothing() -> None:
    failed = edit(0)
    failed["state"] |= {"status": "error", "error": "no"}
    assert story(with_parts(failed, edit(1))) == [("prt_1", "Please.")]


def test_the_calls_of_a_sub_agent_count_for_the_prompt_that_started_it() -> None:
    diffs = [{"file": "a.py", "patch": "@@ -1 +1 @@\n-a\n+b\n", "additions": 1, "deletions": 1}]
    state = {"status": "completed", "input": {}, "output": "", "metadata": {"sessionId": "ses_child"}}
    task = {"id": "prt_t", "type": "tool", "tool": "task", "state": state}
    document = with_parts(task, diffs=diffs)
    child = with_parts(text("I change it."), edit(7))
    document["children"] = [
        {"session": {**child["session"], "id": "ses_child"}, "messages": child["messages"]}
    ]
    assert story(document) == [("prt_7", "I change it.")]


def test_a_file_that_was_moved_names_the_one_it_was() -> None:
    found = changed(recorded.document("apply-patch"))
    assert found["docs/design.md"].old_path == "docs/architecture.md"
    assert found["docs/architecture.md"].old_path == ""
    [patch] = found["docs/architecture.md"].patches
    assert len(patch.edits) == 1


def test_a_record_has_all_of_a_change() -> None:
    conversation = read(recorded.document("rate-limit-feature"))
    records = read_changes(memoryview(write_changes(conversation)))
    expected = changes(read(recorded.document("rate-limit-feature")))
    assert [record.read_patches() for record in records] == [change.patches for change in expected]
