"""A server whose public address has a path: every link leads below it, however the proxy passes it on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import urllib3
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from tests.client import SESSION_ID, share
from tests.conftest import running_app
from tests.recorded import document_bytes
from tests.servers.gunicorn import ROOT, gunicorn, gunicorn_on
from tests.servers.nginx import nginx

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


def test_nor_can_he_where_there_is_no_path(tmp_path: Path) -> None:
    with gunicorn(tmp_path, WEB_CONCURRENCY="1") as address:
        moved = {"SCRIPT_NAME": "/evil", "X-Forwarded-Prefix": "/evil"}
        page = urllib3.request("GET", f"{address}/evil/", headers=moved, retries=False)
        assert page.status == 404
        assert b"/evil/static" not in page.data


def test_behind_nginx_as_documented(tmp_path: Path) -> None:
    page = (ROOT / "docs/reverse-proxies.md").read_text()
    [snippet] = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)
    socket = tmp_path / "better-share.sock"
    with nginx(tmp_path, {"/run/better-share/better-share.sock": str(socket)}, snippet) as address:
        settings = {"BASE_URL": f"{address}/sessions", "TRUSTED_PROXIES": "1", "WEB_CONCURRENCY": "1"}
        reader = urllib3.PoolManager(ca_certs=str(tmp_path / "fullchain.pem"))
        with gunicorn_on(socket, **settings):
            session = document_bytes("rate-limit-feature")
            wanted = {"shareId": "below", "sessionId": SESSION_ID, "size": len(session)}
            answer = reader.request("POST", f"{address}/sessions/api/share/presign", json=wanted).json()
            assert answer["presignedUrl"].startswith(f"{address}/sessions/api/upload/")
            sent = reader.request("PUT", answer["presignedUrl"], body=session, headers=answer["headers"])
            assert sent.status == 200
            shown = reader.request("GET", answer["url"])
            assert shown.status == 200
            [sheet] = re.findall(r'href="(/sessions/static/base[^"]+)"', shown.data.decode())
            assert reader.request("GET", address + sheet).status == 200
            # This very request came through a proxy.
            assert reader.request("GET", f"{address}/sessions/metrics").status == 404
    assert "sig=" not in (tmp_path / "access.log").read_text()
