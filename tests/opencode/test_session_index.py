"""An index gives back what the whole document says, and a page of it reads only its own messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.opencode import Conversation, DamagedIndex, DocumentIndex, read_conversation, write_index
from app.opencode.paging.page_builder import MAX_CHARACTERS, MAX_MODELS
from app.opencode.paging.pages import Page
from app.opencode.paging.prompts import MAX_FIRST_PROMPTS, MAX_LAST_PROMPTS
from tests.support import constructed, recorded
from tests.support.constructed import id_index, index, read
from tests.support.whole_pages import pages_of

DOCUMENTS = {
    **{name: recorded.with_children(name) for name in recorded.NAMES},
    **{name: json.dumps(constructed.document(name)).encode() for name in constructed.NAMES},
}


def told(conversation: Conversation) -> object:
    """All that pages show of a conversation."""
    facts = [getattr(conversation, name) for name in ("id", "title", "parent_id", "directory", "version")]
    facts += [getattr(conversation, name) for name in ("created_at", "updated_at", "cost", "tokens", "agent")]
    return (
        facts,
        list(conversation.models),
        [[step_told(step) for step in turn.steps] for turn in conversation.turns],
    )


def step_told(step) -> object:
    facts = {
        name: value
        for name, value in vars(step).items()
        if name not in ("parts", "read_part", "blocks", "weight")
    }
    raws = {name: bytes(facts.pop(name)) for name in ("message", "diffs")}
    return facts, raws, [bytes(part) for part in step.parts], step.blocks


def on(page: Page | None) -> object:
    assert page
    return (
        page.number,
        page.count,
        [
            (
                turn.number,
                turn.is_continued,
                [(step_told(placed.step), placed.shows_author) for placed in turn.steps],
            )
            for turn in page.turns
        ],
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_tells_all_that_the_document_tells(name: str) -> None:
    conversation = read_conversation(DOCUMENTS[name])
    found = index(DOCUMENTS[name])
    assert [told(each) for each in found.conversation.walk()] == [told(each) for each in conversation.walk()]
    assert bytes(found.conversation.diffs) == bytes(conversation.diffs)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_its_pages_are_those_of_the_whole(name: str) -> None:
    conversation = read_conversation(DOCUMENTS[name])
    for session, whole in zip(index(DOCUMENTS[name]).sessions, conversation.walk(), strict=True):
        pages = pages_of(whole)
        assert len(session.pages) == len(pages)
        assert [on(session.pages.get(page.number)) for page in pages] == [on(page) for page in pages]
        for page in pages:
            for step_id in page.step_ids:
                found = session.pages.holding(step_id)
                assert found
                assert found.number == page.number


def long_message() -> dict[str, Any]:
    """A session whose second message alone fills several pages."""
    document = recorded.document("single-message")
    document["messages"][1]["parts"] = [
        {"id": f"prt_{number}", "type": "text", "text": f"{number} " * 6_000} for number in range(60)
    ]
    return document


def test_a_message_on_several_pages_is_read_piece_by_piece() -> None:
    document = long_message()
    found = index(document).session.pages
    assert len(found) > 2
    shown = [step.id for number in range(1, len(found) + 1) for step in steps_on(found.get(number))]
    assert shown == [step.id for step in read(document).steps]
    assert [step.id for turn in found.turns() for step in turn.steps] == shown
    last = found.holding(shown[-1])
    assert last
    assert last.number == len(found)


def steps_on(page: Page | None) -> list:
    assert page
    return [placed.step for turn in page.turns for placed in turn.steps]


def test_a_page_reads_no_message_of_another() -> None:
    written, pieces = write_index(recorded.document_bytes("large-output"))
    messages = bytearray(b"".join(pieces))
    before = on(DocumentIndex(written, memoryview(messages)).session.pages.get(2))
    own = [
        bytes(step.message)
        for step in steps_on(DocumentIndex(written, memoryview(messages)).session.pages.get(2))
    ]
    start, end = messages.index(own[0]), messages.index(own[-1]) + len(own[-1])
    assert 0 < start < end
    damaged = DocumentIndex(written, memoryview(messages))
    messages[:start] = b"x" * start
    messages[end:] = b"x" * (len(messages) - end)
    assert on(damaged.session.pages.get(2)) == before
    with pytest.raises(DamagedIndex):
        damaged.session.pages.get(1)


def test_a_part_of_an_id_finds_nothing() -> None:
    found = id_index(recorded.document_bytes("rate-limit-feature"))
    id = "prt_2020fad85001wrAyG77btHYbb9"
    assert {step.message_id for step in found.steps_with(id)} == {"msg_2020facf0001B1YK2cfF03x0ai"}
    assert not list(found.steps_with(id[:-1]))
    assert not list(found.steps_with("e"))


def test_a_page_that_does_not_exist_is_none() -> None:
    pages = index(recorded.document_bytes("single-message")).session.pages
    assert [pages.get(number) for number in (-1, 0, 2)] == [None, None, None]
    assert pages.holding("msg_unknown") is None
    assert pages.holding("") is None


def test_what_stands_on_every_page_is_bounded() -> None:
    document = recorded.document("single-message")
    prompt, answer = document["messages"]
    document["session"]["title"] = "x" * 1_000_000
    document["messages"] = []
    for number in range(300):
        document["messages"] += [
            {**prompt, "info": {**prompt["info"], "id": f"msg_{number}"}},
            {**answer, "info": {**answer["info"], "id": f"msg_{number}b", "modelID": f"m{number}"}},
        ]
    found = index(document).session
    assert len(found.prompts) == MAX_FIRST_PROMPTS + MAX_LAST_PROMPTS
    assert found.prompt_count == 300
    assert len(found.conversation.turns) == 300
    assert len(found.conversation.models) == MAX_MODELS
    assert len(found.conversation.title) == MAX_CHARACTERS


def test_numbers_beyond_any_clock_do_not_keep_a_session_from_being_read() -> None:
    document = recorded.document("single-message")
    document["session"]["time"] = {"created": 1e300, "updated": -1e300}
    for message in document["messages"]:
        message["info"]["tokens"] = {"input": 1e300, "output": 1e300}
    document["messages"][0]["info"]["summary"] = {
        "diffs": [{"file": "a", "patch": "", "additions": 1e300, "deletions": 10**30, "status": "added"}]
    }
    del document["session"]["tokens"]
    found = index(document).session
    assert found.conversation.tokens.input > 2**62
    assert found.changed.files == 1
