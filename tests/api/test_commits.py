"""Snapshots and changes that a client uploads and commits: the row alone says what is read."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.opencode.limits import MAX_FIELDS
from app.services.container import services
from app.services.documents.freshness import MAX_STALE_SECONDS
from app.storage import document_key, object_key, objects_of
from tests.support import recorded
from tests.support.backdate import backdate
from tests.support.client import SESSION_ID, delete, renew, share, upload
from tests.support.marks import on_both_databases, without_rate_limits
from tests.support.writer import Writer

pytestmark = [on_both_databases, without_rate_limits]

SESSION = recorded.document("rate-limit-feature")
CHILDREN = json.loads(recorded.with_children("subagents"))["children"][:2]


@pytest.fixture
def writer(client: FlaskClient) -> Writer:
    return Writer(client, SESSION)


def keys(app: Flask, share_id: str = "GhIjKlMn") -> set[str]:
    with app.app_context():
        return {info.key for info in objects_of(services().store, share_id)}


def checkpoint(app: Flask, share_id: str = "GhIjKlMn") -> None:
    with app.app_context():
        services().checkpointer.checkpoint(share_id)


def message(id: str, text: str, **info: object) -> dict[str, Any]:
    part = {"id": f"prt_{id}", "messageID": id, "sessionID": SESSION_ID, "type": "text", "text": text}
    about = {"id": id, "sessionID": SESSION_ID, "role": "user", "time": {"created": 1_800_000_000_000}}
    return {"info": {**about, **info}, "parts": [part]}


def test_a_snapshot_counts_from_its_commit(client: FlaskClient, writer: Writer) -> None:
    name = writer.put("snapshot", writer.document())
    assert client.get("/share/GhIjKlMn").status_code == 202
    assert writer.commit(name).get_json()["revision"] == 1
    writer.assert_stored()
    assert SESSION["session"]["title"] in client.get("/share/GhIjKlMn").text


def test_changes_replace_add_and_remove_messages(client: FlaskClient, writer: Writer, app: Flask) -> None:
    writer.snapshot()
    first, second, *_ = writer.messages
    edited = writer.messages[first]
    edited = {**edited, "parts": [{**edited["parts"][0], "text": "Quite another prompt"}]}
    response = writer.change(
        writer.put_message(edited),
        writer.delete_message(second),
        writer.put_message(message("msg_zz", "A new prompt")),
        writer.rename("Another title"),
    )
    assert response.get_json()["revision"] == 2
    writer.assert_stored()
    page = client.get("/share/GhIjKlMn").text
    assert "Quite another prompt" in page
    assert "A new prompt" in page
    assert "Another title" in page
    # What is committed is in the database, and its object gone.
    assert not any("changes" in key for key in keys(app))


def test_sub_agents_sessions_change_as_well(client: FlaskClient, writer: Writer) -> None:
    one, two = CHILDREN
    writer.put_child(one)
    writer.snapshot()
    writer.change(writer.put_child({**one, "messages": one["messages"][:1]}), writer.put_child(two))
    writer.assert_stored()
    writer.change(writer.delete_child(one["session"]["id"]))
    writer.assert_stored()


def test_what_is_in_a_sub_agents_session_changes_by_itself(writer: Writer) -> None:
    one, two = CHILDREN
    id = one["session"]["id"]
    first, last = one["messages"][0]["info"]["id"], one["messages"][-1]["info"]["id"]
    writer.put_child(one)
    writer.snapshot()
    writer.change(
        writer.put_child(two),
        writer.put_child_session({**one["session"], "title": "Another title"}),
        writer.put_child_message(id, message(first, "Edited")),
        writer.put_child_message(id, message("msg_zz", "Added")),
        writer.delete_child_message(id, last),
    )
    writer.assert_stored()
    texts = [part["text"] for part in writer.stored()["children"][0]["messages"][0]["parts"]]
    assert texts == ["Edited"]
    # What is put whole replaces what was changed before, and what is gone takes no changes.
    writer.change(writer.put_child_message(id, message("msg_zzz", "Replaced")), writer.put_child(one))
    writer.assert_stored()
    deleted = writer.delete_child(id)
    writer.change(
        deleted,
        {"type": "put_child_message", "data": {"sessionID": id, "message": message("msg_1", "late")}},
        {"type": "put_child_session", "data": one["session"]},
    )
    writer.assert_stored()


def test_a_commit_says_which_items_changes_may_have(client: FlaskClient, writer: Writer) -> None:
    answer = writer.commit(writer.put("snapshot", writer.document())).get_json()
    assert {"put_child", "put_child_session", "put_child_message"} < {*answer["items"]}


def test_messages_of_opencode_2_change_by_their_ids(client: FlaskClient) -> None:
    writer = Writer(client, {"session": SESSION["session"], "messages": []})
    prompt = {"id": "msg_1", "type": "user", "text": "One", "time": {"created": 1}}
    writer.commit(writer.put("snapshot", {**writer.document(), "messages": [prompt]}))
    other = {"id": "msg_2", "type": "user", "text": "Two", "time": {"created": 2}}
    edited = {**prompt, "text": "Changed"}
    writer.change({"type": "put_message", "data": other}, {"type": "put_message", "data": edited})
    assert writer.stored()["messages"] == [edited, other]
    writer.change({"type": "delete_message", "data": {"id": "msg_1"}})
    assert writer.stored()["messages"] == [other]


def test_of_two_writers_the_slower_is_told_the_revision(writer: Writer) -> None:
    writer.snapshot()
    other = writer.second()
    writer.change(writer.put_message(message("msg_fast", "fast")))
    refused = other.change(other.put_message(message("msg_slow", "slow")))
    assert refused.status_code == 409
    assert refused.get_json()["code"] == "revision_conflict"
    other.revision = refused.get_json()["revision"]
    assert other.revision == writer.revision
    writer.assert_stored()
    other.put_message(writer.messages["msg_fast"])
    other.snapshot()
    other.assert_stored()


def test_a_snapshot_that_others_overtook_is_refused(writer: Writer) -> None:
    writer.snapshot()
    late = writer.put("snapshot", {**writer.document(), "messages": []})
    writer.change(writer.put_message(message("msg_1", "in time")))
    assert writer.commit(late, base=1).status_code == 409
    assert writer.commit(late, base=2).status_code == 422
    writer.assert_stored()


def test_nothing_is_committed_twice(writer: Writer) -> None:
    writer.snapshot()
    name = writer.put("changes", [{"type": "session", "data": writer.session}])
    assert writer.commit(name).status_code == 200
    again = writer.commit(name, base=2)
    assert (again.status_code, again.get_json()["code"]) == (404, "object_missing")
    writer.assert_stored()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "session"}, "unreadable_document"),
        ([{"type": "put_message", "data": {"parts": []}}], "unreadable_document"),
        ([{"type": "delete_message", "data": {"id": ""}}], "unreadable_document"),
        ([{"type": "put_child", "data": {"messages": []}}], "unreadable_document"),
        ([{"type": "put_child_session", "data": {"title": "x"}}], "unreadable_document"),
        ([{"type": "put_child_message", "data": {"sessionID": "c", "message": {}}}], "unreadable_document"),
        ([{"type": "delete_child_message", "data": {"id": "msg_1"}}], "unreadable_document"),
        (
            [{"type": "put_child", "data": {"session": {"id": "c"}, "messages": {}}}],
            "unreadable_document",
        ),
    ],
)
def test_changes_that_nobody_could_read_are_refused(writer: Writer, changes: object, code: str) -> None:
    writer.snapshot()
    refused = writer.commit(writer.put("changes", changes))
    assert (refused.status_code, refused.get_json()["code"]) == (422, code)
    writer.assert_stored()


@pytest.mark.parametrize("field", ["createdAt", "revision"])
def test_a_snapshot_says_which_share_and_revision_it_is_of(writer: Writer, field: str) -> None:
    refused = writer.commit(writer.put("snapshot", {**writer.document(), field: 7}))
    assert refused.status_code == 422
    assert refused.get_json()["error"].startswith("The document does not have the 'createdAt'")


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"session":{}}', b"\x1f\x8b\x08broken"])
def test_what_is_no_document_is_refused(client: FlaskClient, writer: Writer, content: bytes) -> None:
    assert upload(client, writer.link("snapshot", len(content)), content).status_code == 200
    named = {"kind": "snapshot", "sha256": hashlib.sha256(content).hexdigest()}
    assert writer.commit(named).status_code == 422
    assert client.get("/share/GhIjKlMn").status_code == 202


MANY_FIELDS = {f"field{number}": 1 for number in range(MAX_FIELDS)}


def test_a_snapshot_with_fields_without_end_is_refused(writer: Writer) -> None:
    child = {**CHILDREN[0], **MANY_FIELDS}
    for fields in (MANY_FIELDS, {"children": [child]}):
        refused = writer.commit(writer.put("snapshot", {**writer.document(), **fields}))
        assert (refused.status_code, refused.get_json()["code"]) == (422, "unreadable_document")


def test_a_sub_agents_session_with_fields_without_end_is_refused(writer: Writer) -> None:
    writer.snapshot()
    child = {"type": "put_child", "data": {**CHILDREN[0], **MANY_FIELDS}}
    refused = writer.commit(writer.put("changes", [child]))
    assert refused.status_code == 422
    assert "more than 10,000 fields in item 0" in refused.get_json()["error"]
    writer.assert_stored()


def test_what_is_not_there_cannot_be_committed(writer: Writer) -> None:
    writer.snapshot()
    nothing = {"kind": "changes", "sha256": hashlib.sha256(b"[]").hexdigest()}
    assert writer.commit(nothing).get_json()["code"] == "object_missing"
    first = writer.put("changes", [{"type": "session", "data": writer.session}])
    second = writer.put("changes", [writer.rename("Second")])
    # The second is in the place of the first.
    assert writer.commit(first).get_json()["code"] == "object_missing"
    assert writer.commit(second).status_code == 200
    writer.assert_stored()


def test_only_the_owner_commits(client: FlaskClient, writer: Writer) -> None:
    writer.snapshot()
    body = {**writer.put("changes", [writer.rename("Mine")]), "base": 1}
    assert client.post("/api/share/GhIjKlMn/commit", json=body).status_code == 401
    headers = {"X-Share-Secret": writer.secret}
    for wrong in ({"kind": "../secret"}, {"kind": "1-0123456789abcdef"}, {"sha256": "short"}, {"base": -1}):
        refused = client.post("/api/share/GhIjKlMn/commit", json={**body, **wrong}, headers=headers)
        assert refused.status_code == 400
    assert client.post("/api/share/GhIjKlMn/commit", json=body, headers=headers).status_code == 200


def test_an_answer_without_a_kind_is_for_the_whole_document(client: FlaskClient, writer: Writer) -> None:
    link = renew(client, "GhIjKlMn", writer.secret, size=10).get_json()
    assert "kind" not in link
    assert "revision" not in link
    assert renew(client, "GhIjKlMn", writer.secret, kind="patch", size=10).status_code == 400


def test_a_share_that_was_put_whole_goes_on_with_commits(client: FlaskClient) -> None:
    writer = Writer(client, SESSION)
    body = json.dumps(writer.document()).encode()
    assert (
        upload(client, renew(client, "GhIjKlMn", writer.secret, size=len(body)).get_json(), body).status_code
        == 200
    )
    writer.rename("Committed")
    writer.snapshot()
    writer.assert_stored()


def test_a_plugin_that_was_replaced_by_an_older_one_is_followed(client: FlaskClient, writer: Writer) -> None:
    before = renew(client, "GhIjKlMn", writer.secret).get_json()
    writer.snapshot()
    whole = json.dumps({**writer.document(), "session": {**writer.session, "title": "Older plugin"}}).encode()
    # A link that was issued before the last commit is of yesterday.
    assert upload(client, before, whole).status_code == 200
    writer.assert_stored()
    after = renew(client, "GhIjKlMn", writer.secret).get_json()
    writer.assert_stored()
    assert client.get("/share/GhIjKlMn").status_code == 200
    assert upload(client, after, whole).status_code == 200
    with client.application.app_context():
        services().freshness.fresh_seconds = -1
    assert "Older plugin" in client.get("/share/GhIjKlMn").text
    assert writer.stored()["session"]["title"] == "Older plugin"
    # And forth again, with everything: nobody knows what the older one changed.
    assert writer.change({"type": "session", "data": writer.session}).status_code == 409
    writer.rename("Newer plugin")
    writer.snapshot()
    writer.assert_stored()
    assert "Newer plugin" in client.get("/share/GhIjKlMn").text


def test_a_commit_hands_out_the_link_for_what_comes_next(client: FlaskClient, writer: Writer) -> None:
    writer.snapshot()
    body = {**writer.put("changes", [writer.rename("One")]), "base": 1}
    headers = {"X-Share-Secret": writer.secret}
    asked = {**body, "next": {"contentEncoding": "gzip"}}
    answer = client.post("/api/share/GhIjKlMn/commit", json=asked, headers=headers).get_json()
    assert (answer["revision"], answer["next"]["revision"], answer["next"]["kind"]) == (2, 2, "changes")
    writer.revision = 2
    changes = json.dumps([writer.rename("Two")]).encode()
    assert upload(client, answer["next"], gzip.compress(changes)).status_code == 200
    named = {"kind": "changes", "sha256": hashlib.sha256(changes).hexdigest()}
    assert writer.commit(named).status_code == 200
    writer.assert_stored()


@pytest.mark.settings(UPLOAD_SIZE_REQUIRED="true")
def test_where_links_are_for_exact_sizes_each_is_asked_for(client: FlaskClient, writer: Writer) -> None:
    body = {**writer.put("snapshot", writer.document()), "base": 0, "next": {}}
    headers = {"X-Share-Secret": writer.secret}
    committed = client.post("/api/share/GhIjKlMn/commit", json=body, headers=headers)
    assert "next" not in committed.get_json()
    assert committed.get_json()["revision"] == 1


def test_who_commits_nothing_takes_no_more_room(writer: Writer, app: Flask) -> None:
    writer.snapshot()
    for number in range(5):
        writer.put("changes", [{"type": "session", "data": {**writer.session, "title": str(number)}}])
        writer.put("snapshot", writer.document())
    assert len(keys(app)) == 3


def test_a_snapshot_leaves_nothing_of_what_it_replaces(writer: Writer, app: Flask) -> None:
    """A secret that was found late would otherwise stay in the bucket."""
    writer.snapshot()
    writer.change(writer.rename("Before"))
    checkpoint(app)
    writer.put("changes", [writer.rename("Never committed")])
    before = keys(app)
    assert len(before) == 3
    writer.snapshot()
    [after] = keys(app)
    assert after not in before
    writer.assert_stored()


def test_a_snapshot_leaves_a_later_checkpoint_that_is_about_to_be_named(writer: Writer, app: Flask) -> None:
    writer.snapshot()
    later = object_key("GhIjKlMn", "3-0123456789abcdef")
    with app.app_context():
        services().store.put(later, b"{}", encoding=None)
    writer.snapshot()
    assert later in keys(app)


def test_a_snapshot_leaves_nothing_of_a_document_that_an_older_client_uploaded(
    client: FlaskClient, writer: Writer, app: Flask
) -> None:
    body = json.dumps(writer.document()).encode()
    link = renew(client, "GhIjKlMn", writer.secret, size=len(body)).get_json()
    assert upload(client, link, body).status_code == 200
    writer.snapshot()
    assert document_key("GhIjKlMn") not in keys(app)
    writer.assert_stored()


def test_a_deleted_share_leaves_no_object(client: FlaskClient, writer: Writer, app: Flask) -> None:
    writer.snapshot()
    writer.put("changes", [])
    writer.put("snapshot", writer.document())
    assert len(keys(app)) == 3
    late = writer.link("changes")
    assert delete(client, "GhIjKlMn", writer.secret).status_code == 200
    assert keys(app) == set()
    assert upload(client, late, b"x").status_code == 403
    assert keys(app) == set()


def test_what_was_uploaded_and_not_committed_is_cleaned_up(
    client: FlaskClient, writer: Writer, app: Flask
) -> None:
    writer.snapshot()
    writer.put("changes", [])
    assert len(keys(app)) == 2
    backdate(app, timedelta(hours=2))
    with app.app_context():
        for share_id in services().object_cleanup.due():
            services().object_cleanup.run(share_id)
    writer.assert_stored()


def test_what_was_not_committed_is_not_taken_for_a_lost_state(writer: Writer, app: Flask) -> None:
    writer.snapshot()
    writer.put("snapshot", {**writer.document(), "messages": []})
    with app.app_context():
        share = services().live_shares.get("GhIjKlMn")
        newest = services().synced.newest_checkpoint(share)
        assert newest == object_key("GhIjKlMn", str(share.checkpoint))
        services().forget(share.cache_key)
    writer.assert_stored()
    assert writer.change(writer.rename("Goes on")).get_json()["revision"] == 2


def test_another_share_of_opencode_itself_takes_no_commits(client: FlaskClient) -> None:
    native = client.post("/api/share", json={"sessionID": SESSION_ID}).get_json()
    headers = {"X-Share-Secret": native["secret"]}
    answer = client.post(
        f"/api/share/{native['id']}/commit",
        json={"kind": "changes", "sha256": "0" * 64, "base": 0},
        headers=headers,
    )
    assert answer.get_json()["code"] == "other_way_in"


def test_provider_data_in_changes_is_not_stored(writer: Writer) -> None:
    writer.snapshot()
    opaque = message("msg_1", "hello", error={"name": "X", "data": {"responseBody": "opaque"}})
    opaque["parts"][0]["metadata"] = {"anthropic": {"signature": "opaque"}}
    writer.change({"type": "put_message", "data": opaque})
    id = CHILDREN[0]["session"]["id"]
    writer.change(
        writer.put_child(CHILDREN[0]),
        {"type": "put_child_message", "data": {"sessionID": id, "message": opaque}},
        {"type": "put_child_session", "data": {**CHILDREN[0]["session"], "native": "opaque"}},
    )
    assert "opaque" not in json.dumps(writer.stored())
    assert "msg_1" in json.dumps(writer.stored()["children"])


Step = Callable[[Writer, Random], None]


def _edit(writer: Writer, random: Random) -> None:
    id = random.choice(list(writer.messages))
    edited = {**writer.messages[id], "parts": message(id, f"edit {random.random()}")["parts"]}
    assert writer.change(writer.put_message(edited)).status_code == 200


def _add(writer: Writer, random: Random) -> None:
    added = [message(f"msg_{random.randrange(10**9):09}", "added") for _ in range(random.randint(1, 3))]
    assert writer.change(*map(writer.put_message, added)).status_code == 200


def _undo(writer: Writer, random: Random) -> None:
    if len(writer.messages) > 1:
        assert writer.change(writer.delete_message(random.choice(list(writer.messages)))).status_code == 200


def _child(writer: Writer, random: Random) -> None:
    child = random.choice(CHILDREN)
    id = child["session"]["id"]
    item = writer.delete_child(id) if id in writer.children else writer.put_child(child)
    assert writer.change(item).status_code == 200


def _child_message(writer: Writer, random: Random) -> None:
    for id, child in writer.children.items():
        old = random.choice(child["messages"])["info"]["id"]
        items = [writer.put_child_message(id, message(f"msg_{random.randrange(10**9):09}", "added"))]
        if random.random() < 0.5:
            items.append(writer.delete_child_message(id, old))
        assert writer.change(*items).status_code == 200


def _whole(writer: Writer, random: Random) -> None:
    writer.rename(f"Title {random.random()}")
    writer.snapshot()


def _crash_before_commit(writer: Writer, random: Random) -> None:
    kind = random.choice(["snapshot", "changes"])
    content = {**writer.document(), "messages": []} if kind == "snapshot" else []
    writer.put(kind, content)


def _lose_the_answer(writer: Writer, random: Random) -> None:
    known = writer.revision
    writer.change(writer.put_message(message("msg_lost", f"lost {random.random()}")))
    writer.revision = known
    refused = writer.change(writer.put_message(message("msg_next", "next")))
    assert refused.status_code == 409
    writer.revision = refused.get_json()["revision"]
    writer.snapshot()


def _overtake(writer: Writer, random: Random) -> None:
    slow = writer.second()
    name = slow.put("changes", [{"type": "session", "data": {**slow.session, "title": "slow"}}])
    writer.change(writer.rename(f"fast {random.random()}"))
    assert slow.commit(name).status_code == 409


def _late_upload(writer: Writer, _random: Random) -> None:
    link = renew(writer.client, writer.share_id, writer.secret).get_json()
    writer.change(writer.rename("newer than the link"))
    whole = json.dumps({**writer.document(), "messages": []}).encode()
    assert upload(writer.client, link, whole).status_code == 200


STEPS: list[Step] = [_edit, _edit, _add, _add, _undo, _child, _child_message, _whole]
ACCIDENTS: list[Step] = [_crash_before_commit, _lose_the_answer, _overtake, _late_upload]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_readers_get_what_the_writer_has(
    client: FlaskClient, app: Flask, writer: Writer, seed: int
) -> None:
    random = Random(seed)
    writer.snapshot()
    for _ in range(40):
        random.choice([*STEPS, *ACCIDENTS])(writer, random)
        if random.random() < 0.15:
            checkpoint(app)
        if random.random() < 0.15:
            with app.app_context():
                services().documents.forget(services().live_shares.get("GhIjKlMn").cache_key)
        writer.assert_stored()
        assert client.get("/share/GhIjKlMn").status_code == 200
    assert delete(client, "GhIjKlMn", writer.secret).status_code == 200
    assert keys(app) == set()


def test_old_clients_go_on_as_before(client: FlaskClient) -> None:
    answer = share(client, gzip.compress(json.dumps(SESSION).encode()), contentEncoding="gzip")
    assert "revision" not in client.get("/api/share/GhIjKlMn").get_json()
    assert answer["secret"]


def test_a_host_that_has_the_last_revision_does_not_ask_the_store(
    client: FlaskClient, app: Flask, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.snapshot()
    writer.change(writer.put_message(message("msg_1", "one")))
    writer.assert_stored()
    opened: list[str] = []
    with app.app_context():
        store = services().store
    read = store.open
    monkeypatch.setattr(store, "open", lambda key, *etag: opened.append(key) or read(key, *etag))
    writer.change(writer.put_message(message("msg_2", "two")))
    writer.assert_stored()
    assert [key for key in opened if "changes" not in key] == []


@pytest.fixture
def large(client: FlaskClient, app: Flask, writer: Writer) -> Callable[[], AbstractContextManager[bool]]:
    """A session that counts as large, and a lock as of another worker that merges its next version."""
    writer.snapshot()
    with app.app_context():
        cache = services().cache
        services().freshness.large_bytes = 0
        services().freshness.fresh_seconds = 0
        live = services().live_shares.get("GhIjKlMn")
    return lambda: cache.lock(live, wait=True)


def title(client: FlaskClient) -> str:
    with client.get("/share/GhIjKlMn") as response:
        return str(re.findall("<title>(.*)</title>", response.text)[0])


def test_one_reader_of_a_large_session_merges_the_next_version_and_the_others_do_not_wait(
    client: FlaskClient, writer: Writer, large: Callable[[], AbstractContextManager[bool]]
) -> None:
    writer.change(writer.rename("First"))
    assert title(client) == "First"
    writer.change(writer.rename("Second"))
    with large():
        assert title(client) == "First"
    assert title(client) == "Second"


def test_who_reads_a_large_session_sees_a_change_at_once(
    client: FlaskClient, writer: Writer, large: object
) -> None:
    for new in ("First", "Second"):
        writer.change(writer.rename(new))
        assert title(client) == new


@pytest.mark.parametrize("what", ["a snapshot", "time"])
def test_nobody_sees_a_version_from_before_a_snapshot_or_of_some_time_ago(
    client: FlaskClient,
    app: Flask,
    writer: Writer,
    large: Callable[[], AbstractContextManager[bool]],
    what: str,
) -> None:
    writer.change(writer.rename("Before"))
    assert title(client) == "Before"
    item = writer.rename("After")
    if what == "a snapshot":
        # It may be there to remove a secret.
        writer.snapshot()
    else:
        # Of two changes, only the time of the second is known.
        writer.change(item)
        writer.change(item)
        with app.app_context():
            services().freshness.clock = lambda: time.time() + MAX_STALE_SECONDS
    with ThreadPoolExecutor(1) as pool:
        with large():
            waiting = pool.submit(title, client)
        assert waiting.result() == "After"


def test_messages_stay_whichever_session_they_name(client: FlaskClient) -> None:
    """And whatever they have beside their info and parts."""
    writer = Writer(client, {"session": SESSION["session"], "messages": []})
    strange = message("msg_1", "one")
    strange["info"]["sessionID"] = "ses_another"
    odd = {**message("msg_2", "two"), "later": True}
    writer.commit(writer.put("snapshot", {**writer.document(), "messages": [strange, odd]}))
    assert writer.change(writer.put_message(message("msg_3", "three"))).status_code == 200
    texts = [part["text"] for stored in writer.stored()["messages"] for part in stored["parts"]]
    assert texts == ["one", "two", "three"]


def test_changes_need_a_document_that_was_committed(client: FlaskClient, writer: Writer) -> None:
    body = json.dumps(writer.document()).encode()
    link = renew(client, "GhIjKlMn", writer.secret, size=len(body)).get_json()
    assert upload(client, link, body).status_code == 200
    assert writer.change({"type": "session", "data": writer.session}).status_code == 409
    assert len(writer.stored()["messages"]) == len(writer.messages)


def test_there_is_a_limit_to_sub_agents_without_messages(writer: Writer) -> None:
    writer.snapshot()
    empty = [{"type": "put_child", "data": {"session": {"id": f"c{n}"}, "messages": []}} for n in range(1001)]
    assert writer.change(*empty).status_code == 413
    writer.assert_stored()
