"""Batches of OpenCode's own protocol, merge_batches into a document: by its keys, the last write winning."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from app.opencode import DocumentHeader, merge_batches, read_conversation, sanitize_item, validate_batch
from tests.support import constructed, recorded
from tests.support import sync_batches as native
from tests.support.sync_batches import Item, items, message_items

SESSION = recorded.document("rate-limit-feature")
NAMES = [name for name in recorded.NAMES if name != "large-output"]
SECRETS = ("responseHeaders", "responseBody")


def merge(*batches: list[Item], into: dict[str, Any] | None = None, id: str = "") -> dict[str, Any]:
    head = DocumentHeader("aShare", id or SESSION["session"]["id"], 1, 2, 3)
    packed = [json.dumps(batch).encode() for batch in batches]
    merged = merge_batches(json.dumps(into or {}).encode(), packed, head)
    loaded: dict[str, Any] = json.loads(b"".join(merged))
    return loaded


def taken(*items: Item) -> list[Item]:
    """The items as they are stored."""
    batch = validate_batch(msgspec.Raw(json.dumps(items).encode()))
    return [json.loads(b"".join(sanitize_item(item))) for item in batch]


def in_pieces(document: dict[str, Any], batches: list[list[Item]], sizes: random.Random) -> dict[str, Any]:
    """The document after the batches, stored and read again ever so often in between."""
    while batches:
        count = sizes.randint(1, 9)
        document = merge(*batches[:count], into=document)
        batches = batches[count:]
    return document


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_session_becomes_the_document_it_was_made_of(name: str) -> None:
    document = recorded.document(name)
    found = merge(items(document), id=document["session"]["id"])
    assert (found["session"], found["messages"]) == (document["session"], document["messages"])
    assert (found["diffs"], found["others"]) == ([], [])
    assert found["models"][0]["name"] == "Acme Coder 1"


def test_what_a_real_opencode_sent_gives_what_it_sent_last() -> None:
    syncs = native.recorded_syncs()
    newest = {json.dumps(native_key(item)): item["data"] for batch in syncs for item in batch}
    id = syncs[0][0]["data"]["id"]
    found = merge(*syncs, id=id)
    assert found["session"] == newest['["session"]']
    assert [message["info"] for message in found["messages"]] == [
        data for key, data in newest.items() if key.startswith('["message"')
    ]
    parts = [part for message in found["messages"] for part in message["parts"]]
    assert len(parts) == sum(key.startswith('["part"') for key in newest)
    assert all(part == newest[json.dumps(["part", part["messageID"], part["id"]])] for part in parts)


def native_key(item: Item) -> list[str]:
    data = item["data"]
    return {
        "message": lambda: ["message", data["id"]],
        "part": lambda: ["part", data["messageID"], data["id"]],
    }.get(item["type"], lambda: [item["type"]])()


@pytest.mark.parametrize("seed", range(5))
def test_it_makes_no_difference_how_often_a_document_is_stored_in_between(seed: int) -> None:
    batches = native.stream("rate-limit-feature")
    assert in_pieces({}, batches, random.Random(seed)) == merge(*batches)
    assert merge(*batches)["messages"] == SESSION["messages"]


@pytest.mark.parametrize("seed", range(5))
def test_what_has_different_keys_may_come_in_any_order(seed: int) -> None:
    batches = [[item] for item in items(SESSION)]
    random.Random(seed).shuffle(batches)
    assert in_pieces({}, batches, random.Random(seed)) == merge(items(SESSION))


def test_merging_again_what_is_in_the_document_already_changes_nothing() -> None:
    batches = native.stream("rate-limit-feature")
    document = merge(*batches)
    assert merge(*batches[40:], into=document) == document


PROMPTS = [message["info"]["id"] for message in SESSION["messages"] if message["info"]["role"] == "user"]
UNDONE = {"type": "session", "data": {**SESSION["session"], "revert": {"messageID": PROMPTS[1]}}}
RESTORED = {"type": "session", "data": SESSION["session"]}
NEXT = recorded.document("single-message")["messages"][0]
NEXT = {"info": {**NEXT["info"], "id": "msg_zzz", "sessionID": SESSION["session"]["id"]}, "parts": []}
NEXT["info"]["time"] = {"created": SESSION["messages"][-1]["info"]["time"]["created"] + 1}


def ids(document: dict[str, Any]) -> list[str]:
    return [message["info"]["id"] for message in document["messages"]]


def test_what_was_undone_is_gone_with_the_next_prompt_though_nothing_says_so() -> None:
    kept = ids(SESSION)[: ids(SESSION).index(PROMPTS[1])]
    first = merge(items(SESSION), [UNDONE])
    assert ids(first) == ids(SESSION)
    for batch in ([RESTORED, *message_items(NEXT)], [*message_items(NEXT), RESTORED]):
        assert ids(merge(batch, into=first)) == [*kept, "msg_zzz"]


def test_what_was_undone_and_restored_stays_with_the_next_prompt() -> None:
    restored = merge(items(SESSION), [UNDONE], [RESTORED])
    assert ids(merge([*message_items(NEXT)], into=restored)) == [*ids(SESSION), "msg_zzz"]


def test_what_was_undone_stays_when_messages_before_it_change() -> None:
    undone = merge(items(SESSION), [UNDONE])
    assert ids(merge([RESTORED, *message_items(SESSION["messages"][0])], into=undone)) == ids(SESSION)


def test_the_plugin_says_itself_what_was_deleted() -> None:
    undone = merge(items(SESSION), [UNDONE])
    put = {"type": "put_message", "data": NEXT}
    assert ids(merge([RESTORED, put], into=undone)) == [*ids(SESSION), "msg_zzz"]


def test_a_part_waits_for_its_message() -> None:
    first, *rest = SESSION["messages"]
    message, *parts = message_items(rest[0])
    early = merge([{"type": "session", "data": SESSION["session"]}, *message_items(first), *parts])
    assert early["messages"] == [first]
    assert early["others"] == parts
    late = merge([message], into=early)
    assert late["messages"] == [first, rest[0]]
    assert late["others"] == []


def test_a_session_without_its_head_is_shown_by_its_messages() -> None:
    found = merge([*message_items(SESSION["messages"][0])])
    conversation = read_conversation(json.dumps(found).encode())
    assert conversation.id == SESSION["session"]["id"]
    assert len(conversation.steps) == 1


def test_what_belongs_to_another_session_replaces_nothing() -> None:
    document = merge(items(SESSION))
    info = {**SESSION["messages"][0]["info"], "sessionID": "ses_another", "agent": "another"}
    part = {**SESSION["messages"][0]["parts"][0], "sessionID": "ses_another", "text": "another"}
    session = {**SESSION["session"], "id": "ses_another", "title": "Another"}
    strange = [{"type": "session", "data": session}, *message_items({"info": info, "parts": [part]})]
    found = merge(strange, into=document)
    assert (found["session"], found["messages"]) == (document["session"], document["messages"])
    assert found["others"] == strange
    assert len(read_conversation(json.dumps(found).encode()).steps) == len(SESSION["messages"])


def test_an_item_of_the_future_is_kept_and_the_newest_of_it_counts() -> None:
    items = [{"type": "todo", "data": {"id": "1", "done": False}}, {"type": "hologram", "data": [1]}]
    found = merge(items, into=merge(native.items(SESSION)))
    assert found["others"] == items
    done = [{"type": "todo", "data": {"id": "1", "done": True}}]
    assert merge(done, into=found)["others"] == [items[1], *done]
    assert merge(done, into=found)["messages"] == SESSION["messages"]


def test_keys_of_the_document_that_are_nobodys_here_stay() -> None:
    document = {**merge(items(SESSION)), "children": [{"session": {"id": "ses_child"}, "messages": []}]}
    assert merge(items(SESSION), into=document) == document


@pytest.mark.parametrize("name", constructed.NAMES)
def test_the_batch_of_an_opencode_2_is_the_whole_session(name: str) -> None:
    document = constructed.document(name)
    session = document.get("info") or document["session"]
    half = document["messages"][: len(document["messages"]) // 2]
    first = [{"type": "session", "data": session}, batch(session["id"], half)]
    found = merge(first, id=session["id"])
    assert found["messages"] == half
    found = merge([batch(session["id"], document["messages"])], into=found, id=session["id"])
    assert found["messages"] == document["messages"]
    assert len(read_conversation(json.dumps(found).encode()).steps) >= len(document["messages"])


@pytest.mark.parametrize(
    "message",
    [
        {"type": "user", "text": "x", "info": 5},
        {"type": "user", "text": "x", "info": {"id": "msg_1"}},
        {"info": 5},
    ],
)
def test_a_message_of_opencode_2_that_looks_like_an_older_one_stays_as_it_came(message: Item) -> None:
    stored = merge([batch(SESSION["session"]["id"], [message])])
    again = merge([{"type": "session", "data": SESSION["session"]}], into=stored)
    assert again["messages"] == stored["messages"] == [message]


def batch(session_id: str, messages: list[Any]) -> Item:
    return {"type": "messages", "data": {"sessionID": session_id, "messages": messages}}


def test_an_empty_batch_of_an_opencode_2_takes_no_older_messages_away() -> None:
    empty = batch(SESSION["session"]["id"], [])
    newer = batch(SESSION["session"]["id"], [constructed.answer({"type": "text", "text": "x"})])
    for batches in ([items(SESSION), [empty]], [items(SESSION), [newer], [empty]]):
        assert merge(*batches)["messages"] == SESSION["messages"]
        assert merge([items(SESSION)[0]], into=merge(*batches)) == merge(*batches)


def test_messages_of_both_generations_are_kept_and_those_of_opencode_2_shown() -> None:
    newer = batch(SESSION["session"]["id"], [constructed.answer({"type": "text", "text": "x"})])
    found = merge([newer], into=merge(items(SESSION)))
    assert found["messages"] == newer["data"]["messages"]
    kept = merge([*message_items(SESSION["messages"][0])], into=found)
    assert kept == found
    assert len(found["others"]) == sum(1 + len(message["parts"]) for message in SESSION["messages"])


@pytest.mark.parametrize("name", NAMES)
def test_only_what_is_a_providers_own_is_left_out(name: str) -> None:
    document = recorded.document(name)
    expected = deepcopy(document)
    for message in expected["messages"]:
        for owner in (message["info"], *message["parts"]):
            for details in [owner.get("error", {}), owner.get("error", {}).get("data", {})]:
                for key in (*SECRETS, "metadata"):
                    details.pop(key, None)
    expected["session"].pop("share", None)
    assert taken(*items(document)) == items(expected)


def test_a_providers_blobs_are_left_out_and_a_tools_own_fields_are_not() -> None:
    own = {"state": 1, "metadata": {"native": 2}, "responseBody": "3"}
    blob = {"anthropic": {"signature": "secret"}}
    part = {"id": "prt_1", "messageID": "msg_1"}
    tool = {**part, "type": "tool", "state": {"status": "completed", "input": own, "metadata": own}}
    text = {**part, "type": "text", "text": "x"}
    retry = {**part, "type": "retry", "error": {"name": "APIError", "data": {"message": "x", **details()}}}
    stored = taken(
        {"type": "part", "data": {**tool, "metadata": blob}},
        {"type": "part", "data": {**text, "metadata": blob, "providerMetadata": blob}},
        {"type": "part", "data": retry},
    )
    assert [item["data"] for item in stored] == [
        tool,
        text,
        {**part, "type": "retry", "error": {"name": "APIError", "data": {"message": "x"}}},
    ]


def details() -> dict[str, object]:
    return {
        "responseHeaders": {"set-cookie": "secret"},
        "responseBody": "secret",
        "metadata": {"url": "secret"},
    }


def test_the_blobs_of_an_opencode_2_are_left_out_too() -> None:
    content = [
        {"type": "text", "text": "x", "state": "secret"},
        {"type": "reasoning", "text": "y", "native": "secret", "providerMetadata": "secret"},
        {**constructed.tool(), "provider": {"executed": True, "metadata": "secret"}},
    ]
    answer = constructed.answer(*content, native="secret", error={"type": "x", "message": "m", **details()})
    [stored] = taken(batch("ses_1", [answer]))
    assert "secret" not in json.dumps(stored)
    assert stored["data"]["messages"][0]["content"][2]["state"] == constructed.tool()["state"]


def test_what_is_left_out_of_an_item_of_the_future_may_stand_anywhere() -> None:
    item = {"type": "hologram", "data": [{"error": details(), "deep": {"providerMetadata": 1, "kept": 2}}]}
    assert [item["data"] for item in taken(item)] == [[{"error": {}, "deep": {"kept": 2}}]]


def test_a_model_is_stored_without_how_its_provider_is_reached() -> None:
    model = {"id": "m", "providerID": "p", "name": "M", "api": {"url": "secret"}, "limit": {"context": 1}}
    [stored] = taken({"type": "model", "data": [{**model, "options": {"apiKey": "secret"}, "headers": {}}]})
    assert stored["data"] == [{"id": "m", "providerID": "p", "name": "M", "limit": {"context": 1}}]


def test_models_are_called_by_their_names() -> None:
    document = merge(items(SESSION))
    for form in (document, items(SESSION)):
        conversation = read_conversation(json.dumps(form).encode())
        assert conversation.models == ["Acme Coder 1"]
    for models in (5, [5], [{}], [{"id": "acme-coder-1", "providerID": "another", "name": "Another"}]):
        unnamed = read_conversation(json.dumps({**document, "models": models}).encode())
        assert unnamed.models == ["lab/acme-coder-1"]


@pytest.mark.parametrize(
    "item",
    [
        {},
        5,
        {"type": "message"},
        {"data": {}},
        {"type": "", "data": {}},
        {"type": "message", "data": {}},
        {"type": "message", "data": {"id": ""}},
        {"type": "message", "data": 5},
        {"type": "part", "data": {"id": "prt_1"}},
        {"type": "part", "data": {"messageID": "msg_1"}},
        {"type": "messages", "data": {"messages": []}},
        {"type": "session", "data": []},
    ],
    ids=str,
)
def test_an_item_without_what_its_key_is_made_of_is_refused(item: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        taken(*items(SESSION), item)


def test_a_refusal_names_the_item() -> None:
    with pytest.raises(msgspec.ValidationError, match="missing required field `id` in item 1 of `data`"):
        taken({"type": "todo", "data": {}}, {"type": "message", "data": {}})


@pytest.mark.parametrize("field", ["title", "parentID", "directory", "version", "agent", "cost"])
def test_a_session_with_a_field_of_a_wrong_type_is_taken_and_read(field: str) -> None:
    session = {**SESSION["session"], field: []}
    merged = merge(taken({"type": "session", "data": session}))
    assert read_conversation(json.dumps(merged).encode()).id == session["id"]
