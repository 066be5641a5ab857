"""`/data` has what `opencode import` demands, and nothing that was there is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.opencode import sync_items
from tests.support import constructed, field, recorded
from tests.support.client import share


def items(document: dict[str, Any], *, for_older: bool = False) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {"session": [], "message": [], "part": []}
    chunks = sync_items(json.dumps(document).encode(), for_older_importer=for_older)
    for item in json.loads(b"".join(chunks)):
        found[item["type"]].append(item["data"])
    return found


@pytest.mark.parametrize("name", ["rate-limit-feature", "errors-and-abort", "attachments", "reverted"])
def test_a_complete_session_stays_as_it_is(name: str) -> None:
    document = recorded.document(name)
    found = items(document)
    assert found["message"] == [message["info"] for message in document["messages"]]
    assert found["part"] == [part for message in document["messages"] for part in message["parts"]]
    assert found["session"] == [{k: v for k, v in document["session"].items() if k != "share"}]


def test_a_session_of_an_older_version_gets_what_became_mandatory() -> None:
    document = field.document("import-fails-without-slug")
    prompt, answer = document["messages"]
    del prompt["info"]["agent"], prompt["info"]["model"]
    answer["info"] |= {"mode": "plan", "providerID": "p", "modelID": "m"}
    del answer["info"]["agent"]
    found = items(document)
    assert found["session"][0]["slug"]
    assert found["message"][0]["agent"] == "plan"
    assert found["message"][0]["model"] == {"providerID": "p", "modelID": "m"}


def test_ids_that_are_refused_are_replaced_wherever_they_occur_and_keep_the_order() -> None:
    document = field.document("import-fails-plugin-part-id")
    prompt, answer = document["messages"]
    prompt["info"]["id"] = answer["info"]["parentID"] = "my-own-id"
    document["session"]["revert"] = {"messageID": "my-own-id"}
    found = items(document)
    id = found["message"][0]["id"]
    assert id.startswith("msg_")
    assert found["message"][1]["parentID"] == id
    assert found["session"][0]["revert"]["messageID"] == id
    parts = [part for part in found["part"] if part["messageID"] == id]
    assert [part["text"] for part in sorted(parts, key=lambda part: part["id"])] == [
        "hi",
        "context from a plugin",
    ]
    assert all(part["id"].startswith("prt_") for part in found["part"])


@pytest.mark.parametrize("wrong", [None, "x", 5, []], ids=str)
@pytest.mark.parametrize("name", ["summary", "tokens", "cost", "path", "time", "model", "agent", "mode"])
def test_a_field_of_a_wrong_type_is_replaced(name: str, wrong: object) -> None:
    document = field.document("import-fails-without-slug")
    for message in document["messages"]:
        message["info"][name] = wrong
    document["session"][name] = wrong
    found = items(document)
    assert len(found["message"]) == 2
    assert isinstance(found["message"][1]["tokens"]["cache"]["read"], int)


def test_what_cannot_be_imported_is_not_offered(client: FlaskClient) -> None:
    share(client, field.document_bytes("import-fails-without-slug"), "older1")
    share(client, json.dumps(constructed.document("v2b")).encode(), "second")
    share(client, recorded.document_bytes("empty"), "empty1")
    offers = [
        f"opencode import https://share.example.com/share/{id}" in client.get(f"/share/{id}").text
        for id in ("older1", "second", "empty1")
    ]
    assert offers == [True, False, False]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            {"name": "QuotaError", "message": "None left"},
            ("UnknownError", {"message": "QuotaError: None left"}),
        ),
        ({"name": "QuotaError", "data": {"message": 5}}, ("UnknownError", {"message": "QuotaError"})),
        ({"name": "QuotaError" * 4000}, ("UnknownError", {"message": "QuotaError" * 4000})),
        ({}, ("UnknownError", {"message": "unknown"})),
        ({"name": "APIError"}, ("APIError", {"message": "", "isRetryable": False})),
        (
            {"name": "APIError", "data": {"message": "x" * 20_000, "isRetryable": "no", "statusCode": 500}},
            ("APIError", {"message": "x" * 20_000, "isRetryable": False, "statusCode": 500}),
        ),
        (
            {"name": "ProviderAuthError", "data": {"message": "x"}},
            ("ProviderAuthError", {"message": "x", "providerID": "unknown"}),
        ),
        ({"name": "MessageOutputLengthError"}, ("MessageOutputLengthError", {})),
    ],
)
def test_an_error_has_what_the_importer_demands_of_it(
    error: dict[str, Any], expected: tuple[str, dict[str, Any]]
) -> None:
    document = recorded.document("single-message")
    document["messages"][1]["info"]["error"] = error
    found = items(document)["message"][1]["error"]
    assert (found["name"], found["data"]) == expected


@pytest.mark.parametrize("error", [None, "Gone", [], "x" * 20_000])
def test_what_is_no_error_is_left_out(error: object) -> None:
    document = recorded.document("single-message")
    document["messages"][1]["info"]["error"] = error
    assert "error" not in items(document)["message"][1]


@pytest.mark.parametrize("count", [1, 900])
def test_an_older_importer_gets_diffs_with_contents(count: int) -> None:
    document = recorded.document("single-message")
    diff = {"file": "a.py", "patch": "+x\n" * 20, "additions": 1, "deletions": 0}
    for head in (document["session"], document["messages"][0]["info"]):
        head["summary"] = {"additions": 1, "deletions": 0, "files": 1, "diffs": [diff] * count}
    found = items(document, for_older=True)
    for head in (found["session"][0], found["message"][0]):
        assert head["summary"]["diffs"] == [{**diff, "before": "", "after": ""}] * count
    assert items(document)["message"][0]["summary"]["diffs"] == [diff] * count


def test_an_older_importer_gets_no_diffs_that_are_none_or_too_many() -> None:
    document = recorded.document("single-message")
    for diffs in ("x", [1], [{}] * 2_000):
        document["messages"][0]["info"]["summary"] = {"diffs": diffs}
        assert items(document, for_older=True)["message"][0]["summary"]["diffs"] == []


@pytest.mark.parametrize(
    ("user_agent", "is_older"),
    [
        ("opencode/1.2.27", True),
        ("opencode/1.15.3 (linux)", True),
        ("opencode/1.18.0", False),
        ("opencode/2.0.1", False),
        ("opencode/local", False),
        ("curl/1.2.3", False),
        ("", False),
    ],
)
def test_an_importer_names_its_version(client: FlaskClient, user_agent: str, is_older: bool) -> None:
    share(client, recorded.document_bytes("errors-and-abort"))
    answer = client.get("/api/share/GhIjKlMn/data", headers={"User-Agent": user_agent})
    assert "User-Agent" in answer.vary
    assert ("ContentFilterError: The response was" in answer.text) == is_older
