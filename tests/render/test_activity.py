"""Runs of calls that only look at something, as one line; what needs to be seen is never in one."""

from __future__ import annotations

from typing import Any

import pytest

from app.opencode import read_conversation
from app.opencode.model import Step
from app.render.activity import Activity, Run, activity_of, activity_of_step, runs
from tests.support.recorded import with_parts

READ = Activity({"read": 1}, milliseconds=300)
SEARCH = Activity({"search": 1}, milliseconds=700)
THOUGHT = Activity(thoughts=1, milliseconds=2000)


def part(tool: str, input: dict[str, Any] | None = None, **state: object) -> dict[str, Any]:
    state = {"status": "completed", "input": input or {}, "output": "", "title": "", "metadata": {}, **state}
    return {"type": "tool", "id": "prt_0", "tool": tool, "state": state}


def step(*parts: dict[str, Any]) -> Step:
    named = [{**each, "id": f"prt_{number}"} for number, each in enumerate(parts)]
    return read_conversation(with_parts(*named)).steps[1]


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (part("read", {"filePath": "a.py"}), "read"),
        (part("grep", {"pattern": "x"}), "search"),
        (part("glob", {"pattern": "*"}), "search"),
        (part("list", {"path": "."}), "list"),
        (part("webfetch", {"url": "https://example.com"}), "fetch"),
        (part("opencode_read", {"filePath": "a.py"}), "read"),
        (part("serena_read_file", {"relative_path": "a.py"}), "read"),
        (part("context7_search_docs", {"query": "flask"}), "search"),
    ],
    ids=lambda value: value["tool"] if isinstance(value, dict) else "",
)
def test_a_call_that_only_looks_at_something_is_counted(call: dict[str, Any], kind: str) -> None:
    [block] = step(call).blocks
    activity = activity_of(block)
    assert activity is not None
    assert activity.calls == {kind: 1}


@pytest.mark.parametrize(
    "call",
    [
        part("read", {"filePath": "a.py"}, status="error", error="File not found"),
        part("grep", {"pattern": "x"}, status="running"),
        part("edit", {"filePath": "a.py", "oldString": "a", "newString": "b"}),
        part("bash", {"command": "cat a.py"}),
        part("postgres_query", {"query": "DROP TABLE users"}),
        part("todowrite", {"todos": []}),
        part("hologram", {"colour": "red"}),
        part(
            "read",
            {"filePath": "a.png"},
            attachments=[
                {"id": "f", "type": "file", "mime": "image/png", "url": "data:image/png;base64,AA=="}
            ],
        ),
    ],
    ids=lambda call: f"{call['tool']} {call['state']['status']}",
)
def test_what_failed_runs_changes_or_shows_something_is_in_no_run(call: dict[str, Any]) -> None:
    quiet = part("read", {"filePath": "a.py"})
    alone = step(call)
    assert activity_of(alone.blocks[0]) is None
    assert activity_of_step(step(quiet, call)) is None


def test_a_step_with_a_text_is_in_no_run() -> None:
    assert activity_of_step(step(part("read"), {"type": "text", "text": "Found it."})) is None


def test_a_step_of_thoughts_and_calls_is() -> None:
    found = activity_of_step(step({"type": "reasoning", "text": "Hm."}, part("read"), part("glob")))
    assert found == Activity({"read": 1, "search": 1}, thoughts=1)


def test_runs_are_as_long_as_possible_and_keep_the_order() -> None:
    items = [("a", READ), ("b", SEARCH), ("edit", None), ("c", READ), ("d", THOUGHT), ("e", READ)]
    assert list(runs(items)) == [
        Run(["a", "b"], READ + SEARCH),
        Run(["edit"]),
        Run(["c", "d", "e"], READ + THOUGHT + READ),
    ]


@pytest.mark.parametrize(
    "items", [[("a", READ)], [("a", THOUGHT), ("b", THOUGHT)], [("a", THOUGHT), ("b", READ)]]
)
def test_a_single_call_and_thoughts_alone_are_no_run(items: list[tuple[str, Activity]]) -> None:
    assert list(runs(items)) == [Run([name]) for name, _ in items]


@pytest.mark.parametrize(
    ("activity", "label"),
    [
        (Activity({"read": 6, "search": 3, "list": 2}), "Read 6 files, 3 searches, 2 lists"),
        (Activity({"search": 1, "fetch": 1}), "1 search, 1 web page"),
        (Activity({"read": 1, "list": 1}, thoughts=2), "Read 1 file, 1 list, 2 thoughts"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_line_of_a_run_counts_what_it_did(activity: Activity, label: str) -> None:
    assert activity.label == label


def test_durations_are_added() -> None:
    assert (READ + SEARCH + THOUGHT).milliseconds == 3000
