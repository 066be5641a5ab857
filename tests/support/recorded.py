"""The documents recorded from a real OpenCode (tests/fixtures), and how to read what is in them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

from tests.support.paths import FIXTURES

NAMES = sorted(path.name.removesuffix(".gz").removesuffix(".json") for path in FIXTURES.glob("*.json*"))


def document_bytes(name: str) -> bytes:
    packed = FIXTURES / f"{name}.json.gz"
    if packed.exists():
        return gzip.decompress(packed.read_bytes())
    return (FIXTURES / f"{name}.json").read_bytes()


def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(document_bytes(name))
    return loaded


def parts(name: str) -> Iterator[dict[str, Any]]:
    for message in document(name)["messages"]:
        yield from message["parts"]


def with_parts(*parts: object) -> bytes:
    """A small recorded session in which one answer has these parts instead of its own."""
    session = document("single-message")
    session["messages"][1]["parts"] = list(parts)
    return json.dumps(session).encode()


def with_children(name: str) -> bytes:
    """A recorded session together with the sessions of its sub-agents, as the plugin uploads them."""
    session = document(name)
    children = [document(child) for child in NAMES if child.startswith(f"{name}.child")]
    session["children"] = [{"session": child["session"], "messages": child["messages"]} for child in children]
    return json.dumps(session).encode()
