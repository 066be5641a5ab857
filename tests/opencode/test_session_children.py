"""Sessions that tasks started, inside the document of the one that started them; and ids, kept apart."""

from __future__ import annotations

from typing import Any

from app.opencode.model import Block, File, Text, Tool
from app.opencode.paging.find import find_block, find_file
from tests.support import constructed, recorded
from tests.support.constructed import id_index, read

CHILDREN = [name for name in recorded.NAMES if name.startswith("subagents.child")]


def family() -> dict[str, Any]:
    """The recorded session with sub-agents, with their own sessions in it."""
    document = recorded.document("subagents")
    document["children"] = [
        {key: recorded.document(name)[key] for key in ("session", "messages")} for name in CHILDREN
    ]
    return document


def test_every_task_that_ran_leads_to_its_session() -> None:
    conversation = read(family())
    calls = [
        block
        for step in conversation.steps
        for block in step.blocks
        if isinstance(block, Tool) and block.name == "task" and block.child_id
    ]
    assert {call.child_id for call in calls} == set(conversation.children)
    assert len(calls) == len(CHILDREN) == 4
    for child in conversation.children.values():
        assert child.parent_id == conversation.id
        # All are in one place, since sub-agents may call others.
        assert child.children.keys() == conversation.children.keys()
        assert child.turns


def block_of(document: object, id: str) -> Block | None:
    found = find_block(id_index(document), id)
    return found[0] if found else None


def test_a_block_of_a_child_is_found_by_its_id() -> None:
    found_ids = id_index(family())
    for name in CHILDREN:
        for part in recorded.parts(name):
            if part["type"] == "text":
                found = find_block(found_ids, part["id"])
                assert found
                assert isinstance(found[0], Text)
                assert found[0].text == part["text"]


def test_a_file_of_a_child_is_found_by_its_id() -> None:
    document = constructed.document("v2b")
    found = find_file(id_index(document), "msg_c02-1-file0")
    assert found
    assert found.name == "map.png"
    assert find_file(id_index({**document, "children": []}), "msg_c02-1-file0") is None


def test_children_that_lead_to_each_other_or_to_the_session_itself_are_flat() -> None:
    document = constructed.document("v2b")
    child = document["children"][0]
    document["children"] += [child, {"session": document["info"], "messages": document["messages"]}]
    conversation = read(document)
    assert list(conversation.children) == [child["session"]["id"]]
    assert [each.id for each in conversation.walk()] == [conversation.id, child["session"]["id"]]


def test_a_broken_child_is_left_out_and_the_others_stay() -> None:
    document = constructed.document("v2b")
    good = document["children"][0]
    broken: list[Any] = [
        None,
        5,
        {},
        {"session": None, "messages": []},
        {"session": {"id": "x"}, "messages": 5},
    ]
    document["children"] = [*broken, {"session": {}, "messages": []}, good]
    assert list(read(document).children) == [good["session"]["id"]]
    for children in (None, 5, "x", {"a": 1}):
        assert read({**document, "children": children}).children == {}


def ids(document: object) -> list[str]:
    conversation = read(document)
    steps = [step for each in conversation.walk() for step in each.steps]
    return [step.id for step in steps] + [block.id for step in steps for block in step.blocks]


def test_messages_with_the_same_id_become_two() -> None:
    document = constructed.document("v2b")
    document["messages"] += [document["messages"][0], document["messages"][0], {"type": "user"}, None]
    document["children"][0]["messages"] += [document["messages"][0], None]
    found = ids(document)
    assert len(found) == len(set(found))
    assert "msg_b01.again2" in found
    assert "msg_b01.again4" in found


def test_parts_with_the_same_id_become_two_that_can_both_be_found() -> None:
    document = recorded.document("single-message")
    texts = ["one", "two", "three"]
    document["messages"][1]["parts"] = [{"id": "prt_1", "type": "text", "text": text} for text in texts]
    conversation = read(document)
    blocks = conversation.steps[1].blocks
    assert len({block.id for block in blocks}) == 3
    assert [block.text for block in blocks if isinstance(block, Text)] == texts
    assert [block_of(document, block.id) for block in blocks] == blocks


def test_many_messages_with_the_same_id_are_read_quickly() -> None:
    messages = [{"id": "msg_1", "type": "user", "text": "x"}] * 20_000
    assert len({step.id for step in read(constructed.with_messages(*messages)).steps}) == 20_000


def test_a_step_tells_how_long_its_message_took_and_what_it_cost() -> None:
    for message in recorded.document("rate-limit-feature")["messages"]:
        document = {**recorded.document("rate-limit-feature"), "messages": [message]}
        last = read(document).steps[-1]
        time = message["info"]["time"]
        expected = time["completed"] - time["created"] if "completed" in time else None
        assert last.milliseconds == expected
        assert last.cost == message["info"].get("cost", 0)
        assert last.finish == message["info"].get("finish", "")


def test_every_id_that_is_made_up_is_found() -> None:
    document = recorded.document("single-message")

    def call(*files: dict[str, str], **fields: str) -> dict[str, Any]:
        attachments = [{"type": "file", "mime": "text/plain", **file} for file in files]
        state = {"status": "completed", "input": {}, "attachments": attachments}
        return {"type": "tool", "tool": "read", "state": state, **fields}

    document["messages"][1]["parts"] = [
        call({"url": "data:,1"}, {"url": "data:,2"}, id="prt_1"),
        call({"url": "data:,3", "id": "prt_file"}, {"url": "data:,4", "id": "prt_file"}, id="prt_1"),
        call({"url": "data:,5"}, id="not / safe"),
        call({"url": "data:,6", "id": "prt_file"}),
        {"type": "file", "url": "data:,7", "id": "prt_7-file0"},
        {"type": "file", "url": "data:,8"},
        {"type": "hologram"},
        None,
    ]
    document["messages"] += [document["messages"][1], None]
    conversation = read(document)
    blocks = [block for step in conversation.steps for block in step.blocks]
    own = ("prt_1", "prt_7-file0")  # a second message with the same parts has these again
    files = [
        file
        for block in blocks
        for file in (block.files if isinstance(block, Tool) else [block])
        if isinstance(file, File) and not file.id.startswith(own)
    ]
    assert [block_of(document, block.id) for block in blocks if block.id not in own] == [
        block for block in blocks if block.id not in own
    ]
    assert [find_file(id_index(document), file.id) for file in files] == files
    assert [file.url[-1] for file in files] == list("34568") * 2
    for id, url in (("prt_1-file0", "data:,1"), ("prt_1-file1", "data:,2"), ("prt_7-file0", "data:,7")):
        found = find_file(id_index(document), id)
        assert found
        assert found.url == url
