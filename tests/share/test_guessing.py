"""Guesses of a password, on a server with several workers."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.browser.shares import Shared
from tests.support import recorded
from tests.support.servers.gunicorn import gunicorn
from tests.support.web import fetch

pytestmark = pytest.mark.server

PASSWORD = "a long password"


def test_four_workers_count_guesses_together(tmp_path: Path) -> None:
    limits = {"RATELIMIT_PASSWORD": "10/hour", "RATELIMIT_PASSWORD_SHARE": "1000/hour"}
    with gunicorn(tmp_path, WEB_CONCURRENCY="4", **limits) as address:
        shared = Shared.create(address, "private1", recorded.document_bytes("single-message"))
        secret = {"X-Share-Secret": shared.secret}
        changed = fetch("PATCH", f"{address}/api{shared.path}", {"password": PASSWORD}, headers=secret)
        assert changed[0] == 200

        def guess(number: int) -> int:
            password = {"password": f"guess number {number}"}
            answer = requests.post(f"{address}{shared.path}/password", data=password, timeout=60)
            return answer.status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = Counter(pool.map(guess, range(40)))
        assert statuses == {403: 10, 429: 30}
        right = requests.post(f"{address}{shared.path}/password", data={"password": PASSWORD}, timeout=60)
        assert right.status_code == 429
