"""Small documents that would become large in memory: each is refused, or read without growing much."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from msgspec import ValidationError

from app.opencode import UnreadableDocument, read_conversation
from app.opencode.limits import MAX_FIELDS, object_fields
from app.opencode.model import Block, Tool, Unknown
from app.render.text.block_texts import MAX_INDENTED_BYTES, MAX_INDENTED_LEVELS, texts
from tests.support import constructed, recorded
from tests.support.constructed import read

MANY = b"{}," * 60_000 + b"{}"
ATTACHED = [{"type": "user", "text": "x", "files": [{}] * 200}] * 1_000


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b'{"session": {}, "messages": [{"parts": 1}, %b]}' % MANY, "50,000 messages"),
        (b'{"session": {}, "messages": [{"content": {}}, %b]}' % MANY, "50,000 messages"),
        (b'{"session": {}, "messages": [5, %b]}' % MANY, "50,000 messages"),
        (b'{"session": {}, "messages": [[], %b]}' % MANY, "50,000 messages"),
        (b'{"session": {}, "messages": [%b]}' % (b"1," * 60_000 + b"1"), "50,000 messages"),
        (b'{"session": {}, "children": 5, "messages": [%b]}' % MANY, "50,000 messages"),
        (
            b'{"session": {}, "messages": [null], "children": [{"session": {"id": "x"}, "messages": [%b]}]}'
            % MANY,
            "50,000 messages",
        ),
        (
            b'{"session": {}, "messages": [null, %b]}'
            % b",".join([b'{"type": "assistant", "content": [%b]}' % MANY] * 4),
            "200,000 parts",
        ),
        (
            b'{"session": {}, "messages": [null, %b]}'
            % b",".join([b'{"info": {"id": "", "role": ""}, "parts": [%b, 1]}' % MANY] * 4),
            "200,000 parts",
        ),
        (json.dumps({"session": {}, "messages": ATTACHED}).encode(), "200,000 parts"),
        (b'[1, {"type": "session", "data": {"location": {}}}, {"type": "messages", "data":'
         b' {"sessionID": "", "messages": [null, %b]}}]' % MANY, "50,000 messages"),
    ],
    ids=[
        "a number for parts",
        "an object for content",
        "a number for a message",
        "a list for a message",
        "numbers for all messages",
        "a number for children",
        "the messages of a child",
        "the contents of several messages",
        "the parts of several messages",
        "the attachments of several messages",
        "a batch",
    ],
)  # fmt: skip
def test_something_of_a_wrong_type_does_not_lift_the_limits(document: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableDocument, match=sentence):
        read_conversation(document)


def test_no_more_fields_of_an_object_are_kept_than_the_limit_says() -> None:
    fields = b",".join(b'"field%d":{"padding":"%s"}' % (number, b"x" * 20) for number in range(MAX_FIELDS))
    assert len(object_fields(b"{%b}" % fields)) == MAX_FIELDS
    for one_more in (b'"one more":1', b'"field0":1'):
        with pytest.raises(ValidationError, match="more than 10,000 fields"):
            object_fields(b"{%b,%b}" % (fields, one_more))


def test_something_of_a_wrong_type_leaves_the_rest_of_a_document_readable() -> None:
    document = recorded.document("single-message")
    document["messages"] += [{"parts": 1}, 5, {"content": {}}]
    assert len(read(document).steps) == len(recorded.document("single-message")["messages"]) + 3


def deep(levels: int, width: int) -> Any:
    """Lists in lists, with `width` numbers in the innermost."""
    nested: Any = list(range(width))
    for _ in range(levels - 1):
        nested = [nested]
    return nested


def tool(input: object) -> Block:
    part = {
        "type": "tool",
        "id": "prt_1",
        "tool": "x",
        "state": {"status": "completed", "input": input},
    }
    [block] = read_conversation(recorded.with_parts(part)).steps[1].blocks
    assert isinstance(block, Tool)
    return block


@pytest.mark.parametrize(
    "input",
    [
        {"a": deep(300, 200_000)},
        {"a": deep(300, 10_000)},
        {"a": deep(30, 200_000)},
        {"a": ["]" * 1_000, deep(300, 10_000)]},
        {str(number): deep(30, 5_000) for number in range(40)},
        deep(300, 10_000),
    ],
    ids=["large and deep", "deep", "large", "with brackets in a text", "in many fields", "without fields"],
)
def test_indenting_does_not_multiply_what_is_large_or_deep(input: object) -> None:
    size = len(json.dumps(input))
    block = tool(input)
    tracemalloc.start()
    try:
        found = texts(block)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(len(text) for text in found.values()) <= size
    assert peak < 6 * size


def test_an_unknown_part_is_indented_only_where_that_is_little() -> None:
    for nested in (deep(5, 5), deep(300, 5_000)):
        part = json.dumps({"type": "hologram", "shape": nested})
        [block] = read_conversation(recorded.with_parts(json.loads(part))).steps[1].blocks
        assert isinstance(block, Unknown)
        assert json.loads(texts(block)["json"]) == json.loads(part)
        assert ("\n" in texts(block)["json"]) == (nested == deep(5, 5))


def test_ordinary_input_is_indented() -> None:
    shallow, code = {"a": [1, {"b": 2}]}, "if (x[0]) { y[1] = [" * MAX_INDENTED_LEVELS
    found = texts(tool({"one": shallow, "two": [code], "deep": deep(MAX_INDENTED_LEVELS, 1)}))
    assert found["input.one"] == json.dumps(shallow, indent=2)
    assert found["input.two"] == json.dumps([code], indent=2)
    assert found["input.deep"] == json.dumps(deep(MAX_INDENTED_LEVELS, 1), indent=2)
    large = texts(tool({"one": shallow, "text": "x" * MAX_INDENTED_BYTES}))
    assert json.loads(large["input.one"]) == shallow
    assert large["input.text"] == "x" * MAX_INDENTED_BYTES


def test_a_session_never_changed_before_it_began() -> None:
    document = constructed.document("v2b")
    document["info"]["time"] = {"created": 2_000, "updated": 1_000}
    assert read(document).updated_at == 2_000
    document["info"]["time"] = {"updated": 1_000}
    assert read(document).updated_at == 1_000
