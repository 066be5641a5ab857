"""V1 messages and parts whose details are odd: what they say is shown all the same."""

from __future__ import annotations

from typing import Any

import pytest

from app.opencode import read_conversation
from app.opencode.model import Block, Text, Tool, Unknown
from tests.support import recorded
from tests.support.constructed import read


def tool_part(**state: object) -> Block:
    part = {
        "type": "tool",
        "id": "prt_1",
        "tool": "x",
        "state": {"status": "completed", "output": "seen", **state},
    }
    [block] = read_conversation(recorded.with_parts(part)).steps[1].blocks
    return block


def test_an_input_may_hold_many_addresses() -> None:
    block = tool_part(input={"pages": [{"url": f"https://example.com/{number}"} for number in range(500)]})
    assert isinstance(block, Tool)
    assert block.output == "seen"


def test_the_files_of_a_call_are_limited() -> None:
    file = {"type": "file", "url": "data:,x", "mime": "text/plain", "id": "prt_f", "filename": "x"}
    block = tool_part(attachments=[file] * 200)
    assert isinstance(block, Tool)
    assert len(block.files) == 200
    for count in (201, 5_000):
        assert isinstance(tool_part(attachments=[file] * count), Unknown)
    assert isinstance(tool_part(attachments=None), Tool)
    assert isinstance(tool_part(attachments=[]), Tool)


@pytest.mark.parametrize(
    "fields",
    [
        {"time": None},
        {"time": {"created": "now"}},
        {"tokens": None},
        {"tokens": {"input": "many"}},
        {"tokens": {"cache": None}},
        {"cost": None},
        {"model": 5},
        {"modelID": None},
        {"error": 5},
        {"error": {"name": "MessageOutputLengthError", "data": {}}},
        {"summary": {"diffs": 5}},
        {"finish": None},
        {"agent": None, "mode": None},
    ],
    ids=str,
)
def test_odd_details_do_not_hide_what_a_message_says(fields: dict[str, Any]) -> None:
    document = recorded.document("single-message")
    for message in document["messages"]:
        message["info"] |= fields
    said = [block.text for step in read(document).steps for block in step.blocks if isinstance(block, Text)]
    parts = [part for message in document["messages"] for part in message["parts"]]
    assert said == [part["text"] for part in parts if part["type"] == "text"]


def test_an_error_without_a_message_is_told_by_its_name() -> None:
    document = recorded.document("single-message")
    document["messages"][1]["info"]["error"] = {"name": "MessageOutputLengthError", "data": {}}
    failure = read(document).steps[1].failure
    assert failure
    assert (failure.name, failure.text) == ("MessageOutputLengthError", "MessageOutputLengthError")


SECRETS = {"responseHeaders": {"set-cookie": "SECRET"}, "responseBody": "SECRET", "metadata": {"a": "SECRET"}}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "retry", "id": "prt_1", "attempt": "x", "error": {"name": "APIError", "data": SECRETS}},
        {"type": "hologram", "id": "prt_1", "error": [{"data": SECRETS}], "metadata": "shown"},
        {"type": ["x"], "id": "prt_1", "error": {**SECRETS, "data": {"message": "x"}}},
        {"type": "reasoning", "id": "prt_1", "text": 5, "metadata": {"openai": "SECRET"}},
        {"type": "tool", "id": "prt_1", "state": {"metadata": "shown"}, "metadata": {"openai": "SECRET"}},
    ],
    ids=lambda part: str(part["type"]),
)
def test_what_is_the_providers_is_not_shown_with_a_broken_part(part: dict[str, Any]) -> None:
    [block] = read_conversation(recorded.with_parts(part)).steps[1].blocks
    assert isinstance(block, Unknown)
    assert b"SECRET" not in bytes(block.json)
    assert (b"shown" in bytes(block.json)) == ("shown" in str(part))


def test_what_is_the_providers_is_not_shown_with_a_broken_message() -> None:
    document = recorded.document("single-message")
    document["messages"].append({"info": {"id": 5, "error": {"name": "APIError", "data": SECRETS}}})
    [block] = read(document).steps[-1].blocks
    assert isinstance(block, Unknown)
    assert b"APIError" in bytes(block.json)
    assert b"SECRET" not in bytes(block.json)
