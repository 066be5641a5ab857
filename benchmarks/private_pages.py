"""What the page of a private session costs, beside the same page of a public one."""

from __future__ import annotations

from dataclasses import replace
from http.client import HTTPConnection
from multiprocessing.pool import Pool
from urllib.parse import urlencode, urlsplit

from benchmarks.client import put_document
from benchmarks.load import Load, PageRequest, apply_load
from benchmarks.measure import Effort
from benchmarks.prepared import Prepared
from benchmarks.report import Row
from benchmarks.service import Running, Service

PROXY = {"AUTH_PROXY_HEADER": "Remote-User", "AUTH_PROXY_FROM": "127.0.0.1"}
PASSWORD = "correct horse battery staple"  # noqa: S105 - of a made-up session


def measure_private_pages(pool: Pool, effort: Effort, service: Service, session: Prepared) -> list[Row]:
    """A row for each audience; all pages are asked for by turns.

    The response cache ahead of Flask answers for public pages alone, so the yardstick is a public page at an
    address that it does not know.
    """
    signing_in = replace(service, settings={**service.settings, **PROXY})
    with signing_in.running() as server:
        packed = session.packed.read_bytes()
        put_document(server.address, "public-page", packed)
        put_document(server.address, "members-page", packed, audience="members")
        put_document(server.address, "password-page", packed, audience="password", password=PASSWORD)
        requests = {
            "public": PageRequest("/share/public-page"),
            "yardstick": PageRequest("/share/public-page?uncached"),
            "members": PageRequest("/share/members-page", "Remote-User: reader"),
            "password": PageRequest("/share/password-page", f"Cookie: {_cookie(server, 'password-page')}"),
        }
        loads = dict.fromkeys(requests, Load(0, 0, 0))
        for turn in range(effort.load_rounds + 1):
            for name, request in requests.items():
                load = apply_load(pool, server, request, effort.load_seconds)
                # The first round only warms the workers up.
                if turn:
                    loads[name] += load
    return [
        {
            "audience": audience,
            "store": service.store,
            "database": service.database,
            "cpu_ms": loads[audience].cpu_per_request * 1000,
            "flask_cpu_ms": loads["yardstick"].cpu_per_request * 1000,
            "public_cpu_ms": loads["public"].cpu_per_request * 1000,
            "requests_per_second": loads[audience].per_second,
        }
        for audience in ("members", "password")
    ]


def _cookie(server: Running, share_id: str) -> str:
    """What a browser has that has sent the password."""
    connection = HTTPConnection(urlsplit(server.address).netloc)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"/share/{share_id}/password", urlencode({"password": PASSWORD}), headers)
    cookie: str = connection.getresponse().headers["Set-Cookie"]
    connection.close()
    return cookie.partition(";")[0]
