"""The header of a proxy that says who is signed in, as gunicorn hands it on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.shares import Shared
from tests.support import recorded
from tests.support.servers.gunicorn import gunicorn
from tests.support.web import fetch

pytestmark = pytest.mark.server


def test_gunicorn_takes_no_other_spelling_for_the_header(tmp_path: Path) -> None:
    settings = {"AUTH_PROXY_HEADER": "Remote-User", "AUTH_PROXY_FROM": "127.0.0.1"}
    with gunicorn(tmp_path, **settings, SHARE_AUDIENCE="members") as address:
        shared = Shared.create(address, "members1", recorded.document_bytes("single-message"))
        statuses = {
            header: fetch("GET", f"{address}/api{shared.path}", headers={header: "grace"})[0]
            for header in ("Remote-User", "Remote_User", "X-Forwarded-User")
        }
    assert statuses == {"Remote-User": 200, "Remote_User": 401, "X-Forwarded-User": 401}


def test_gunicorn_takes_no_other_spelling_for_the_header_of_groups(tmp_path: Path) -> None:
    settings = {
        "AUTH_PROXY_HEADER": "Remote-User",
        "AUTH_PROXY_FROM": "127.0.0.1",
        "AUTH_PROXY_GROUPS_HEADER": "Remote-Groups",
        "ADMINS": "group:admins",
    }
    with gunicorn(tmp_path, **settings) as address:
        admins = {
            header: b"All shares" in _page(address, {"Remote-User": "grace", header: "admins"})
            for header in ("Remote-Groups", "Remote_Groups", "X-Forwarded-Groups")
        }
    assert admins == {"Remote-Groups": True, "Remote_Groups": False, "X-Forwarded-Groups": False}


def _page(address: str, headers: dict[str, str]) -> bytes:
    status, page = fetch("GET", f"{address}/account/shares", headers=headers)
    assert status == 200
    return page
