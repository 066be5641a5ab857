"""A server whose public address has a path: every link leads below it, however the proxy passes it on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import urllib3
from flask.testing import FlaskClient
from lxml import html

from config import OWN_PATHS
from tests.conftest import running_app
from tests.share.test_members import PROXY
from tests.support.client import SESSION_ID, share
from tests.support.paths import ROOT
from tests.support.recorded import document_bytes
from tests.support.servers.gunicorn import gunicorn, gunicorn_on
from tests.support.servers.nginx import nginx_of_others

PREFIX = "/team/sessions"
PAGE = f"{PREFIX}/share/GhIjKlMn"


pytestmark = pytest.mark.settings(BASE_URL=f"https://example.com{PREFIX}")


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


def test_an_import_that_cannot_work_is_not_offered(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    for address in (PAGE, f"{PREFIX}/llms.txt", f"{PREFIX}/"):
        assert "opencode import" not in client.get(address).text


@pytest.mark.settings(BASE_URL="https://example.com")
def test_an_import_at_the_root_of_a_host_names_the_oldest_release_that_can(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    for address in ("/share/GhIjKlMn", "/llms.txt"):
        text = client.get(address).text
        assert "opencode import https://example.com/share/" in text
        assert "1.2.27 or newer" in text


def test_a_proxy_may_take_the_path_off(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    whole = client.get(PAGE).text
    assert client.get("/share/GhIjKlMn").text == whole
    assert client.get("/healthz").status_code == 200


def test_the_path_itself_is_the_first_page_with_or_without_a_slash(client: FlaskClient) -> None:
    first, other = client.get(PREFIX), client.get(f"{PREFIX}/")
    assert (first.status_code, first.data) == (200, other.data)
    assert links(first.text, PREFIX) == links(other.text, f"{PREFIX}/")
    assert client.get("/").data == other.data
    assert client.get(f"{PREFIX}x").status_code == 404


def test_no_path_of_the_server_begins_as_its_address_may(settings: dict[str, str]) -> None:
    with running_app({**settings, "METRICS_ENABLED": "true", **PROXY}) as app:
        own = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    # The one of tokens is taken off before there are routes.
    assert {*own, "t"} - {""} == OWN_PATHS


def test_a_stranger_cannot_say_where_links_lead(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    page = client.get(
        PAGE,
        headers={"X-Forwarded-Prefix": "/evil", "X-Script-Name": "/evil"},
        environ_base={"SCRIPT_NAME": "/evil"},
    )
    assert page.status_code == 200
    assert "/evil" not in page.text


@pytest.mark.server
def test_nor_can_he_where_there_is_no_path(tmp_path: Path) -> None:
    with gunicorn(tmp_path, WEB_CONCURRENCY="1") as address:
        moved = {"SCRIPT_NAME": "/evil", "X-Forwarded-Prefix": "/evil"}
        page = urllib3.request("GET", f"{address}/evil/", headers=moved, retries=False)
        assert page.status == 404
        assert b"/evil/static" not in page.data


@pytest.fixture(scope="module")
def behind_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server of others with what the documentation adds, and the folder of its logs."""
    folder = tmp_path_factory.mktemp("others")
    page = (ROOT / "docs/reverse-proxies.md").read_text()
    [snippet] = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)
    socket = folder / "better-share.sock"
    with nginx_of_others(folder, {"/run/better-share/better-share.sock": str(socket)}, snippet) as address:
        settings = {"BASE_URL": f"{address}/sessions", "TRUSTED_PROXIES": "1", "WEB_CONCURRENCY": "1"}
        with gunicorn_on(socket, **settings):
            yield address, folder


@pytest.fixture
def reader(behind_nginx: tuple[str, Path]) -> urllib3.PoolManager:
    return urllib3.PoolManager(ca_certs=str(behind_nginx[1] / "fullchain.pem"), retries=False)


@pytest.mark.server
def test_behind_nginx_as_documented(behind_nginx: tuple[str, Path], reader: urllib3.PoolManager) -> None:
    address, _ = behind_nginx
    session = document_bytes("rate-limit-feature")
    wanted = {"shareId": "below-share", "sessionId": SESSION_ID, "size": len(session)}
    answer = reader.request("POST", f"{address}/sessions/api/share/presign", json=wanted).json()
    assert answer["presignedUrl"].startswith(f"{address}/sessions/api/upload/")
    sent = reader.request("PUT", answer["presignedUrl"], body=session, headers=answer["headers"])
    assert sent.status == 200
    shown = reader.request("GET", answer["url"])
    assert shown.status == 200
    [sheet] = re.findall(r'href="(/sessions/static/bundles/session[^"]+)"', shown.data.decode())
    assert reader.request("GET", address + sheet).status == 200
    # This very request came through a proxy.
    assert reader.request("GET", f"{address}/sessions/metrics").status == 404


@pytest.mark.server
def test_its_logs_have_no_secret_either(behind_nginx: tuple[str, Path], reader: urllib3.PoolManager) -> None:
    address, folder = behind_nginx
    socket = folder / "better-share.sock"
    below = f"{address}/sessions"

    def ask() -> set[int]:
        paths = (
            "t/TEAMTOKEN/api/share",
            "%74/TEAMTOKEN/x",
            "/t/TEAMTOKEN/x",
            "t//TEAMTOKEN/x",
            "T/TEAMTOKEN/x",
            "t/%20TEAMTOKEN/x",
            "t/%20/TEAMTOKEN/x",
            "t/TEAMTOKEN/a%0Ab",
        )
        answers = [reader.request("GET", f"{below}/{path}?sig=PRESIGNED") for path in paths]
        upload = "api/upload/sessions/x.json?expires=1&sig=PRESIGNED"
        answers += [reader.request("PUT", f"{below}/{at}{upload}", body=b"x") for at in ("", "/")]
        return {answer.status for answer in answers}

    assert 502 not in ask()
    hidden = socket.rename(folder / "hidden.sock")
    try:
        assert ask() == {502}
    finally:
        hidden.rename(socket)
    access, errors = ((folder / name).read_text() for name in ("access.log", "error.log"))
    assert "/sessions/t/***/api/share?***" in access
    assert "PUT /sessions/api/upload/sessions/x.json?***" in access
    for private in ("TEAMTOKEN", "PRESIGNED"):
        assert private not in access
        assert private not in errors
