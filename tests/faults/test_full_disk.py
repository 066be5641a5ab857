"""Full and read-only disks: nothing is half written, and what exists can be read and deleted."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.conftest import running_app
from tests.faults.service import SMALL, WORKERS, Service
from tests.faults.service import service as running_service
from tests.support.disks import filled, mounted_read_only, require_mounts, small_disk
from tests.support.recorded import document
from tests.support.servers import wait_until
from tests.support.sync_batches import SESSION, document_of, shared, sync
from tests.support.web import fetch

MEGABYTES = 48
LAST_PART = next(part for part in SESSION["messages"][-1]["parts"] if part["type"] == "text")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A server whose DATA_DIR is a disk of MEGABYTES."""
    require_mounts()
    with (
        small_disk(tmp_path / "data", MEGABYTES),
        running_service(tmp_path, METRICS_ENABLED="true") as service,
    ):
        yield service


def test_a_full_disk_refuses_what_is_new_and_serves_what_exists(service: Service) -> None:
    service.upload("Existing")
    page = service.ask("GET", "/share/Existing")
    with filled(service.data):
        for attempt in range(6):
            status, answer = service.create(f"NewShare{attempt}")
            assert status == 503, answer
            assert "try again" in answer["error"]
            assert service.ask("GET", "/share/Existing") == page
            assert service.ask("GET", "/metrics")[0] == 200
        status, answer = service.ask("GET", "/readyz")
        assert (status, answer["database"], answer["disk"]) == (503, "failed", "failed")
    assert service.create("NewShare")[0] == 201
    wait_until(lambda: service.ask("GET", "/readyz")[0] == 200, lambda: "it never became ready")


def test_a_refused_upload_leaves_the_document_that_was_there(service: Service) -> None:
    created = service.upload("Replaced")
    with filled(service.data):
        status, _ = fetch("PUT", created["presignedUrl"], document("rate-limit-feature"))
        assert status == 503
        assert service.ask("GET", "/api/share/Replaced") == (200, SMALL)
    assert fetch("PUT", created["presignedUrl"], document("rate-limit-feature"))[0] == 200
    assert service.ask("GET", "/api/share/Replaced") == (200, document("rate-limit-feature"))


def test_a_share_can_be_deleted_on_a_full_disk(service: Service) -> None:
    secrets = {share_id: service.upload(share_id)["secret"] for share_id in ("First1", "Second", "Third1")}
    with filled(service.data):
        for share_id, secret in secrets.items():
            assert service.ask("GET", f"/share/{share_id}")[0] == 200
            assert service.ask("DELETE", f"/api/share/{share_id}", {"secret": secret})[0] == 200
            assert service.ask("GET", f"/share/{share_id}")[0] == 404
            assert not list(service.data.glob(f"documents/**/*{share_id}*"))


def test_workers_that_die_on_a_full_disk_are_replaced(service: Service) -> None:
    service.upload("Existing")
    with filled(service.data):
        killed = service.workers()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: len(service.workers() - killed) == WORKERS and service.is_healthy(),
            service.log,
        )
        assert service.ask("GET", "/share/Existing")[0] == 200
    assert service.create("NewShare")[0] == 201


@pytest.fixture
def cache_disk(settings: dict[str, str]) -> Iterator[Path]:
    """The cache of the test's app on a disk of its own."""
    require_mounts()
    with small_disk(Path(settings["DATA_DIR"], "cache"), 1) as disk:
        yield disk


@pytest.mark.settings(RATELIMIT_ENABLED="false")
@pytest.mark.parametrize("fault", [filled, mounted_read_only])
def test_changes_are_shown_at_once_while_the_cache_cannot_be_written(
    settings: dict[str, str], cache_disk: Path, fault: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with running_app(settings) as app:
        client = app.test_client()
        share = shared(client, SESSION)
        path = f"/share/{share['id']}"
        assert client.get(path).status_code == 200
        etags: dict[str, bytes] = {}
        with fault(cache_disk):
            for number in range(5):
                text = f"change number {number}"
                part = {**LAST_PART, "id": f"prt_z{number}", "text": text}
                assert sync(client, share, [{"type": "part", "data": part}]).status_code == 200
                for _ in range(2):
                    page = client.get(path)
                    assert text.encode() in page.data
                    assert etags.setdefault(page.headers["ETag"], page.data) == page.data
                assert text in json.dumps(document_of(client, share))
            with running_app(settings) as other:
                assert text.encode() in other.test_client().get(path).data
        assert text.encode() in client.get(path).data
