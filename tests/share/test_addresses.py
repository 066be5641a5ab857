"""Links lead to the web, to people and within the page; the page's own ids are never those of a part."""

from __future__ import annotations

import json
import re
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from tests.support import recorded
from tests.support.client import share
from tests.support.paths import ROOT

TEXTS = [
    "ms-word:ofe|u|https://example.com/x.docx",
    "intent://x#Intent;end",
    "blob:https://example.com/1",
    "data:image/gif;base64,R0lGODlh",
    "data:text/html,x",
    "search-ms:query=x",
    "vscode://x",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "&#106;avascript:alert(1)",
    "tel:1",
    "ftp://example.com/x",
    "//example.com/x",
    "https:example.com",
    "https:///example.com",
    "https:\\\\example.com",
    "/share/another",
    "docs/x.md",
    "?page=2",
]
LINKS = ["https://example.com/a", "HTTP://example.com", "mailto:a@example.com", "#prt_1"]


def page(client: FlaskClient, *parts: dict[str, Any]) -> lxml.html.HtmlElement:
    share(client, recorded.with_parts(*parts))
    return lxml.html.fromstring(client.get("/share/GhIjKlMn").text)


def targets(root: lxml.html.HtmlElement) -> list[str]:
    """What the links in answers lead to, and what is loaded there."""
    return [
        str(target) for target in root.xpath("//*[contains(@class, 'block')]//@href | //article//img/@src")
    ]


@pytest.mark.parametrize("form", ["[a link](<{}>)", "![an image](<{}>)", "<{}>", "[a][b]\n\n[b]: <{}>"])
def test_an_address_in_a_text_is_a_link_only_with_a_scheme_that_is_listed(
    client: FlaskClient, form: str
) -> None:
    texts = [form.format(address) for address in TEXTS]
    root = page(client, *({"type": "text", "id": f"prt_{n}", "text": text} for n, text in enumerate(texts)))
    # What follows another scheme in the first and the third is an address of the web.
    assert set(targets(root)) <= {"https://example.com/x.docx", "https://example.com/1"}
    assert "vscode://x" in root.text_content()


@pytest.mark.parametrize("form", ["[a link](<{}>)", "![an image](<{}>)", "[a][b]\n\n[b]: <{}>"])
def test_the_web_people_and_the_page_itself_are_linked(client: FlaskClient, form: str) -> None:
    texts = [form.format(address) for address in LINKS]
    root = page(client, *({"type": "text", "id": f"prt_{n}", "text": text} for n, text in enumerate(texts)))
    assert [target.lower() for target in targets(root)] == [address.lower() for address in LINKS]


def test_an_attachment_and_what_tools_fetched_are_linked_by_the_same_rule(client: FlaskClient) -> None:
    files = [
        {"type": "file", "id": f"prt_{n}", "url": url, "mime": "text/plain", "filename": url}
        for n, url in enumerate([url for url in TEXTS if not url.startswith("data:")])
    ]
    calls = [
        {
            "type": "tool",
            "id": f"prt_call_{name}",
            "tool": name,
            "callID": name,
            "state": {
                "status": "completed",
                "input": {"url": "vscode://x", "query": "vscode://x", "format": "markdown"},
                "output": "[a link](vscode://x) <intent:x>",
            },
        }
        for name in ("webfetch", "websearch")
    ]
    root = page(client, *files, *calls)
    assert [target for target in targets(root) if not target.startswith("/share/GhIjKlMn")] == []
    assert "vscode://x" in root.text_content()


def ids_of_the_page() -> set[str]:
    """The ids that templates name elements with, apart from those of parts."""
    sources = [path.read_text() for path in (ROOT / "app" / "templates").rglob("*.html")]
    found = {id for source in sources for id in re.findall(r'\bid="([^"]*)"', source)}
    return {id.replace("{{ page.number }}", "1").replace("{{ turn.number }}", "1") for id in found} - {
        "{{ block.id }}",
        "{{ step.id }}",
    }


def test_no_part_has_an_id_of_the_page_itself(client: FlaskClient) -> None:
    own = sorted(ids_of_the_page())
    assert "ui-toast" in own
    before = ["toast", "steps", "page-1", "turn-1-1", "filter", "__proto__", "constructor"]
    parts = [{"type": "text", "id": id, "text": f"text-{n}-"} for n, id in enumerate([*own, *before])]
    document = json.loads(recorded.with_parts(*parts))
    document["messages"][0]["info"]["id"] = "ui-steps"
    share(client, json.dumps(document).encode())
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    ids = [str(id) for id in root.xpath("//@id")]
    assert len(ids) == len(set(ids))
    assert {*before} < {*ids}
    assert all(part["text"] in root.text_content() for part in parts)
    assert root.xpath("//*[@id='ui-steps']//article")
