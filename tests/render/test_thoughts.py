"""Reasoning that a model wrote into its answer is folded; what is written about the tags stays."""

from __future__ import annotations

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.render.text.thoughts import MAX_THOUGHTS, passages
from tests.support import field
from tests.support.client import share


def told(text: str) -> list[str]:
    return [("thought: " if passage.is_thought else "") + passage.text for passage in passages(text)]


def test_a_reader_sees_the_answer_and_can_unfold_the_thought(client: FlaskClient) -> None:
    share(client, field.document_bytes("think-tags"))
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    answers = root.xpath("//section[contains(@class, 'assistant')]//div[@class='prose']")
    assert [answer.text_content().strip() for answer in answers] == ["A pool is a block of memory.", "Hi!"]
    thoughts = root.xpath("//details[contains(@class, 'reasoning')]/div")
    assert [thought.text_content().strip() for thought in thoughts] == [
        "The user asks about pools. I answer briefly.",
        "The user greets me.",
    ]
    assert "think&gt;" not in client.get("/share/GhIjKlMn").text


def test_the_transcript_leaves_them_out_like_all_reasoning(client: FlaskClient) -> None:
    share(client, field.document_bytes("think-tags"))
    text = client.get("/share/GhIjKlMn.md").text
    assert "A pool is a block of memory." in text
    assert "think>" not in text
    assert "greets" not in text


@pytest.mark.parametrize("name", ["think", "thinking", "reasoning", "THINK"])
def test_each_of_the_names_is_known(name: str) -> None:
    assert told(f"<{name}>a\n\nb</{name}>c") == ["thought: a\n\nb", "c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n <think>\na\n</think>\n\nb", ["thought: a", "b"]),
        ("a\n</think>\nb", ["thought: a", "b"]),
        ("a.</think>\n\nb", ["thought: a.", "b"]),
        ("a\n</think>b\n<think>c</think>\nd", ["thought: a", "b", "thought: c", "d"]),
        ("<think>never closed", ["thought: never closed"]),
        ("<think>\n```\ncode", ["thought: ```\ncode"]),
        ("a\n<think>b</think>\nc", ["a", "thought: b", "c"]),
        ("<think></think>\n\na", ["a"]),
        ("<think>about `</think>` tags</think>a", ["thought: about `</think>` tags", "a"]),
    ],
)
def test_a_thought_is_told_apart(text: str, expected: list[str]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The <think> tag opens it and </think> closes it.",
        "Some models end with </think>",
        "Write `<think>` and `</think>`.",
        "```\n<think>\na\n</think>\n```",
        "```xml\na</think>\n```\nb",
        "    <think>\n    a",
        "a\n<think>\nnever closed",
        "<thinker>a</thinker>",
        "a < b",
    ],
)
def test_what_is_written_about_the_tags_stays(text: str) -> None:
    assert told(text) == [text]


def test_a_great_many_tags_take_no_time() -> None:
    for hostile in (
        "<think>\n" * 8000,
        "```\n<think>\n" * 5000,
        "<think>a</think>\n" * 4000,
        "</think>" * 8000,
    ):
        assert len(passages(hostile)) <= 2 * MAX_THOUGHTS + 2
