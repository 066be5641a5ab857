"""Small documents with what sessions from other people's machines taught (tests/fixtures/field)."""

from __future__ import annotations

import json
from typing import Any

from tests.support.paths import FIXTURES

FOLDER = FIXTURES / "field"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def document_bytes(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes()


def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(document_bytes(name))
    return loaded


def with_answer(text: str) -> bytes:
    """A session in which the answer is this text."""
    session = document("table-words-broken")
    session["messages"][1]["parts"][0]["text"] = text
    return json.dumps(session).encode()


def encoded(session: dict[str, Any]) -> bytes:
    return json.dumps(session).encode()
