"""A value of a wrong type costs what it would have said, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.opencode import read_conversation
from app.opencode.model import Failure, Tokens
from app.render.filters import tokens
from tests.support import constructed, field, recorded
from tests.support.client import share
from tests.support.recorded import with_parts

WRONG: list[Any] = [[], {}, "x", 5, True, None]
SESSION_FIELDS = [
    "id",
    "title",
    "parentID",
    "directory",
    "location",
    "version",
    "time",
    "agent",
    "model",
    "cost",
    "tokens",
    "revert",
    "share",
    "summary",
    "slug",
]
MESSAGE_FIELDS = [
    "time",
    "agent",
    "mode",
    "providerID",
    "modelID",
    "model",
    "error",
    "summary",
    "finish",
    "cost",
    "tokens",
    "parentID",
    "path",
]


def text_of(root: lxml.html.HtmlElement, path: str) -> str:
    return " ".join(root.xpath(f"string({path})").split())


def test_a_cost_that_is_no_number_degrades_only_the_cost(client: FlaskClient) -> None:
    share(client, field.document_bytes("session-field-422"))
    page = client.get("/share/GhIjKlMn")
    assert page.status_code == 200
    root = lxml.html.fromstring(page.text)
    assert text_of(root, "//h1") == "Cost as a string"
    assert "10 tokens in, 5 out $0.00" in text_of(root, "//ul[@class='facts']")


@pytest.mark.parametrize("wrong", WRONG, ids=str)
@pytest.mark.parametrize("name", SESSION_FIELDS)
def test_no_field_of_a_sessions_head_spoils_the_others(name: str, wrong: object) -> None:
    session = recorded.document("single-message")
    session["session"][name] = wrong
    conversation = read_conversation(json.dumps(session).encode())
    assert [len(step.blocks) for step in conversation.steps] == [1, 1]
    if name != "title":
        assert conversation.title == "A short greeting" or conversation.title == session["session"]["title"]
    if name != "directory":
        assert conversation.directory == session["session"]["directory"]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
@pytest.mark.parametrize("name", MESSAGE_FIELDS)
def test_no_field_of_a_messages_head_spoils_the_others(name: str, wrong: object) -> None:
    session = recorded.document("single-message")
    session["messages"][1]["info"][name] = wrong
    answer = read_conversation(json.dumps(session).encode()).steps[1]
    assert (answer.role, len(answer.blocks)) == ("assistant", 1)
    if name != "tokens":
        assert answer.tokens.output == session["messages"][1]["info"]["tokens"]["output"]


def test_no_count_of_tokens_and_no_time_spoils_the_others() -> None:
    session = recorded.document("single-message")
    info = session["messages"][1]["info"]
    info["tokens"] = {"input": "many", "output": 7, "cache": {"read": [], "write": 3}}
    info["time"] = {"created": 5, "completed": "noon"}
    answer = read_conversation(json.dumps(session).encode()).steps[1]
    assert (answer.tokens, answer.at) == (Tokens(output=7, cache_write=3), 5)


def test_what_a_model_read_from_the_cache_is_input(client: FlaskClient) -> None:
    share(client, field.document_bytes("tokens-without-cache"))
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    assert "2.1 M tokens in, 76 % cached, 71,366 out" in text_of(root, "//ul[@class='facts']")
    assert text_of(root, "//article/p[contains(@class, 'totals')]") == "1.5 s 10 tokens in, 5 out"


def test_the_tokens_of_a_turn_are_told_where_it_ends(client: FlaskClient) -> None:
    """Also of one that is on several pages."""
    session = recorded.document("single-message")
    prompt, answer = session["messages"]
    answer["info"]["tokens"] = {"input": 1, "output": 2, "reasoning": 0, "cache": {"read": 9, "write": 0}}
    session["messages"] = [prompt] + [
        {**answer, "info": {**answer["info"], "id": f"msg_{number}"}} for number in range(200)
    ]
    share(client, json.dumps(session).encode())
    first, second = (lxml.html.fromstring(client.get(f"/share/GhIjKlMn?page={page}").text) for page in (1, 2))
    assert first.xpath("//p[contains(@class, 'totals')]") == []
    assert "2,000 tokens in, 90 % cached, 400 out" in text_of(second, "//p[contains(@class, 'totals')]")


@pytest.mark.parametrize(
    ("amounts", "text"),
    [
        (Tokens(), "0 tokens in, 0 out"),
        (Tokens(input=1200, output=5), "1,200 tokens in, 5 out"),
        (
            Tokens(input=40_000, output=1_000_000, cache_read=1_160_000),
            "1.2 M tokens in, 97 % cached, 1.0 M out",
        ),
        (Tokens(input=10, cache_write=90), "100 tokens in, 0 out"),
    ],
)
def test_tokens_are_told_as_a_reader_counts_them(amounts: Tokens, text: str) -> None:
    assert tokens(amounts) == text


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Failure("MessageAbortedError", "Aborted", aborted=True), ("Aborted", "")),
        (Failure("MessageOutputLengthError", "MessageOutputLengthError"), ("MessageOutputLengthError", "")),
        (Failure("APIError", "Overloaded"), ("APIError", "Overloaded")),
        (Failure("aborted", "Stopped by the user", aborted=True), ("Aborted", "Stopped by the user")),
    ],
)
def test_an_error_is_said_once(failure: Failure, said: tuple[str, str]) -> None:
    assert (failure.label, failure.detail) == said


def test_an_error_that_is_also_the_output_of_its_call_is_said_once(client: FlaskClient) -> None:
    error = {"type": "unknown", "message": "No such file: x"}
    content = [{"type": "text", "text": "No such file: x"}]
    call = constructed.tool(status="error", error=error, content=content, input={"command": "cat x"})
    share(client, json.dumps(constructed.with_messages(constructed.answer(call))).encode())
    assert client.get("/share/GhIjKlMn").text.count("No such file") == 1


GONE = {"type": "provider", "message": "The provider is gone"}
FULL = {"type": "context", "message": "No room left"}


@pytest.mark.parametrize(
    ("answer", "end", "said"),
    [
        (
            {"error": GONE},
            {"type": "idle", "outcome": "failed", "error": GONE},
            ["provider The provider is gone"],
        ),
        ({"error": GONE}, {"type": "idle", "outcome": "failed"}, ["provider The provider is gone"]),
        (
            {"error": {"type": "aborted", "message": "Aborted"}},
            {"type": "idle", "outcome": "interrupted"},
            ["Aborted"],
        ),
        (
            {"error": GONE},
            {"type": "idle", "outcome": "failed", "error": FULL},
            ["provider The provider is gone", "context No room left"],
        ),
        (
            {"error": GONE},
            {"type": "idle", "outcome": "interrupted"},
            ["provider The provider is gone", "Aborted"],
        ),
        ({}, {"type": "idle", "outcome": "failed", "error": GONE}, ["provider The provider is gone"]),
        ({}, {"type": "idle", "outcome": "failed"}, ["Failed"]),
        ({}, {"type": "idle", "outcome": "succeeded"}, []),
        ({}, {"type": "compaction", "status": "failed", "error": FULL}, ["context No room left"]),
    ],
)
def test_an_answer_and_the_end_of_its_turn_say_an_error_once(
    client: FlaskClient, answer: dict[str, Any], end: dict[str, Any], said: list[str]
) -> None:
    messages = [
        {"type": "user", "id": "msg_0", "text": "Go on"},
        constructed.answer({"type": "text", "text": "Well"}, **answer),
        {"id": "msg_2", **end},
        {"id": "msg_3", "type": "idle", "outcome": "succeeded"},
        {"id": "msg_4", **end},
    ]
    share(client, json.dumps(constructed.with_messages(*messages)).encode())
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    failures = root.xpath("//p[contains(@class, 'failure')]")
    assert [" ".join(each.text_content().split()) for each in failures] == said
    markdown = client.get("/share/GhIjKlMn.md").text
    assert [markdown.count(error["message"]) for error in (GONE, FULL)] == [
        any(error["message"] in each for each in said) for error in (GONE, FULL)
    ]


def test_an_error_of_another_turn_is_said_again(client: FlaskClient) -> None:
    failed = {"type": "idle", "outcome": "failed", "error": GONE}
    turns = [
        {"type": "user", "id": "msg_0", "text": "Go on"},
        {"id": "msg_1", **failed},
        {"type": "user", "id": "msg_2", "text": "Again"},
        {"id": "msg_3", **failed},
    ]
    share(client, json.dumps(constructed.with_messages(*turns)).encode())
    assert client.get("/share/GhIjKlMn").text.count(GONE["message"]) == 2


def test_an_aborted_answer_says_so_once(client: FlaskClient) -> None:
    session = json.loads(with_parts({"type": "text", "text": "x"}))
    session["messages"][1]["info"]["error"] = {"name": "MessageAbortedError", "data": {"message": "Aborted"}}
    share(client, json.dumps(session).encode())
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    assert text_of(root, "//p[contains(@class, 'failure')]") == "Aborted"
