"""The server hands out the plugin that belongs to it, with its own address as the default."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile

import pytest
from flask.testing import FlaskClient
from lxml import html

from app.services.plugin_package import plugin_package
from tests.conftest import running_app
from tests.support.paths import ROOT

ADDRESS = "https://share.example.com"


def files(body: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def landing(settings: dict[str, str], **changes: str) -> str:
    with running_app({**settings, **changes}) as app:
        return app.test_client().get("/").text


def test_the_package_has_what_npm_and_opencode_look_for(client: FlaskClient) -> None:
    packed = files(client.get("/plugin.tgz").data)
    manifest = json.loads(packed["package/package.json"])
    assert manifest["name"] == "opencode-own-share"
    entries = [*manifest["exports"].values(), *manifest["bin"].values(), manifest["main"]]
    assert {f"package/{entry.removeprefix('./')}" for entry in entries} <= packed.keys()
    assert "devDependencies" not in manifest
    assert packed["package/dist/index.js"] == (ROOT / "plugin/dist/index.js").read_bytes()


def test_the_package_has_the_address_of_its_server(client: FlaskClient) -> None:
    packed = files(client.get("/plugin.tgz").data)
    release = plugin_package(ADDRESS).release
    assert json.loads(packed["package/dist/server.json"]) == {"url": ADDRESS, "release": release}


def test_packing_again_gives_the_same_bytes_and_another_address_others() -> None:
    assert plugin_package(ADDRESS).body == plugin_package(ADDRESS).body
    assert plugin_package(ADDRESS).release != plugin_package("https://other.example.com").release


def test_the_address_of_a_release_is_immutable(client: FlaskClient) -> None:
    release = plugin_package(ADDRESS).release
    answer = client.get(f"/plugin/{release}.tgz")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.data == client.get("/plugin.tgz").data


def test_a_release_that_is_no_longer_there_leads_to_the_newest(client: FlaskClient) -> None:
    answer = client.get("/plugin/0.0.9-000000000000.tgz")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/plugin.tgz"
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_the_newest_is_revalidated(client: FlaskClient) -> None:
    answer = client.get("/plugin.tgz")
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get("/plugin.tgz", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_landing_page_says_which_bytes_are_installed(client: FlaskClient) -> None:
    body = client.get("/plugin.tgz").data
    integrity = f"sha512-{base64.b64encode(hashlib.sha512(body).digest()).decode()}"
    assert html.fromstring(client.get("/").text).xpath("//code[@class='landing-integrity']/text()") == [
        integrity
    ]


@pytest.mark.parametrize(
    ("address", "is_offered"),
    [
        ("https://share.example.com/team", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("http://localhost:8000", True),
        ("http://share.example.com", False),
        ("http://192.168.0.5:8000", False),
        ("http://127.0.0.1.example.com", False),
    ],
)
def test_code_is_offered_only_where_nobody_on_the_way_can_change_it(
    settings: dict[str, str], address: str, is_offered: bool
) -> None:
    page = landing(settings, BASE_URL=address)
    assert (f"opencode-own-share@{address}/plugin/" in page) == is_offered
    assert ("anybody on\n        the way could change it" in page) != is_offered


def test_below_a_path_the_package_is_there_too(settings: dict[str, str]) -> None:
    with running_app({**settings, "BASE_URL": f"{ADDRESS}/team"}) as app:
        packed = files(app.test_client().get("/team/plugin.tgz").data)
        moved = app.test_client().get("/team/plugin/0.0.9-000000000000.tgz").headers["Location"]
    assert json.loads(packed["package/dist/server.json"])["url"] == f"{ADDRESS}/team"
    assert moved == "/team/plugin.tgz"
