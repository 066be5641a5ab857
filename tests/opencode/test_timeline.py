"""The timeline says of every step what the page shows of it, in a bounded number of marks."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import Any

import pytest

from app.opencode import Conversation
from app.opencode.calls import KINDS, kind_of_tool
from app.opencode.model import Tool
from app.opencode.paging.timeline import ANSWER, MAX_MARKS, PROMPT, Timeline
from app.render.activity import has_failed
from tests.support import constructed, hostile, recorded
from tests.support.constructed import index, read

DOCUMENTS = {
    **{name: recorded.with_children(name) for name in recorded.NAMES},
    **{name: json.dumps(constructed.document(name)).encode() for name in constructed.NAMES},
}


def timeline(document: Any) -> Timeline:
    return index(document).session.timeline


def calls(found: Timeline) -> Counter[str]:
    """How many calls there were, by kind."""
    return sum((Counter(mark.calls) for mark in found.marks), Counter())


def failed(found: Timeline) -> Counter[str]:
    """How many of them failed."""
    return sum((Counter(mark.failed) for mark in found.marks), Counter())


def long_session(turns: int) -> dict[str, Any]:
    """The recorded session of all tools again and again, each time a minute later."""
    document = recorded.document("tools-gallery")
    messages = document["messages"]
    document["messages"] = []
    for turn in range(turns):
        for message in copy.deepcopy(messages):
            message["info"]["id"] += f"-{turn}"
            document["messages"].append(message)
    return document


def calls_of(conversation: Conversation) -> list[Tool]:
    return [
        block
        for step in conversation.steps
        if not step.is_undone
        for block in step.blocks
        if isinstance(block, Tool)
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_calls_and_failures_are_those_that_the_page_shows(name: str) -> None:
    conversation = read(json.loads(DOCUMENTS[name]))
    for session, each in zip(index(DOCUMENTS[name]).sessions, conversation.walk(), strict=True):
        shown = calls_of(each)
        assert calls(session.timeline) == Counter(kind_of_tool(call.name) for call in shown)
        expected = Counter(kind_of_tool(call.name) for call in shown if has_failed(call))
        expected[ANSWER] = sum(bool(step.failure) and not step.failure.aborted for step in each.steps)
        assert failed(session.timeline) == +expected


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_step_of_a_short_session_has_a_mark_of_its_own(name: str) -> None:
    conversation = read(json.loads(DOCUMENTS[name]))
    marks = index(DOCUMENTS[name]).session.timeline.marks
    assert [mark.id for mark in marks] == [step.id for step in conversation.steps]


def test_prompts_are_numbered_and_pauses_before_them_measured() -> None:
    marks = timeline(recorded.document("rate-limit-feature")).marks
    assert [mark.prompt for mark in marks if mark.prompt] == [1, 2, 3]
    assert [mark.kind for mark in marks if mark.prompt] == [PROMPT] * 3


def test_a_mark_shows_what_failed_rather_than_what_went_well() -> None:
    marks = timeline(recorded.document("rate-limit-feature")).marks
    [mark] = [mark for mark in marks if mark.failed]
    assert (mark.kind, mark.failed) == ("command", {"command": 1})


def test_a_long_session_has_a_bounded_number_of_marks_that_lose_nothing() -> None:
    once, often = timeline(recorded.document("tools-gallery")), timeline(long_session(turns=40))
    assert len(often.marks) <= MAX_MARKS
    assert sum(mark.steps for mark in often.marks) == 40 * sum(mark.steps for mark in once.marks)
    assert calls(often) == Counter({kind: 40 * count for kind, count in calls(once).items()})
    assert failed(often) == Counter({kind: 40 * count for kind, count in failed(once).items()})


def test_a_mark_of_several_steps_leads_to_the_first_that_failed() -> None:
    document = long_session(turns=40)
    failing = {mark.id for mark in timeline(recorded.document("tools-gallery")).marks if mark.failed}
    marks = timeline(document).marks
    assert all(mark.id.rpartition("-")[0] in failing for mark in marks if mark.failed)


def test_a_mark_names_the_page_of_its_step() -> None:
    session = index(long_session(turns=40)).session
    pages = {mark.page for mark in session.timeline.marks}
    assert len(pages) > 1
    for mark in session.timeline.marks:
        page = session.pages.get(mark.page)
        assert page
        assert page.has(mark.id)


def test_what_was_undone_is_shown_but_not_counted() -> None:
    document = recorded.document("reverted")
    undone = timeline(document)
    del document["session"]["revert"]
    assert calls(undone) < calls(timeline(document))
    assert len(undone.marks) == len(timeline(document).marks)


def test_the_time_of_the_agent_and_of_the_person_are_told_apart() -> None:
    def message(id: str, role: str, created: int, completed: int | None = None) -> dict[str, Any]:
        return {
            "info": {"id": id, "role": role, "time": {"created": created, "completed": completed}},
            "parts": [],
        }

    hour = 3_600_000
    messages = [
        message("a", "user", 1_000),
        message("b", "assistant", 2_000, 31_000),
        message("c", "user", 91_000),
        message("d", "assistant", 92_000, 101_000),
        message("e", "user", 101_000 + 2 * hour),
    ]
    found = timeline(hostile.session(messages=messages))
    assert (found.agent_milliseconds, found.person_milliseconds) == (40_000, 60_000)
    assert [mark.pause for mark in found.marks] == [0, 0, 60_000, 0, 2 * hour]


@pytest.mark.parametrize(
    "state",
    [
        {"status": 5},
        {"status": "error", "metadata": {"exit": "1"}},
        {"status": "completed", "metadata": []},
        {"status": "completed", "metadata": {"exit": {"code": 1}}},
        "state",
        None,
    ],
)
def test_a_call_that_is_not_as_it_should_be_is_counted_if_the_page_shows_it_as_one(state: object) -> None:
    part = {"type": "tool", "id": "prt_1", "tool": "bash", "state": state}
    document = json.loads(recorded.with_parts(part))
    assert sum(calls(timeline(document)).values()) == len(calls_of(read(document)))


def test_times_beyond_any_calendar_fit_into_the_index() -> None:
    message = hostile.message("m", hostile.text(1, "x"))
    message["info"]["time"] = {"created": 1e300, "completed": 1e308}
    prompt = {"info": {"id": "p", "role": "user", "time": {"created": 1}}, "parts": []}
    late = {"info": {"id": "q", "role": "user", "time": {"created": 1e308}}, "parts": []}
    assert len(timeline(hostile.session(messages=[prompt, message, late])).marks) == 3


def test_every_tool_of_opencode_that_a_recorded_session_calls_has_a_kind() -> None:
    without_kind = {"batch", "execute", "invalid", "skill", "plan_exit", "plan_enter", "StructuredOutput"}
    names = {call.name for name in recorded.NAMES for call in calls_of(read(recorded.document(name)))}
    assert {name for name in names if "_" not in name} <= KINDS.keys() | without_kind
