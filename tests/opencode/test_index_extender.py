"""An index that was extended by changes is that of the changed document, and only what changed was read."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from app.opencode import (
    DocumentHeader,
    DocumentIndex,
    NeedsWholeDocument,
    extend_index,
    merge_batches,
)
from app.opencode.paging import page_builder
from app.opencode.paging.records import ByteRange, PageRecord, records_of
from tests.support import constructed, recorded
from tests.support.constructed import index
from tests.support.random_changes import RandomChanges


def with_children(document: dict[str, Any]) -> dict[str, Any]:
    children = json.loads(recorded.with_children("subagents"))["children"]
    session = document.get("session") or document["info"]
    return {"session": session, "messages": document["messages"], "children": children}


DOCUMENTS = {
    "subagents": with_children(recorded.document("subagents")),
    "rate-limit-feature": with_children(recorded.document("rate-limit-feature")),
    "tools-gallery": with_children(recorded.document("tools-gallery")),
    "v2a": with_children(constructed.document("v2a")),
    "v2b": with_children(constructed.document("v2b")),
}


class Grown:
    """A document that batches are merged into, whole and in its index."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.session_id = document["session"]["id"]
        self.revision = 1
        self.json = self.merged(msgspec.json.encode(document), [])
        self.index = index(self.json, is_extendable=True)
        self.extended = 0

    def add(self, batch: list[dict[str, Any]]) -> None:
        before = self.json
        self.revision += 1
        self.json = self.merged(before, batch)
        try:
            if not self.index.is_extendable:
                raise NeedsWholeDocument
            extension = extend_index(self.index, [msgspec.json.encode(batch)], self.header())
        except NeedsWholeDocument:
            self.index = index(self.json, is_extendable=True)
            return
        messages = b"".join([self.index.messages, *extension.pieces])
        self.index = DocumentIndex(extension.index, memoryview(messages))
        self.extended += 1

    def merged(self, document: bytes, batch: list[dict[str, Any]]) -> bytes:
        return b"".join(merge_batches(document, [msgspec.json.encode(batch)], self.header()))

    def header(self) -> DocumentHeader:
        return DocumentHeader("aShare", self.session_id, 1, self.revision, self.revision)


def told(index: DocumentIndex) -> object:
    """All of an index but the places in the file of messages, whose content is compared instead."""
    decode = msgspec.msgpack.decode
    sessions = []
    for session, record in zip(index.sessions, index.record.sessions, strict=True):
        facts = {
            name: value
            for name, value in msgspec.structs.asdict(record).items()
            if name not in ("diffs", "fields", "pages", "after")
        }
        pages = [
            {
                name: decode(value) if isinstance(value, bytes) and name != "messages" else value
                for name, value in msgspec.structs.asdict(page).items()
                if name != "messages"
            }
            for page in record.pages
        ]
        messages = [
            (message.number, message.turn, message.pieces, message.is_undone, bytes(json))
            for message, json in session.pages.messages()
        ]
        sessions.append((facts, decode(record.after), pages, messages, bytes(session.conversation.diffs)))
    return sessions


@pytest.fixture(params=[(160 * 1024, 150), (20_000, 9), (3_000, 2)], ids=["pages", "small", "tiny"])
def page_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_builder, "PAGE_BYTES", request.param[0])
    monkeypatch.setattr(page_builder, "PAGE_STEPS", request.param[1])


@pytest.mark.usefixtures("page_size")
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", DOCUMENTS)
def test_after_any_changes_it_is_the_index_of_the_whole_document(name: str, seed: int) -> None:
    grown, changes = Grown(DOCUMENTS[name]), RandomChanges(DOCUMENTS[name], seed)
    for _ in range(30):
        batch = changes.batch()
        grown.add(batch)
        whole = index(grown.json, is_extendable=True)
        assert told(grown.index) == told(whole), batch
        if grown.index.is_extendable:
            assert b"".join(grown.index.document()) == grown.json, batch
            assert grown.index.document_size == len(grown.json)
    assert grown.extended > 10


def test_it_reads_nothing_but_the_page_of_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the first message, which tells the generation."""
    monkeypatch.setattr(page_builder, "PAGE_STEPS", 4)
    document = DOCUMENTS["tools-gallery"]
    grown = Grown({**document, "children": []})
    first, *_, before, last = grown.index.record.sessions[0].pages
    own = [places(first)[0], *places(before), *places(last)]
    fields = [*grown.index.record.sessions[0].fields.values()]
    content = bytes(grown.index.messages)
    messages = bytearray(len(content))
    for place in (*own, *fields):
        messages[place.start : place.start + place.size] = content[place.start : place.start + place.size]
    changed = json.loads(json.dumps(document["messages"][-1]))
    changed["info"]["cost"] = 7
    grown.index.messages = memoryview(messages)
    grown.add([{"type": "put_message", "data": changed}])
    assert grown.extended == 1
    pages = grown.index.session.pages
    assert len(pages) > 4
    page = pages.get(len(pages))
    assert page
    assert page.turns[-1].steps[-1].step.cost == 7


def places(page: PageRecord) -> list[ByteRange]:
    return [message.place for message in records_of([page])]


def test_a_change_that_needs_everything_is_not_merged_into_the_index() -> None:
    """Another generation, all messages at once, an id that a child has, and one that cannot be in a URL."""
    document = DOCUMENTS["subagents"]
    taken = json.loads(json.dumps(document["messages"][-1]))
    taken["info"]["id"] = document["children"][0]["messages"][0]["info"]["id"]
    odd = {**taken, "info": {**taken["info"], "id": "an id"}}
    newer = constructed.answer({"type": "text", "text": "x"})
    batch = {"sessionID": document["session"]["id"], "messages": [newer]}
    for type, data in (
        ("put_message", newer),
        ("messages", batch),
        ("put_message", taken),
        ("put_message", odd),
    ):
        grown = Grown(document)
        grown.add([{"type": type, "data": data}])
        assert grown.extended == 0
        assert told(grown.index) == told(index(grown.json, is_extendable=True))
