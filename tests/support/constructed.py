"""The sessions of OpenCode 2 that were written from its schema (tests/fixtures/constructed), and variants."""

from __future__ import annotations

import json
from typing import Any

from app.opencode import JSON, Conversation, DocumentIndex, Step, as_utf8, read_conversation, write_index
from app.opencode.paging.ids import IdIndex, write_ids
from tests.support.paths import FIXTURES

FOLDER = FIXTURES / "constructed"
NAMES = ("v2a", "v2b")


def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_bytes())
    return loaded


def encoded(document: object) -> JSON:
    return as_utf8(json.dumps(document).encode()).json


def read(document: object) -> Conversation:
    return read_conversation(encoded(document))


def index(document: object, *, is_extendable: bool = False) -> DocumentIndex:
    """The index of a document, which may be encoded already, as pages read it."""
    json = document if isinstance(document, bytes) else encoded(document)
    written, pieces = write_index(json, is_extendable=is_extendable)
    return DocumentIndex(written, memoryview(b"".join(pieces)))


def id_index(document: object) -> IdIndex:
    """Where the parts of a document are, as pages find them."""
    opened = index(document)
    return IdIndex(memoryview(write_ids(opened)), opened)


def with_messages(*messages: object) -> dict[str, Any]:
    """A V2 session of these messages."""
    return {"info": document("v2b")["info"], "messages": list(messages)}


def answer(*content: object, **fields: object) -> dict[str, Any]:
    return {"id": "msg_1", "type": "assistant", "time": {"created": 1}, "content": list(content), **fields}


def tool(**state: object) -> dict[str, Any]:
    return {
        "type": "tool",
        "id": "call_1",
        "name": "shell",
        "state": {"status": "completed", "input": {}, **state},
    }


def steps(conversation: Conversation) -> dict[str, Step]:
    return {step.id: step for each in conversation.walk() for step in each.steps}
