"""Finds the messages that contain a part by its id, without reading any other message.

The record of a document is MessagePack: sorted hashes of ids, and for each the page that its message is on.
Ids are those that parts have in the document, and those of messages, with which made-up ids of parts begin.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator

import msgspec
from xxhash import xxh3_64_intdigest

from app.opencode.fields import lenient
from app.opencode.model import Step
from app.opencode.paging.index_reader import DocumentIndex

# How many pages are looked at for one id: copies of a message have the same ids.
MAX_PAGES = 8
# How many beginnings of an id may be the id of a message.
MAX_PREFIXES = 16


class _Record(msgspec.Struct, array_like=True, frozen=True):
    """64-bit integers in the byte order of this machine; a page is `session << 32 | page`."""

    hashes: memoryview
    pages: memoryview


class _Part(msgspec.Struct, frozen=True):
    id: str = ""


_read_part = lenient(_Part)
_decode = msgspec.msgpack.Decoder(_Record).decode


def write_ids(index: DocumentIndex) -> bytes:
    """The record of a document, all of which is read."""
    found = sorted({(_hash(id), place) for id, place in _ids(index)})
    hashes = array("Q", (hash for hash, _ in found))
    pages = array("Q", (page for _, page in found))
    return msgspec.msgpack.encode(_Record(memoryview(hashes).cast("B"), memoryview(pages).cast("B")))


class IdIndex:
    """The record of the document that `index` reads."""

    def __init__(self, record: memoryview, index: DocumentIndex) -> None:
        self.index = index
        self._sessions = index.sessions
        decoded = _decode(record)
        self._hashes = decoded.hashes.cast("Q")
        self._pages = decoded.pages.cast("Q")

    def steps_with(self, id: str) -> Iterator[Step]:
        """The steps of the messages that contain `id`, or whose parts may have got it as a made-up id."""
        for place in dict.fromkeys(place for each in _beginnings(id) for place in self._places(each)):
            yield from self._sessions[place >> 32].pages.steps_with(id, place & 0xFFFF_FFFF)

    def _places(self, id: str) -> Iterator[int]:
        hash = _hash(id)
        first = bisect_left(self._hashes, hash)
        for place in range(first, min(first + MAX_PAGES, len(self._hashes))):
            if self._hashes[place] == hash:
                yield self._pages[place]


def _ids(index: DocumentIndex) -> Iterator[tuple[str, int]]:
    for number, session in enumerate(index.sessions):
        for page, steps in session.pages.steps_by_page():
            place = number << 32 | page
            for step in steps:
                yield step.message_id, place
                yield from ((id, place) for part in step.parts if (id := _read_part(part).id))


def _beginnings(id: str) -> list[str]:
    """The id itself, and what may be the id of its message before a dash."""
    dashes = [place for place, character in enumerate(id) if character == "-"]
    return [id, *(id[:dash] for dash in dashes[-MAX_PREFIXES:])]


def _hash(id: str) -> int:
    return xxh3_64_intdigest(id.encode(errors="replace"))
