"""A session as Markdown: its levels of detail, its pages, and how clients find them."""

from __future__ import annotations

import json
import re

import pytest
from flask.testing import FlaskClient

from tests.support.client import share
from tests.support.recorded import document_bytes, with_children

URL = "https://share.example.com/share/GhIjKlMn.md"


def share_long_session(client: FlaskClient) -> None:
    session = json.loads(document_bytes("single-message"))
    prompt = session["messages"][0]
    session["messages"] = [
        {
            "info": {**prompt["info"], "id": f"msg_{number}"},
            "parts": [{"type": "text", "text": f"<{number}>"}],
        }
        for number in range(400)
    ]
    share(client, json.dumps(session).encode())


def links(header: str) -> dict[str, str]:
    return {relation: url for url, relation in re.findall(r'<([^>]*)>; rel="(\w+)"', header)}


@pytest.mark.parametrize("address", [".md", ""])
def test_the_level_of_detail_is_chosen_as_on_the_page(client: FlaskClient, address: str) -> None:
    share(client, document_bytes("rate-limit-feature"))
    headers = {"Accept": "text/markdown"}

    def written(view: str) -> str:
        return client.get(f"/share/GhIjKlMn{address}{view}", headers=headers).text

    assert written("?view=everything") == written("")
    assert "*Highlights" in written("?view=highlights")
    assert "**edit**" in written("")
    assert "**edit**" not in written("?view=conversation")
    assert client.get(f"/share/GhIjKlMn{address}?view=all", headers=headers).status_code == 404


def test_a_reader_goes_from_page_to_page(client: FlaskClient) -> None:
    share_long_session(client)
    url, seen = f"{URL}?page=1&view=conversation", []
    while url:
        page = client.get(url)
        assert page.mimetype == "text/markdown"
        seen += re.findall(r"^> <(\d+)>$", page.text, re.MULTILINE)
        found = links(",".join(page.headers.getlist("Link")))
        assert page.text.partition("Next page: ")[2] == (f"<{found['next']}>\n" if "next" in found else "")
        url = found.get("next", "")
    assert seen == [str(number) for number in range(400)]
    assert found == {"prev": f"{URL}?page=2&view=conversation"}


@pytest.mark.parametrize("page", ["0", "4", "-1"])
def test_a_page_that_does_not_exist_is_not_found(client: FlaskClient, page: str) -> None:
    share_long_session(client)
    assert client.get(f"{URL}?page={page}").status_code == 404


def test_headers_name_the_markdown_and_the_json_of_a_page(client: FlaskClient) -> None:
    share(client, with_children("subagents"))
    named = [
        '</share/GhIjKlMn.md>; rel="alternate"; type="text/markdown"',
        '</share/GhIjKlMn.json>; rel="alternate"; type="application/json"',
    ]
    message = json.loads(document_bytes("subagents"))["messages"][0]["info"]["id"]
    # The second answer comes from memory.
    for address in ("", "", "?view=everything", f"/m/{message}"):
        assert client.get(f"/share/GhIjKlMn{address}").headers.getlist("Link") == named, address
    child = json.loads(document_bytes("subagents.child1"))["session"]["id"]
    assert "Link" not in client.get(f"/share/GhIjKlMn/s/{child}").headers
