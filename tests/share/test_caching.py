"""What is cached of sessions and pages: nothing is paid for twice, nothing outlives its share."""

from __future__ import annotations

import gzip
import json
import os
import time
import zlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import pytest
import zstandard
from flask import Flask
from flask.testing import FlaskClient

from app.opencode import write_index
from app.render import Renderer
from app.services.container import Services, services
from app.services.documents.cache import DERIVED_BYTES, DocumentCache
from app.services.documents.cache_size import folder_size
from app.services.documents.document_files import short_version
from app.services.documents.page_files import MEASURED_BYTES
from app.services.documents.stored_document import StoredDocument
from app.services.maintenance import run_maintenance
from app.services.shares.live_share import LiveShare
from app.storage import StorageError
from tests.conftest import running_app
from tests.support.backdate import backdate
from tests.support.client import create, delete, renew, share, share_unchecked, upload
from tests.support.recorded import document, document_bytes
from tests.support.servers.s3 import s3_client

SESSION = document_bytes("rate-limit-feature")
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "zstd": zstandard.decompress,
    "gzip": lambda body: zlib.decompress(body, wbits=31),
}


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each step was rendered."""
    count: Counter[str] = Counter()
    step = Renderer.step

    def counting(self: Renderer, rendered_step, **options):
        count[rendered_step.id] += 1
        return step(self, rendered_step, **options)

    monkeypatch.setattr(Renderer, "step", counting)
    return count


def services_of(client: FlaskClient) -> Services:
    with client.application.app_context():
        return services()


def ask_store_again(client: FlaskClient) -> None:
    """Forgets what the store said a moment ago."""
    freshness = services_of(client).freshness
    for key in freshness.cache_keys():
        freshness.forget(key)


def cached(settings: dict[str, str]) -> list[Path]:
    return [path for path in Path(settings["DATA_DIR"], "cache").rglob("*") if path.is_file()]


def grow(client: FlaskClient, secret: str, messages: int) -> None:
    """Uploads the session with its first messages only."""
    session = document("rate-limit-feature")
    session["messages"] = session["messages"][:messages]
    grown = json.dumps(session).encode()
    link = renew(client, "GhIjKlMn", secret, size=len(grown)).get_json()
    assert upload(client, link, grown).status_code == 200


def test_a_page_is_made_once(client: FlaskClient, rendered: Counter[str]) -> None:
    share(client, SESSION)
    first = client.get("/share/GhIjKlMn").text
    made = dict(rendered)
    assert client.get("/share/GhIjKlMn").text == first
    assert rendered == made
    assert set(made.values()) == {1}


def test_another_worker_takes_the_page_from_disk(settings: dict[str, str], rendered: Counter[str]) -> None:
    with running_app(settings) as app:
        share(app.test_client(), SESSION)
        first = app.test_client().get("/share/GhIjKlMn").text
    made = dict(rendered)
    with running_app(settings) as app:
        assert app.test_client().get("/share/GhIjKlMn").text == first
    assert rendered == made


def test_no_worker_goes_back_behind_what_another_has_shown(settings: dict[str, str]) -> None:
    with running_app(settings) as app, running_app(settings) as other:
        secret = share(app.test_client(), SESSION)["secret"]
        before = app.test_client().get("/share/GhIjKlMn").headers["ETag"]
        assert other.test_client().get("/share/GhIjKlMn").headers["ETag"] == before
        grow(app.test_client(), secret, 4)
        ask_store_again(app.test_client())
        after = app.test_client().get("/share/GhIjKlMn").headers["ETag"]
        assert after != before
        assert other.test_client().get("/share/GhIjKlMn").headers["ETag"] == after


def test_only_the_steps_that_are_new_are_rendered(client: FlaskClient, rendered: Counter[str]) -> None:
    secret = share(client, SESSION)["secret"]
    grow(client, secret, 12)
    client.get("/share/GhIjKlMn")
    rendered.clear()
    grow(client, secret, 14)
    ask_store_again(client)
    assert "GhIjKlMn" in client.get("/share/GhIjKlMn").text
    ids = [message["info"]["id"] for message in document("rate-limit-feature")["messages"]]
    assert set(rendered) == set(ids[12:14])


def test_a_changed_sub_agent_changes_the_call_that_holds_it(client: FlaskClient) -> None:
    session = document("subagents")
    child = document("subagents.child1")
    session["children"] = [{"session": child["session"], "messages": child["messages"][:1]}]
    secret = share(client, json.dumps(session).encode())["secret"]
    last = child["messages"][-1]["parts"][-2]["text"]
    before = client.get("/share/GhIjKlMn").text.count(last[:10])
    session["children"] = [{"session": child["session"], "messages": child["messages"]}]
    grown = json.dumps(session).encode()
    upload(client, renew(client, "GhIjKlMn", secret, size=len(grown)).get_json(), grown)
    ask_store_again(client)
    page = client.get("/share/GhIjKlMn").text
    assert child["messages"][-1]["info"]["id"] in page
    assert page.count(last[:10]) >= before


def test_every_encoding_holds_the_same_page(client: FlaskClient) -> None:
    share(client, SESSION)
    plain = client.get("/share/GhIjKlMn")
    assert "Content-Encoding" not in plain.headers
    for encoding, decode in DECODERS.items():
        response = client.get("/share/GhIjKlMn", headers={"Accept-Encoding": encoding})
        assert response.headers["Content-Encoding"] == encoding
        assert decode(response.data) == plain.data
        assert response.headers["ETag"] == plain.headers["ETag"]
        assert "Accept-Encoding" in response.headers["Vary"]
        assert len(response.data) < len(plain.data) / 4


def test_stylesheets_are_compressed_too(client: FlaskClient) -> None:
    for address in ("/static/blocks.css", "/themes/dracula.css"):
        with client.get(address) as plain, client.get(address, headers={"Accept-Encoding": "br"}) as packed:
            assert brotli.decompress(packed.data) == plain.data
            assert packed.headers["Vary"] == "Accept-Encoding"


def test_a_document_is_fetched_once_per_version(client: FlaskClient, settings: dict[str, str]) -> None:
    share(client, gzip.compress(SESSION), contentEncoding="gzip")
    client.get("/share/GhIjKlMn")
    documents = services_of(client).documents
    fetched: list[str] = []
    documents.fetch, fetch = lambda *args: fetched.append(args[0]) or fetch(*args), documents.fetch
    for address in ("/share/GhIjKlMn.md", "/share/GhIjKlMn/changes", "/share/GhIjKlMn.json"):
        assert client.get(address).status_code == 200
    assert fetched == []


def test_the_store_is_not_asked_about_a_share_that_can_no_longer_change(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, SESSION)
    backdate(app, timedelta(hours=2))
    client.get("/share/GhIjKlMn")
    services_of(client).freshness.fresh_seconds = -1
    monkeypatch.setattr(type(services_of(client).store), "open", None)
    assert client.get("/share/GhIjKlMn").status_code == 200


def test_a_change_made_before_the_last_link_expired_is_seen_afterwards(
    app: Flask, client: FlaskClient
) -> None:
    freshness = services_of(client).freshness
    freshness.clock = lambda: time.time() - 7200
    secret = share(client, SESSION)["secret"]
    etag = client.get("/share/GhIjKlMn").headers["ETag"]
    grow(client, secret, 4)
    backdate(app, timedelta(hours=2))
    freshness.clock = time.time
    freshness.fresh_seconds = -1
    again = client.get("/share/GhIjKlMn", headers={"If-None-Match": etag})
    assert again.status_code == 200


@pytest.fixture
def stale(client: FlaskClient) -> None:
    """Every document counts as large, and may have changed since it was fetched."""
    freshness = services_of(client).freshness
    freshness.large_bytes = 1000
    freshness.large_fresh_seconds = -1


@pytest.mark.usefixtures("stale")
def test_a_large_document_is_shown_as_it_was_while_the_next_is_read(client: FlaskClient) -> None:
    secret = share(client, SESSION)["secret"]
    with client.get("/share/GhIjKlMn") as first:
        etag = first.headers["ETag"]
    grow(client, secret, 4)
    with client.get("/share/GhIjKlMn") as answer:
        assert answer.headers["ETag"] == etag
    # Closing the response has fetched the next version.
    with client.get("/share/GhIjKlMn") as answer:
        assert answer.headers["ETag"] != etag


@pytest.mark.usefixtures("stale")
def test_a_store_that_fails_after_the_answer_does_not_fail_the_reader(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    share(client, SESSION)
    client.get("/share/GhIjKlMn").close()

    def fail(*_: object) -> None:
        raise StorageError("the bucket does not answer")

    monkeypatch.setattr(type(services_of(client).store), "open", fail)
    with client.get("/share/GhIjKlMn") as answer:
        assert answer.status_code == 200
    assert "does not answer" in caplog.text


def test_a_document_that_cannot_be_read_is_read_once(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_unchecked(client, b'{"session": 5, "messages": []}')
    assert client.get("/share/GhIjKlMn").status_code == 422
    monkeypatch.setattr("app.services.documents.cache.write_index", None)
    again = client.get("/share/GhIjKlMn/changes")
    assert again.status_code == 422
    assert "not a session of OpenCode" in again.text


def test_a_worker_does_not_go_back_behind_what_another_took_in_meanwhile(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = share(client, SESSION)["secret"]
    client.get("/share/GhIjKlMn")
    services_of(client).freshness.fresh_seconds = -1
    grow(client, secret, 4)
    lock = DocumentCache.lock

    def late(self: DocumentCache, share: LiveShare, *, wait: bool):
        # While this worker waits for the lock, the session grows and another worker caches the new version.
        monkeypatch.setattr(DocumentCache, "lock", lock)
        grow(client, secret, 8)
        client.get("/share/GhIjKlMn")
        return lock(self, share, wait=wait)

    monkeypatch.setattr(DocumentCache, "lock", late)
    shown = client.get("/share/GhIjKlMn", headers={"Accept-Encoding": "identity"}).text
    assert document("rate-limit-feature")["messages"][7]["info"]["id"] in shown


def test_a_link_to_a_message_keeps_no_page_of_its_own(client: FlaskClient, settings: dict[str, str]) -> None:
    share(client, SESSION)
    client.get("/share/GhIjKlMn?page=1")
    before = len(cached(settings))
    for message in document("rate-limit-feature")["messages"]:
        assert client.get(f"/share/GhIjKlMn/m/{message['info']['id']}").status_code == 200
    assert len(cached(settings)) == before


def test_what_another_release_kept_is_not_read(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    share(client, SESSION)
    client.get("/share/GhIjKlMn")
    read: list[bool] = []
    monkeypatch.setattr("app.services.documents.document_files.build_id", lambda: "another")
    monkeypatch.setattr(
        "app.services.documents.cache.write_index",
        lambda *args, **options: read.append(True) or write_index(*args, **options),
    )
    assert client.get("/share/GhIjKlMn/changes").status_code == 200
    assert read == [True]


def test_pages_are_shown_while_nothing_can_be_kept(client: FlaskClient, settings: dict[str, str]) -> None:
    share(client, SESSION)
    Path(settings["DATA_DIR"], "cache").write_text("in the way")
    for _ in range(2):
        page = client.get("/share/GhIjKlMn")
        assert page.status_code == 200
        assert "rate limiting" in page.text
    assert client.get("/share/GhIjKlMn.json").data == SESSION


def live(share_id: str, age: float = 0) -> LiveShare:
    now = datetime.fromtimestamp(1e9 - age, UTC)
    return LiveShare(share_id, now, now)


def a_cache(folder: Path, max_bytes: int = 1000) -> DocumentCache:
    return DocumentCache(folder, max_bytes, max_document_bytes=1_000_000)


def test_only_one_process_at_a_time_fetches_a_document(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    with cache.lock(live("One"), wait=True) as mine:
        assert mine
        with a_cache(tmp_path).lock(live("One"), wait=False) as theirs:
            assert not theirs
        with cache.lock(live("Another"), wait=False) as other:
            assert other
    with cache.lock(live("One"), wait=False) as again:
        assert again


def test_an_index_outlives_the_removal_of_its_files(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    index = cache.write(live("One"), StoredDocument("etag", SESSION, 1_000_000))
    cache.forget(live("One").cache_key)
    page = index.session.pages.get(1)
    assert page is not None
    assert page.turns
    assert cache.index(live("One"), "etag") is None


def test_deleting_a_share_leaves_nothing_of_it_here(client: FlaskClient, settings: dict[str, str]) -> None:
    secret = share(client, SESSION)["secret"]
    client.get("/share/GhIjKlMn")
    assert cached(settings)
    delete(client, "GhIjKlMn", secret)
    assert cached(settings) == []


def test_another_host_drops_what_it_holds_of_a_deleted_share(
    settings: dict[str, str], s3_settings: dict[str, str], tmp_path: Path
) -> None:
    here = {**settings, **s3_settings}
    there = {
        **here,
        "DATA_DIR": str(tmp_path / "there"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/data/better-share.db",
    }
    with running_app(here) as app, running_app(there) as other:
        client = app.test_client()
        secret = create(client, "TwoHosts").get_json()["secret"]
        kept = create(client, "StaysHere").get_json()
        for key in ("TwoHosts", "StaysHere"):
            s3_client(s3_settings).put_object(Bucket="shares", Key=f"sessions/{key}.json", Body=SESSION)
            assert other.test_client().get(f"/share/{key}").status_code == 200
        assert kept["shareId"] == "StaysHere"
        delete(client, "TwoHosts", secret)
        with other.app_context():
            assert {key.partition(".")[0] for key in services().documents.cache_keys()} == {
                "TwoHosts",
                "StaysHere",
            }
            run_maintenance()
            assert {key.partition(".")[0] for key in services().documents.cache_keys()} == {"StaysHere"}
        assert "TwoHosts" not in {path.parent.name.partition(".")[0] for path in cached(there)}
        assert other.test_client().get("/share/StaysHere").status_code == 200


def test_the_cache_drops_what_was_used_longest_ago(tmp_path: Path) -> None:
    cache = a_cache(tmp_path, max_bytes=0)
    for age, name in enumerate(("newest", "middle", "oldest")):
        cache.pages.write(live(name), "etag", "page", [b"x" * 100])
        os.utime(tmp_path / live(name).cache_key, (1e9 - age, 1e9 - age))
    # A file of 100 bytes takes a block of the disk and an inode.
    cache.max_bytes = 2 * folder_size(tmp_path / live("newest").cache_key)
    assert cache.max_bytes > 2 * 4096
    cache.evict()
    assert sorted(key.partition(".")[0] for key in cache.cache_keys()) == ["middle", "newest"]


def test_one_share_holds_no_more_than_its_part_of_the_cache(tmp_path: Path) -> None:
    cache = a_cache(tmp_path, max_bytes=10**9)
    folder = tmp_path / live("One").cache_key
    page = os.urandom(1024 * 1024)
    for number in range(40):
        assert cache.pages.write(live("One"), "etag", f"page-{number}", [page])
        os.utime(folder / f"{short_version('etag')}.page-{number}", (1e9 + number, 1e9 + number))
    assert folder_size(folder) < DERIVED_BYTES + MEASURED_BYTES + 1024 * 1024
    assert cache.pages.read(live("One"), "etag", "page-39") == page
    assert cache.pages.read(live("One"), "etag", "page-0") is None


def test_what_is_shown_from_memory_counts_as_used(client: FlaskClient, settings: dict[str, str]) -> None:
    cache = services_of(client).cache
    for number, id in enumerate(("HotShare", "ColdOne_")):
        share(client, SESSION, id)
        client.get(f"/share/{id}")
        cache.evict()
        [key] = [key for key in cache.cache_keys() if key.startswith(id)]
        os.utime(Path(settings["DATA_DIR"], "cache", key), (1e9 + number, 1e9 + number))
    client.get("/share/HotShare")
    cache.max_bytes = sum(map(folder_size, Path(settings["DATA_DIR"], "cache").iterdir())) - 1
    cache.evict()
    assert [key.partition(".")[0] for key in cache.cache_keys()] == ["HotShare"]


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    cache = a_cache(tmp_path / "file", max_bytes=250)
    (tmp_path / "file").write_text("in the way")
    cache.pages.write(live("One"), "etag", "page", [b"x"])
    assert cache.pages.read(live("One"), "etag", "page") is None
    cache.evict()
