"""A batch may be a whole session of 100 MB, of which no step may hold more than its parts in memory."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from app.db.extensions import db
from app.db.models import Share, ShareEvent
from app.lib.files import spool
from app.opencode import DocumentHeader, Item, merge_batches, sync_items, validate_batch
from app.opencode.json_pieces import encode_pieces
from app.services.documents import batch, event_log
from tests.support.marks import on_both_databases, without_rate_limits
from tests.support.sync_batches import (
    SESSION,
    SESSION_ID,
    checkpoint,
    create,
    document_of,
    items,
    sync,
)

LARGE = 8 * 1024 * 1024
TEXT = random.Random(1).randbytes(LARGE * 3 // 8).hex()
MESSAGE = {"id": "msg_1", "sessionID": SESSION_ID, "role": "assistant", "time": {"created": 1}}
PART = {"id": "prt_1", "messageID": "msg_1", "sessionID": SESSION_ID, "type": "text", "text": TEXT}
RETRY = {"error": {"data": {"message": TEXT, "metadata": 1}}}
HEAD = DocumentHeader("aShare", SESSION_ID, 1, 2, 3)

# What holds most of a session, each with provider data to be removed.
LARGE_ITEMS: dict[str, dict[str, Any]] = {
    "text": {"type": "part", "data": {**PART, "providerMetadata": {"x": 1}}},
    "error": {"type": "part", "data": {**PART, "type": "retry", "text": "", "retry": RETRY}},
    "messages": {
        "type": "messages",
        "data": {
            "sessionID": SESSION_ID,
            "messages": [{"id": "m", "type": "assistant", "content": [{"text": TEXT, "state": {}}]}],
        },
    },
    "diffs": {"type": "session_diff", "data": [{"file": "a.py", "patch": TEXT}]},
    "unknown": {"type": "hologram", "data": {"id": "h", "text": TEXT}},
}


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Yields a list that has the peak, in bytes, once the block has ended."""
    peak: list[int] = []
    tracemalloc.start()
    try:
        yield peak
        peak.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def validated(*batch: dict[str, Any]) -> list[Item]:
    return validate_batch(msgspec.Raw(json.dumps(batch).encode()))


@pytest.mark.parametrize("name", LARGE_ITEMS)
def test_packing_and_merging_copies_nothing_large(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(batch, "ROW_BYTES", LARGE // 16)
    packed = batch.Batch(validated({"type": "message", "data": MESSAGE}, LARGE_ITEMS[name]))
    with peak_memory() as packing:
        assert sum(1 for _ in packed.rows()) == packed.row_count
    assert packing[0] < LARGE // 4
    stored = packed.json()
    with peak_memory() as merging:
        merged = merge_batches(b"{}", [stored], HEAD)
    assert merging[0] < LARGE // 4
    assert len(b"".join(merged)) > LARGE // 2


def test_exporting_copies_nothing_large() -> None:
    document = json.dumps({"session": SESSION["session"], "messages": [{"info": MESSAGE, "parts": [PART]}]})
    encoded = document.encode()
    with peak_memory() as peak:
        longest = max(map(len, sync_items(encoded)))
    assert peak[0] < LARGE // 4
    assert longest <= 64 * 1024


@on_both_databases
@without_rate_limits
def test_a_large_batch_is_several_rows_that_are_read_as_one(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "ROW_BYTES", 2_000)
    share = create(client, SESSION_ID)
    assert sync(client, share, items(SESSION)).status_code == 200
    later = {"type": "session", "data": {**SESSION["session"], "title": "Renamed"}}
    assert sync(client, share, [later]).status_code == 200
    with app.app_context():
        rows = db.session.scalars(select(ShareEvent).order_by(ShareEvent.number)).all()
        assert [row.number for row in rows] == list(range(1, len(rows) + 1))
        assert [row.size > 0 for row in rows] == [True, *[False] * (len(rows) - 2), True]
        assert len(rows) > 5
        assert db.session.get_one(Share, share["id"]).revision == len(rows)
    for _ in range(2):
        document = document_of(client, share)
        assert document["messages"] == SESSION["messages"]
        assert document["session"]["title"] == "Renamed"
        assert document["revision"] == len(rows)
        checkpoint(app, share)
    with app.app_context():
        assert db.session.scalars(select(ShareEvent)).all() == []


@without_rate_limits
def test_a_batch_of_which_a_row_is_lost_makes_a_session_unreadable_and_no_worker_fail(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "ROW_BYTES", 2_000)
    share = create(client, SESSION_ID)
    sync(client, share, items(SESSION))
    with app.app_context():
        db.session.execute(delete(ShareEvent).where(ShareEvent.number == 3))
        db.session.commit()
    assert client.get(f"/share/{share['id']}").status_code == 422


def test_what_is_put_aside_on_disk_is_read_back() -> None:
    pieces = [b"abc", memoryview(b"defg")]
    assert spool(pieces, 7)() == b"abcdefg"
    assert spool(pieces, 6)() == b"abcdefg"


def test_without_room_on_the_disk_it_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def writelines(self, _: object) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    assert spool([b"abc", b"defg"], 1)() == b"abcdefg"


@pytest.mark.parametrize(
    "value",
    [{}, [], {"a": []}, [1, "ü", None], {'q"uote': {"b": [{}, {"c": 1.5}]}, "d": msgspec.Raw(b'{"e":[1]}')}],
)
def test_pieces_are_the_json_of_the_value(value: object) -> None:
    assert b"".join(encode_pieces(value)) == msgspec.json.encode(value)


@on_both_databases
@without_rate_limits
def test_batches_that_a_checkpoint_takes_away_meanwhile_are_read_again(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "ROW_BYTES", 2_000)
    share = create(client, SESSION_ID)
    sync(client, share, items(SESSION))
    fetchable = event_log._fetchable
    reads: list[int] = []

    def meanwhile(heads: Sequence[Any]) -> Iterator[list[Any]]:
        reads.append(len(heads))
        if len(reads) == 1:
            checkpoint(app, share)
        return fetchable(heads)

    monkeypatch.setattr(event_log, "_fetchable", meanwhile)
    assert document_of(client, share)["messages"] == SESSION["messages"]
    assert reads[0] > 5
    assert reads[-1] == 0
