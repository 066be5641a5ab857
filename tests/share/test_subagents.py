"""What was published can be reached: sub-agents of any tool, of other sub-agents, and of no call."""

from __future__ import annotations

import json
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from tests.support import field
from tests.support.client import share
from tests.support.constructed import index

CASE = "plugin-subagent-unreachable"
CHILD = "ses_kid00000000000000000000000"


def page(client: FlaskClient, address: str = "/share/GhIjKlMn") -> lxml.html.HtmlElement:
    response = client.get(address)
    assert response.status_code == 200
    return lxml.html.fromstring(response.text)


def call_of(document: dict[str, Any]) -> dict[str, Any]:
    call: dict[str, Any] = document["messages"][1]["parts"][1]
    return call


def family(*calls: tuple[str, str]) -> dict[str, Any]:
    """A session with the children a and b; each pair is a call of a session, and the child that it names."""
    document = field.document(CASE)
    call, child = call_of(document), document["children"][0]
    sessions = {"root": document}
    document["messages"][1]["parts"] = document["messages"][1]["parts"][:1]
    document["children"] = []
    for name in ("a", "b"):
        copy = json.loads(json.dumps(child).replace(CHILD, f"ses_kid{name}"))
        document["children"].append(copy)
        sessions[name] = copy
    for number, (caller, called) in enumerate(calls):
        state = {**call["state"], "output": "", "metadata": {"sessionId": f"ses_kid{called}"}}
        made = {**call, "id": f"prt_call{number}", "tool": "some_plugin", "state": state}
        sessions[caller]["messages"][1]["parts"].append(made)
    return document


def uncalled(*calls: tuple[str, str]) -> list[str]:
    return list(index(family(*calls)).session.uncalled)


def test_a_sub_agent_of_a_plugins_tool_is_folded_into_its_call(client: FlaskClient) -> None:
    share(client, field.document_bytes(CASE))
    root = page(client)
    [call] = root.xpath("//details[contains(@class, 'tool')][.//div[@class='child']]")
    assert "CHILDANSWER finished" in call.text_content()
    assert call.xpath(f".//a[@href='/share/GhIjKlMn/s/{CHILD}']")
    assert root.xpath("//section[@class='uncalled']") == []


@pytest.mark.parametrize("name", ["sessionId", "sessionID", "session_id"])
@pytest.mark.parametrize("tool", ["call_omo_agent", "background_task", "my_own_delegate", "read"])
def test_any_tool_may_name_its_session(client: FlaskClient, tool: str, name: str) -> None:
    document = field.document(CASE)
    call = call_of(document)
    call["tool"], call["state"]["metadata"], call["state"]["output"] = tool, {name: CHILD}, ""
    share(client, json.dumps(document).encode())
    assert "CHILDANSWER finished" in page(client).text_content()


def test_a_session_that_is_only_in_the_output_is_found_too(client: FlaskClient) -> None:
    document = field.document(CASE)
    call_of(document)["state"]["metadata"] = {}
    share(client, json.dumps(document).encode())
    assert "CHILDANSWER finished" in page(client).text_content()


def test_a_tool_that_names_another_session_says_nothing_about_sub_agents(client: FlaskClient) -> None:
    document = field.document(CASE)
    call = call_of(document)
    call["tool"], call["state"]["metadata"] = "session_read", {"sessionId": "ses_elsewhere"}
    call["state"]["input"], call["state"]["output"] = {"session_id": "ses_elsewhere"}, ""
    share(client, json.dumps(document).encode())
    assert "not part of this share" not in page(client).text_content()


def test_sessions_that_no_call_names_are_listed_at_the_end(client: FlaskClient) -> None:
    document = family()
    share(client, json.dumps(document).encode())
    links = page(client).xpath("//main/div/*[last()][self::section]//a")
    assert [link.text for link in links] == ["Do X (child)", "Do X (child)"]
    for link in links:
        assert "CHILDANSWER finished" in page(client, link.get("href")).text_content()


def test_only_sessions_that_nothing_leads_to_are_listed() -> None:
    assert uncalled(("root", "a")) == ["ses_kidb"]
    assert uncalled(("root", "a"), ("a", "b")) == []
    assert uncalled(("a", "b")) == ["ses_kida"]
    assert uncalled(("a", "b"), ("b", "a")) == ["ses_kida"]
    assert uncalled(("a", "a"), ("b", "a")) == ["ses_kida", "ses_kidb"]


def test_a_sub_agent_of_a_sub_agent_is_reached_from_its_page(client: FlaskClient) -> None:
    share(client, json.dumps(family(("root", "a"), ("a", "b"))).encode())
    assert page(client, "/share/GhIjKlMn/s/ses_kida").xpath("//a[@href='/share/GhIjKlMn/s/ses_kidb']")
