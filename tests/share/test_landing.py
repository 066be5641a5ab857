"""The page at `/` tells how to point OpenCode at this very server."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from lxml import html

from app.services.plugin_package import plugin_package
from tests.conftest import running_app
from tests.support.client import share
from tests.support.paths import ROOT
from tests.support.recorded import document_bytes


def snippet(page: str, label: str = "Lines for opencode.json") -> dict[str, object]:
    """The lines for opencode.json as OpenCode would read them."""
    tree = html.fromstring(page)
    (code,) = tree.xpath(f"//pre[@aria-label='{label}']")
    lines: dict[str, object] = json.loads(code.text_content())
    return lines


def test_the_configuration_has_this_servers_address_and_fails_closed(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    address = "https://share.example.com"
    assert snippet(page.text) == {
        "plugin": [f"opencode-own-share@{address}/plugin/{plugin_package(address).release}.tgz"],
        "enterprise": {"url": "http://127.0.0.1:9"},
    }


def test_the_way_without_a_plugin_is_one_line_as_the_readme_has_it(client: FlaskClient) -> None:
    line = snippet(client.get("/").text, "Line for opencode.json without a plugin")
    assert line == {"enterprise": {"url": "https://share.example.com"}}
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert json.loads(blocks[0]) == {"enterprise": {"url": "http://127.0.0.1:8000"}}


def test_a_server_for_a_team_says_where_the_token_goes(settings: dict[str, str]) -> None:
    with running_app({**settings, "SHARE_CREATE_TOKEN": "alice:alices-token-for-tests"}) as app:
        page = app.test_client().get("/").text
    assert "Sharing here needs a token." in page
    assert snippet(page, "Line for opencode.json without a plugin") == {
        "enterprise": {"url": "https://share.example.com/t/YOUR-TOKEN"}
    }
    assert "alices-token" not in page


@pytest.mark.parametrize(
    ("redacts", "words"), [("true", "Removed by this server"), ("false", "Stored as they are")]
)
def test_it_says_what_becomes_of_secrets(settings: dict[str, str], redacts: str, words: str) -> None:
    with running_app({**settings, "SHARE_REDACT": redacts}) as app:
        assert words in app.test_client().get("/").text


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8000", "http://[::1]:8000", "https://a.example/it's&lt;"]
)
def test_any_address_stands_in_it_as_it_is(settings: dict[str, str], address: str) -> None:
    with running_app({**settings, "BASE_URL": address}) as app:
        page = app.test_client().get("/").text
    assert snippet(page)["plugin"] == [
        f"opencode-own-share@{address}/plugin/{plugin_package(address).release}.tgz"
    ]


def test_the_address_does_not_come_from_the_request(client: FlaskClient) -> None:
    assert "evil.example" not in client.get("/", headers={"Host": "evil.example"}).text


def test_the_plugins_own_readme_says_the_same(client: FlaskClient) -> None:
    readme = (ROOT / "plugin/README.md").read_text()
    block = re.search(r"```json\n(.*?)```", readme, re.DOTALL)
    assert block
    # The readme is part of the package, so it cannot name the contents.
    page = re.sub(r"/plugin/[\w.-]+\.tgz", "/plugin.tgz", client.get("/").text)
    assert json.loads(block[1]) == snippet(page)


def test_it_explains_both_commands_and_warns(client: FlaskClient) -> None:
    words = " ".join(unescape(html.fromstring(client.get("/").text).text_content()).split())
    for sentence in (
        "There are two ways, with the same commands, links and pages.",
        "Through this server",
        "Type /share in a session.",
        "Makes the link stop working at once and deletes the session from this server.",
        "Keep the enterprise line.",
        "Anyone with the link can read the whole session.",
    ):
        assert sentence in words


def test_its_headings_are_in_order_and_nothing_is_inline(client: FlaskClient) -> None:
    tree = html.fromstring(client.get("/").text)
    assert [heading.tag for heading in tree.xpath("//h1 | //h2 | //h3")] == ["h1", "h2", "h3", "h3", "h2"]
    assert len(tree.xpath("//main")) == 1
    assert not tree.xpath("//main//script | //style | //@style")
    for label in tree.xpath("//@aria-labelledby"):
        assert tree.get_element_by_id(label) is not None


def test_it_is_asked_for_again_and_its_stylesheet_is_there(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.headers["Cache-Control"] == "no-cache"
    (sheet,) = re.findall(r'href="([^"]*landing\.css[^"]*)"', page.text)
    with client.get(unescape(sheet)) as response:
        assert response.status_code == 200


def test_models_are_told_how_to_read_a_share(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    text = client.get("/llms.txt")
    assert text.mimetype == "text/plain"
    addresses = re.findall(r"https://share\.example\.com(/\S*<id>\S*?):", text.text)
    assert len(addresses) == 7
    for address in addresses:
        assert client.get(address.replace("<id>", "GhIjKlMn")).status_code == 200


def test_a_page_names_its_markdown_and_its_json(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    links = html.fromstring(client.get("/share/GhIjKlMn").text).xpath("//link[@rel='alternate']")
    assert {link.get("type"): client.get(link.get("href")).mimetype for link in links} == {
        "text/markdown": "text/markdown",
        "application/json": "application/json",
    }
