"""A client that creates, writes, reads and deletes shares at random, and checks every answer by the model."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import threading
import time
from collections.abc import Callable
from email.message import Message
from random import Random
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from app.share.pages.responses import OUTAGE_STATUS
from tests.faults.model.shares import CommittedShare, ModelShare, SyncedShare, UploadedShare, Violation
from tests.support.patience import patience
from tests.support.recorded import document
from tests.support.sync_batches import items, message_items

SMALL = document("single-message")
MESSAGE = SMALL["messages"][0]
MARK = re.compile(r"text-of-(\w+)-edit-(\d+)-")
TIMEOUT_SECONDS = patience(40)
# A bucket that hangs is not waited for.
UPLOAD_SECONDS = patience(4)
EXPIRES_IN = 3

Kind = TypeVar("Kind", bound=ModelShare)


class Answer(NamedTuple):
    """`status` is None when there was no answer; `asked_at` is a monotonic time."""

    status: int | None
    body: bytes
    asked_at: float
    etag: str = ""
    is_unconfirmed: bool = False


class Contents:
    """Which content each ETag named, among all clients."""

    def __init__(self) -> None:
        self._digests: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def check(self, path: str, etag: str, body: bytes) -> None:
        digest = hashlib.sha256(body).hexdigest()
        with self._lock:
            if self._digests.setdefault((path, etag), digest) != digest:
                raise Violation(f"the ETag {etag} of {path} names two contents")


class Client:
    """Client `number` of a run with `seed`; each works on shares of its own, on any of the hosts."""

    def __init__(self, seed: int, number: int, hosts: list[str], contents: Contents) -> None:
        self._random = Random(f"{seed}-{number}")
        self._prefix = f"s{seed}c{number}n"
        self._hosts = hosts
        self._contents = contents
        self._shares: list[ModelShare] = []
        self.share: ModelShare | None = None
        self._actions: dict[Callable[[], None], int] = {
            self._create_uploaded: 2,
            self._create_synced: 2,
            self._create_committed: 2,
            self._upload: 8,
            self._upload_partly: 1,
            self._sync: 12,
            self._commit: 12,
            self._read: 30,
            self._delete: 2,
            self._use_an_id_again: 1,
        }

    def step(self) -> None:
        """Does one thing, and raises Violation if the answer is not admissible."""
        actions, weights = zip(*self._actions.items(), strict=True)
        self._random.choices(actions, weights)[0]()

    def check_all(self) -> None:
        """Reads every share on every host and route."""
        for share in self._shares:
            self.share = share
            for host in self._hosts:
                self._read_json(share, host)
                self._read_page(share, host)

    def deleted(self) -> set[str]:
        """The ids of shares of which nothing may be left: deleted, and no upload has an unknown outcome."""
        gone = [share for share in self._shares if share.is_deleted and share.expires is None]
        return {share.id for share in gone if not _may_be_late(share)}

    def _create_uploaded(self) -> None:
        expires_in = EXPIRES_IN if self._random.random() < 0.1 else None
        share = UploadedShare(f"{self._prefix}{len(self._shares)}")
        body = {"shareId": share.id, "sessionId": SMALL["session"]["id"], "expiresIn": expires_in}
        self._add(share, self._ask("POST", self._host(), "/api/share/presign", body), expires_in)

    def _create_synced(self) -> None:
        share = SyncedShare("", session_id=f"ses_{self._prefix}{len(self._shares):020}")
        answer = self._ask("POST", self._host(), "/api/share", {"sessionID": share.session_id})
        if answer.status == 200:
            share.id = json.loads(answer.body)["id"]
            self._add(share, answer)
            session = {**SMALL["session"], "id": share.session_id}
            self._send(share, "0", items({"session": session, "messages": []}))

    def _create_committed(self) -> None:
        share = CommittedShare(f"{self._prefix}{len(self._shares)}", session_id=SMALL["session"]["id"])
        body = {"shareId": share.id, "sessionId": share.session_id}
        self._add(share, self._ask("POST", self._host(), "/api/share/presign", body))

    def _add(self, share: ModelShare, answer: Answer, expires_in: int | None = None) -> None:
        self.share = share
        share.note(f"created: {answer.status}")
        share.exists = True if answer.status in (200, 201) else None
        if share.exists:
            share.secret = json.loads(answer.body)["secret"]
            if expires_in:
                share.expires = (answer.asked_at + expires_in, time.monotonic() + expires_in)
        self._shares.append(share)

    def _upload(self) -> None:
        if link := self._link():
            share, url = link
            version = share.next_version()
            share.unknown.add(version)
            share.note(f"upload of version {version}")
            answer = self._ask("PUT", "", url, self._session(version))
            if answer.status == 200:
                share.unknown.discard(version)
                share.acknowledge(version)
            elif answer.status in (401, 403, 404, 410):
                share.unknown.discard(version)

    def _upload_partly(self) -> None:
        """An upload that breaks off is none."""
        if link := self._link():
            share, url = link
            share.note("an upload that breaks off")
            parts = urlsplit(url)
            body = json.dumps(self._session(share.next_version())).encode()
            connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)
            try:
                connection.putrequest("PUT", f"{parts.path}?{parts.query}")
                connection.putheader("Content-Type", "application/json")
                connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body[: len(body) // 2])
            except OSError:
                pass
            finally:
                connection.close()

    def _link(self) -> tuple[UploadedShare, str] | None:
        """A link for an upload to one of the shares."""
        share = self._pick(UploadedShare)
        if share is None or not share.secret:
            return None
        path, secret = f"/api/share/{share.id}/presign", {"X-Share-Secret": share.secret}
        answer = self._ask("POST", self._host(), path, {}, secret)
        if answer.status != 200:
            if answer.status not in (None, 503):
                share.check_status(answer.status, "presign", answer.asked_at)
            return None
        return share, json.loads(answer.body)["presignedUrl"]

    def _commit(self) -> None:
        """Edits a message, and uploads and commits it, or all of them where the revision is not known."""
        share = self._pick(CommittedShare)
        if share is None or not share.secret:
            return
        edited = str(self._random.randrange(1, 5))
        share.sent[edited] = share.sent.get(edited, 0) + 1
        kind = "snapshot" if share.revision is None else "changes"
        path, secret = f"/api/share/{share.id}", {"X-Share-Secret": share.secret}
        answer = self._ask("POST", self._host(), f"{path}/presign", {"kind": kind}, secret)
        if answer.status != 200:
            if answer.status not in (None, 503):
                share.check_status(answer.status, "presign", answer.asked_at)
            return
        link = json.loads(answer.body)
        if kind == "changes" and link["revision"] != share.revision:
            raise Violation(f"revision {link['revision']} where {share.revision} was acknowledged")
        # Whatever happens to this one, the next is a snapshot, unless its commit is acknowledged.
        share.revision = None
        sent = dict(share.sent) if kind == "snapshot" else {edited: share.sent[edited]}
        content = self._committed(share, link, sent)
        put = self._ask("PUT", "", link["presignedUrl"], content)
        share.may_be_late |= put.status is None
        sha256 = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        body = {"kind": kind, "sha256": sha256, "base": link["revision"]}
        answer = self._ask("POST", self._host(), f"{path}/commit", body, secret)
        share.note(f"commit of {kind} {sent} after {link['revision']}: {answer.status}")
        if answer.status == 200:
            if share.is_deleted:
                raise Violation("a deleted share took a commit")
            share.revision = json.loads(answer.body)["revision"]
            share.acknowledged |= sent
        elif answer.status not in (None, 503, 409) and b"object_missing" not in answer.body:
            share.check_status(answer.status or 0, "commit", answer.asked_at)

    def _committed(self, share: CommittedShare, link: dict[str, Any], edits: dict[str, int]) -> object:
        messages = [self._message(share, message, edit) for message, edit in edits.items()]
        if link["kind"] == "changes":
            return [{"type": "put_message", "data": message} for message in messages]
        revision = link["revision"] + 1
        return {**SMALL, "createdAt": link["createdAt"], "revision": revision, "messages": messages}

    def _message(self, share: SyncedShare, message: str, edit: int) -> dict[str, Any]:
        ids = {"sessionID": share.session_id, "messageID": f"msg_{message}", "id": f"prt_{message}"}
        return {
            "info": {**MESSAGE["info"], "sessionID": share.session_id, "id": f"msg_{message}"},
            "parts": [{**MESSAGE["parts"][0], **ids, "text": self._text(message, edit)}],
        }

    def _sync(self) -> None:
        share = self._pick(SyncedShare)
        if share and not isinstance(share, CommittedShare):
            message = str(self._random.randrange(1, 5))
            changed = self._message(share, message, share.sent.get(message, 0) + 1)
            self._send(share, message, list(message_items(changed)))

    def _send(self, share: SyncedShare, message: str, batch: list[dict[str, Any]]) -> None:
        if message != "0":
            share.sent[message] = edit = share.sent.get(message, 0) + 1
        share.note(f"sync of message {message}")
        body = {"secret": share.secret, "data": batch}
        answer = self._ask("POST", self._host(), f"/api/share/{share.id}/sync", body)
        if answer.status == 200:
            if share.is_deleted:
                raise Violation("a deleted share took a sync")
            if message != "0":
                share.acknowledged[message] = edit
        elif answer.status not in (None, 503):
            share.check_status(answer.status or 0, "sync", answer.asked_at)

    def _read(self) -> None:
        share = self._pick(ModelShare)
        if share:
            self._random.choice([self._read_json, self._read_page, self._read_markdown])(share, self._host())

    def _read_json(self, share: ModelShare, host: str) -> None:
        self._check(share, host, self._ask("GET", host, f"/api/share/{share.id}"))

    def _read_page(self, share: ModelShare, host: str) -> None:
        answer = self._ask("GET", host, f"/share/{share.id}")
        if answer.status == 200 and answer.etag:
            self._contents.check(host + share.id, answer.etag, answer.body)
        self._check(share, host, answer)

    def _read_markdown(self, share: ModelShare, host: str) -> None:
        self._check(share, host, self._ask("GET", host, f"/share/{share.id}.md"))

    def _check(self, share: ModelShare, host: str, answer: Answer) -> None:
        """Checks what a reader saw, unless the server said that it cannot answer or confirm that now."""
        if answer.status in (None, 503) or answer.is_unconfirmed:
            return
        is_empty = answer.status in (202, 404) and b"not been uploaded" in answer.body
        status = 202 if is_empty else answer.status or 0
        if not share.check_status(status, host, answer.asked_at):
            return
        texts = {key: int(edit) for key, edit in MARK.findall(answer.body.decode())}
        if isinstance(share, UploadedShare):
            share.check_version(texts.get(share.id, 0), host, answer.asked_at)
        elif isinstance(share, SyncedShare):
            share.check_texts(texts, host)

    def _delete(self) -> None:
        share = self._pick(ModelShare)
        if share is None or not share.secret:
            return
        share.note("delete")
        answer = self._ask("DELETE", self._host(), f"/api/share/{share.id}", {"secret": share.secret})
        if answer.status == 200:
            share.is_deleted = True
        elif answer.status == 404:
            share.check_status(404, "delete", answer.asked_at)
        elif not share.is_deleted:
            share.is_deleted = None

    def _use_an_id_again(self) -> None:
        share = self._pick(UploadedShare)
        if share and share.exists:
            share.note("creation with the same id")
            body = {"shareId": share.id, "sessionId": SMALL["session"]["id"]}
            answer = self._ask("POST", self._host(), "/api/share/presign", body)
            if answer.status not in (None, 503, 409):
                raise Violation(f"the id of a share was used again: {answer.status}")

    def _pick(self, kind: type[Kind]) -> Kind | None:
        shares = [share for share in self._shares[-12:] if isinstance(share, kind)]
        self.share = share = self._random.choice(shares) if shares else None
        return share

    def _host(self) -> str:
        return self._random.choice(self._hosts)

    def _text(self, key: str, edit: int) -> str:
        return f"text-of-{key}-edit-{edit}-end" + " and more" * self._random.randrange(200)

    def _session(self, version: int) -> dict[str, Any]:
        assert self.share
        part = {**MESSAGE["parts"][0], "text": self._text(self.share.id, version)}
        return {**SMALL, "messages": [{**MESSAGE, "parts": [part]}]}

    def _ask(
        self, method: str, host: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Asks a server; anything but an answer of it is an unknown outcome. Raises Violation for a 500."""
        asked_at = time.monotonic()
        try:
            seconds = TIMEOUT_SECONDS if host else UPLOAD_SECONDS
            status, data, received = _request(method, host + path, body, headers or {}, seconds)
        except (OSError, http.client.HTTPException):
            return Answer(None, b"", asked_at)
        if status >= 500 and status != 503:
            if host:
                raise Violation(f"{method} {path} was answered with {status}")
            return Answer(None, b"", asked_at)
        is_unconfirmed = OUTAGE_STATUS in received.get("Cache-Status", "")
        return Answer(status, data, asked_at, received.get("ETag", ""), is_unconfirmed)


def _may_be_late(share: ModelShare) -> bool:
    """Whether an upload of unknown outcome may still arrive."""
    if isinstance(share, UploadedShare):
        return bool(share.unknown)
    return isinstance(share, CommittedShare) and share.may_be_late


def _request(
    method: str, url: str, body: object, headers: dict[str, str], seconds: float
) -> tuple[int, bytes, Message]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=seconds)
    try:
        data = None if body is None else json.dumps(body)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, path, data, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()
