"""A server whose public address has a path: every link leads below it, however the proxy passes it on."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from tests.client import share
from tests.conftest import running_app
from tests.recorded import document_bytes

PREFIX = "/team/sessions"
PAGE = f"{PREFIX}/share/GhIjKlMn"


@pytest.fixture
def app(settings: dict[str, str]) -> Iterator[Flask]:
    with running_app({**settings, "BASE_URL": f"https://example.com{PREFIX}"}) as app:
        yield app


def links(page: str, at: str) -> set[str]:
    """The paths of this server that a page leads to."""
    tree = html.fromstring(page)
    found = tree.xpath("//@href | //@src | //@data-share | //meta[@property='og:image']/@content")
    places = [urlsplit(urljoin(f"https://example.com{at}", link)) for link in found]
    return {f"{place.path}?{place.query}" for place in places if place.hostname == "example.com"}


def test_every_link_of_a_page_leads_below_it_and_somewhere(client: FlaskClient) -> None:
    answer = share(client, document_bytes("rate-limit-feature"))
    assert answer["url"] == f"https://example.com{PAGE}"
    followed = links(client.get(PAGE).text, PAGE)
    followed |= links(client.get(PREFIX + "/").text, PREFIX + "/")
    assert len(followed) > 15
    for link in followed:
        assert link.startswith(f"{PREFIX}/"), link
        with client.get(link) as found:
            assert found.status_code == 200, link


def test_a_proxy_may_take_the_path_off(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    whole = client.get(PAGE).text
    assert client.get("/share/GhIjKlMn").text == whole
    assert client.get("/healthz").status_code == 200


def test_a_stranger_cannot_say_where_links_lead(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    page = client.get(
        PAGE,
        headers={"X-Forwarded-Prefix": "/evil", "X-Script-Name": "/evil"},
        environ_base={"SCRIPT_NAME": "/evil"},
    )
    assert page.status_code == 200
    assert "/evil" not in page.text
