"""What OpenCode's own protocol sends, made of recorded documents and of what it really sent."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.db.extensions import db
from app.db.models import Share, ShareEvent
from app.services.container import services
from app.services.maintenance import run_maintenance
from app.services.shares.object_cleanup import named_keys
from tests.support import recorded
from tests.support.paths import ROOT

LIFECYCLE = ROOT / "plugin" / "test" / "fixtures" / "native-protocol-lifecycle.jsonl.gz"

Item = dict[str, Any]
SESSION = recorded.document("rate-limit-feature")
SESSION_ID = SESSION["session"]["id"]


def items(document: dict[str, Any]) -> list[Item]:
    """All of a session, as the first sync has it."""
    return [
        {"type": "session", "data": document["session"]},
        *(item for message in document["messages"] for item in message_items(message)),
        {"type": "session_diff", "data": []},
        {"type": "model", "data": [{"id": "acme-coder-1", "providerID": "lab", "name": "Acme Coder 1"}]},
    ]


def message_items(message: dict[str, Any]) -> Iterator[Item]:
    yield {"type": "message", "data": message["info"]}
    for part in message["parts"]:
        yield {"type": "part", "data": part}


def recorded_syncs() -> list[list[Item]]:
    """The batches of one share that a real OpenCode sent."""
    lines = gzip.decompress(LIFECYCLE.read_bytes()).splitlines()
    requests = [json.loads(line) for line in lines]
    path = next(request["path"] for request in requests if request["kind"] == "sync")
    return [request["request"]["data"] for request in requests if request["path"] == path]


def stream(name: str) -> list[list[Item]]:
    """A recorded session as it came about: a batch for each change of a message, of a part, of the session.

    As OpenCode does it, an object is sent whole each time; a tool's first as it was while it waited and ran.
    """
    document = recorded.document(name)
    batches = [[item] for message in document["messages"] for item in _changes(message)]
    for number, batch in enumerate(batches):
        if number % 3 == 0:
            time = {**document["session"]["time"], "updated": document["session"]["time"]["created"] + number}
            batch.append({"type": "session", "data": {**document["session"], "time": time}})
    return [*batches, [{"type": "session", "data": document["session"]}]]


def _changes(message: dict[str, Any]) -> Iterator[Item]:
    began = {key: value for key, value in message["info"]["time"].items() if key != "completed"}
    yield {"type": "message", "data": {**message["info"], "time": began}}
    for part in message["parts"]:
        yield from ({"type": "part", "data": state} for state in (*_states(part), part))
        yield {"type": "message", "data": {**message["info"], "time": began}}
    yield {"type": "message", "data": message["info"]}


def _states(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """How a part looked before it was as it is."""
    if part["type"] == "tool":
        input = part["state"]["input"]
        yield {**part, "state": {"status": "pending", "input": {}, "raw": ""}}
        yield {**part, "state": {"status": "running", "input": input, "time": {"start": 1}}}
    elif part["type"] in ("text", "reasoning"):
        yield {**part, "text": part["text"][: len(part["text"]) // 2]}


def create(client: FlaskClient, session_id: str) -> dict[str, str]:
    answer: dict[str, str] = client.post("/api/share", json={"sessionID": session_id}).get_json()
    return answer


def sync(client: FlaskClient, share: dict[str, str], items: object, **secret: str) -> TestResponse:
    """Sends the secret first, as OpenCode does."""
    body = json.dumps({"secret": share["secret"], "data": items, **secret})
    return client.post(f"/api/share/{share['id']}/sync", data=body, content_type="application/json")


def shared(client: FlaskClient, document: dict[str, Any]) -> dict[str, str]:
    """A share of a whole session."""
    share = create(client, document["session"]["id"])
    assert sync(client, share, items(document)).status_code == 200
    return share


def document_of(client: FlaskClient, share: dict[str, str]) -> dict[str, Any]:
    document: dict[str, Any] = client.get(f"/api/share/{share['id']}").get_json()
    return document


def rows(app: Flask) -> int:
    """How many batches wait for a checkpoint."""
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(ShareEvent)) or 0


def checkpoint(app: Flask, share: dict[str, str]) -> None:
    with app.app_context():
        services().checkpointer.checkpoint(share["id"])


def stored(app: Flask, share: dict[str, str]) -> bytes | None:
    """The object that the row of a share names; None before the first checkpoint."""
    with app.app_context():
        row = db.session.get_one(Share, share["id"])
        found = services().store.open(named_keys(row)[0])
        if found is None or found.body is None:
            return None
        try:
            return found.body.read(found.size)
        finally:
            found.body.close()


def maintain(app: Flask) -> None:
    """What every worker does in between."""
    with app.app_context():
        run_maintenance()


def code(response: Any) -> tuple[int, str]:
    """Status and code of an answer."""
    return response.status_code, (response.get_json() or {}).get("code", "")


def first(count: int) -> dict[str, Any]:
    """The session when it had so many messages."""
    return {**SESSION, "messages": SESSION["messages"][:count]}
