"""Half surrogates, escaped or raw, become replacement characters wherever the pieces of a document end."""

from __future__ import annotations

import gzip
import json
import random
import re

import pytest
from flask.testing import FlaskClient

from app.opencode import encoding, replace_lone_surrogates
from tests.support import recorded
from tests.support.client import share

PAIR = re.compile(rb"\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}")
HALF = re.compile(rb"\\u[dD][89a-fA-F][\da-fA-F]{2}")
TOKENS = [
    rb"\ud83d",
    rb"\uDE00",
    rb"\\",
    rb"\n",
    rb"\"",
    rb"\u00e9",
    b"ud83d",
    b"a",
    "é".encode(),
    "\U0001f600".encode(),
    b"\xed\xa0\xbd",
]
REPLACEMENT = "\ufffd".encode()


def read_one_by_one(text: bytes) -> bytes:
    """The text as JSON defines it, escape by escape."""
    done, rest = bytearray(), text.replace(b"\xed\xa0\xbd", REPLACEMENT)
    while rest:
        size = 1
        if pair := PAIR.match(rest):
            size = len(pair[0])
        elif HALF.match(rest):
            done += rb"\ufffd"
            rest = rest[6:]
            continue
        elif rest.startswith(b"\\"):
            size = 2
        done += rest[:size]
        rest = rest[size:]
    return bytes(done)


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_every_half_is_replaced_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, kind: type[bytes] | type[bytearray]
) -> None:
    chance = random.Random(15)
    for _ in range(3000):
        monkeypatch.setattr(encoding, "CHUNK_BYTES", chance.randint(13, 40))
        text = b'"%b"' % b"".join(chance.choices(TOKENS, k=chance.randint(0, 40)))
        expected = read_one_by_one(text)
        result = replace_lone_surrogates(kind(text))
        assert (bytes(result.json), result.is_changed) == (expected, expected != text)
        json.loads(result.json.decode()).encode()


def test_a_document_with_halves_is_cleaned_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    document = recorded.with_parts({"type": "text", "id": "prt_1", "text": "cut \ud83d, whole \U0001f600"})
    share(client, gzip.compress(document), contentEncoding="gzip")
    assert client.get("/share/GhIjKlMn").status_code == 200
    changes: list[bool] = []
    in_pieces = encoding._in_pieces

    def spy(*args: object) -> encoding.Utf8Document:
        result = in_pieces(*args)  # type: ignore[arg-type]
        changes.append(result.is_changed)
        return result

    monkeypatch.setattr(encoding, "_in_pieces", spy)
    for path in ("/share/GhIjKlMn", "/share/GhIjKlMn.json", "/share/GhIjKlMn.md", "/api/share/GhIjKlMn"):
        answer = client.get(path, headers={"Accept-Encoding": "gzip"})
        body = gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") else answer.data
        assert "cut \ufffd, whole" in body.decode().replace(rb"\ufffd".decode(), "\ufffd"), path
    assert not any(changes)
