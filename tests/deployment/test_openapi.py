"""The description of the API, against a server that runs."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from flask import Flask

from tests.support.recorded import document_bytes
from tests.support.servers.gunicorn import PROGRAMS, environment, gunicorn
from tests.support.sync_batches import SESSION_ID, first, items

SESSION = document_bytes("single-message")
# What does not hold of this API, and why.
EXCLUDED = {
    "allow_header_conformance": "a share may be called 'presign', so its address takes GET as well",
    "positive_data_acceptance": "whether an id is long enough depends on whether its share exists",
    "ensure_resource_availability": "a share that was just created has no session yet",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with gunicorn(tmp_path_factory.mktemp("data"), RATELIMIT_ENABLED="false") as address:
        yield address


def test_no_request_that_can_be_made_of_it_is_answered_otherwise(address: str, tmp_path: Path) -> None:
    command = [PROGRAMS / "schemathesis", "run", f"{address}/api/openapi.json", "--url", address]
    options = ["--checks", "all", "--exclude-checks", ",".join(EXCLUDED)]
    options += ["--max-examples", "20", "--seed", "1", "--generation-database", "none", "--no-color"]
    ran = subprocess.run(
        [*command, *options], cwd=tmp_path, env=environment({}), capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout
    [tested] = re.findall(r"Tested: (\d+)", ran.stdout)
    assert int(tested) == 17


def test_the_life_of_a_share_is_as_described(address: str) -> None:
    described = schemathesis.openapi.from_url(f"{address}/api/openapi.json")

    def ask(method: str, path: str, status: int, share_id: str = "", **options: Any) -> Any:
        url = address + path.replace("{share_id}", share_id)
        answer = requests.request(method, url, timeout=60, **options)
        assert answer.status_code == status, answer.text
        described[path][method].validate_response(answer)
        return answer.json()

    wanted = {"shareId": "described", "sessionId": "ses_1", "size": len(SESSION), "expiresIn": 3600}
    created = ask("POST", "/api/share/presign", 201, json=wanted)
    secret = {"X-Share-Secret": created["secret"]}
    ask("POST", "/api/share/presign", 200, json=wanted, headers=secret)
    link = ask("POST", "/api/share/{share_id}/presign", 200, "described", json={}, headers=secret)
    ask("GET", "/api/share/{share_id}", 404, "described")
    uploaded = requests.put(link["presignedUrl"], SESSION, headers=link["headers"], timeout=60)
    described["/api/upload/sessions/{share_id}.json"]["PUT"].validate_response(uploaded)
    assert uploaded.status_code == 200
    ask("GET", "/api/share/{share_id}", 200, "described")
    link = ask(
        "POST", "/api/share/{share_id}/presign", 200, "described", json={"kind": "snapshot"}, headers=secret
    )
    document = {**json.loads(SESSION), "createdAt": link["createdAt"], "revision": link["revision"] + 1}
    snapshot = json.dumps(document).encode()
    changed = requests.put(link["presignedUrl"], snapshot, headers=link["headers"], timeout=60)
    described["/api/upload/sessions/{share_id}/{name}.json"]["PUT"].validate_response(changed)
    sha256 = hashlib.sha256(snapshot).hexdigest()
    wanted = {"kind": "snapshot", "sha256": sha256, "base": link["revision"], "next": {}}
    ask("POST", "/api/share/{share_id}/commit", 200, "described", json=wanted, headers=secret)
    ask("POST", "/api/share/{share_id}/commit", 409, "described", json=wanted, headers=secret)
    ask("GET", "/api/share/{share_id}/data", 200, "described")
    ask("DELETE", "/api/share/{share_id}", 401, "described")
    ask("DELETE", "/api/share/{share_id}", 200, "described", headers=secret)

    native = ask("POST", "/api/share", 200, json={"sessionID": SESSION_ID})
    batch = {"secret": native["secret"], "data": items(first(1))}
    ask("POST", "/api/share/{share_id}/sync", 200, native["id"], json=batch)
    ask("GET", "/api/share/{share_id}/data", 200, native["id"])


def test_every_address_of_the_api_is_described(app: Flask) -> None:
    described = app.test_client().get("/api/openapi.json").get_json()
    there = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there == {(path, method) for path, methods in described["paths"].items() for method in methods}


@pytest.mark.settings(BASE_URL="https://share.example.com/sessions")
def test_it_names_the_server_and_every_operation_once(app: Flask) -> None:
    described = app.test_client().get("/api/openapi.json").get_json()
    assert described["servers"] == [{"url": "https://share.example.com/sessions"}]
    ids = [each["operationId"] for methods in described["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))
