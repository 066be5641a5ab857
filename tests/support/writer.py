"""A client that uploads snapshots and changes of a session, and commits them, as the plugin does."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.client import SESSION_ID, create, renew, upload

Json = dict[str, Any]


class Writer:
    """Knows what it shares (`session`, `messages` and `children` by id), and the last `revision` it saw."""

    def __init__(self, client: FlaskClient, document: Json, share_id: str = "GhIjKlMn") -> None:
        self.client = client
        self.share_id = share_id
        self.session: Json = {**document["session"], "id": SESSION_ID}
        self.messages = {message["info"]["id"]: _of_session(message) for message in document["messages"]}
        self.children = {child["session"]["id"]: child for child in document.get("children", [])}
        answer = create(client, share_id, size=1).get_json()
        self.secret: str = answer["secret"]
        self.created_at: int = answer["createdAt"]
        self.revision = 0

    def second(self) -> Writer:
        """Another client of the same share, which knows the same."""
        other = object.__new__(Writer)
        other.__dict__ = {**self.__dict__, "messages": dict(self.messages), "children": dict(self.children)}
        return other

    def document(self) -> Json:
        return {
            "shareId": self.share_id,
            "sessionId": SESSION_ID,
            "createdAt": self.created_at,
            "updatedAt": self.created_at,
            "revision": self.revision + 1,
            "session": self.session,
            "messages": list(self.messages.values()),
            "children": list(self.children.values()),
        }

    def put(self, kind: str, content: object) -> dict[str, str]:
        """Uploads something, and returns what a commit names it by."""
        # As JavaScript writes it.
        plain = json.dumps(content, separators=(",", ":")).encode()
        body = gzip.compress(plain)
        link = self.link(kind, len(body))
        assert link["kind"] == kind
        assert upload(self.client, link, body).status_code == 200
        return {"kind": kind, "sha256": hashlib.sha256(plain).hexdigest()}

    def link(self, kind: str, size: int = 1) -> Json:
        answer: Json = renew(
            self.client, self.share_id, self.secret, kind=kind, size=size, contentEncoding="gzip"
        ).get_json()
        return answer

    def commit(self, uploaded: dict[str, str], base: int | None = None) -> TestResponse:
        response = self.client.post(
            f"/api/share/{self.share_id}/commit",
            json={**uploaded, "base": self.revision if base is None else base},
            headers={"X-Share-Secret": self.secret},
        )
        if response.status_code == 200:
            self.revision = response.get_json()["revision"]
        return response

    def snapshot(self) -> None:
        assert self.commit(self.put("snapshot", self.document())).status_code == 200

    def change(self, *items: Json) -> TestResponse:
        """Uploads and commits changes that were made to what this knows."""
        return self.commit(self.put("changes", list(items)))

    def put_message(self, message: Json) -> Json:
        self.messages[message["info"]["id"]] = message
        return {"type": "put_message", "data": message}

    def delete_message(self, id: str) -> Json:
        del self.messages[id]
        return {"type": "delete_message", "data": {"id": id}}

    def put_child(self, child: Json) -> Json:
        self.children[child["session"]["id"]] = child
        return {"type": "put_child", "data": child}

    def put_child_session(self, session: Json) -> Json:
        self._change_child(session["id"], session=session)
        return {"type": "put_child_session", "data": session}

    def put_child_message(self, id: str, message: Json) -> Json:
        changed = {one["info"]["id"]: one for one in [*self.children[id]["messages"], message]}
        self._change_child(id, messages=list(changed.values()))
        return {"type": "put_child_message", "data": {"sessionID": id, "message": message}}

    def delete_child_message(self, id: str, message_id: str) -> Json:
        left = [one for one in self.children[id]["messages"] if one["info"]["id"] != message_id]
        self._change_child(id, messages=left)
        return {"type": "delete_child_message", "data": {"sessionID": id, "id": message_id}}

    def _change_child(self, id: str, **fields: object) -> None:
        self.children[id] = {**self.children[id], **fields}

    def delete_child(self, id: str) -> Json:
        del self.children[id]
        return {"type": "delete_child", "data": {"id": id}}

    def rename(self, title: str) -> Json:
        self.session = {**self.session, "title": title}
        return {"type": "session", "data": self.session}

    def stored(self) -> Json:
        answer: Json = self.client.get(f"/api/share/{self.share_id}").get_json()
        return answer

    def assert_stored(self) -> None:
        """What anybody reads is what this knows."""
        stored = self.stored()
        assert stored["session"] == self.session
        assert {message["info"]["id"]: message for message in stored["messages"]} == self.messages
        assert len(stored["messages"]) == len(self.messages)
        assert {child["session"]["id"]: child for child in stored.get("children", [])} == self.children


def _of_session(message: Json) -> Json:
    """A recorded message as one of the session that tests share."""
    parts = [{**part, "sessionID": SESSION_ID} for part in message["parts"]]
    return {"info": {**message["info"], "sessionID": SESSION_ID}, "parts": parts}
