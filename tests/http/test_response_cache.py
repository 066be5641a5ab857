"""Cached responses: the same to the letter, and only for as long as they are current."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from app.http.response_cache import ResponseCache, Version, mark_cacheable
from app.services.container import Services, services
from tests.support.client import create, delete, renew, share, upload
from tests.support.recorded import document_bytes

SESSION, OTHER = document_bytes("rate-limit-feature"), document_bytes("single-message")
PAGE = "/share/GhIjKlMn"
BROWSER = {"Accept": "text/html", "Accept-Encoding": "br"}


def services_of(app: Flask) -> Services:
    with app.app_context():
        return services()


@pytest.fixture
def hits(app: Flask) -> list[int]:
    """A mark for each response from the cache; documents stay fresh however long a busy machine takes."""
    services_of(app).freshness.fresh_seconds = 60
    [cache] = [cache for cache in services_of(app).caches if isinstance(cache, ResponseCache)]
    marks: list[int] = []
    cache.on_hit = lambda *_: marks.append(1)
    return marks


def test_an_answer_is_repeated_with_all_its_headers(client: FlaskClient, hits: list[int]) -> None:
    share(client, SESSION)
    first, again = client.get(PAGE, headers=BROWSER), client.get(PAGE, headers=BROWSER)
    assert hits == [1]
    assert again.data == first.data
    names = [name for name, _ in first.headers if name != "X-Request-ID"]
    assert {name: again.headers[name] for name in names} == {name: first.headers[name] for name in names}
    assert first.headers["X-Request-ID"] != again.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (PAGE, {**BROWSER, "Accept-Encoding": "gzip"}, 200),
        (PAGE, {**BROWSER, "Accept": "text/markdown"}, 200),
        (f"{PAGE}?page=1", BROWSER, 200),
        (f"{PAGE}?page=2", BROWSER, 404),
        (f"{PAGE}.json", BROWSER, 200),
    ],
)
def test_what_is_asked_otherwise_is_answered_otherwise(
    client: FlaskClient, hits: list[int], path: str, headers: dict[str, str], status: int
) -> None:
    share(client, SESSION)
    plain = client.get(PAGE, headers=BROWSER)
    other = client.get(path, headers=headers)
    assert other.status_code == status
    assert (other.data == plain.data) == (path == f"{PAGE}?page=1")
    assert hits == []


def test_a_reader_who_has_the_page_is_told_so(client: FlaskClient, hits: list[int]) -> None:
    share(client, SESSION)
    etag = client.get(PAGE, headers=BROWSER).headers["ETag"]
    assert client.get(PAGE, headers={**BROWSER, "If-None-Match": etag}).status_code == 304
    assert hits == []


def test_a_page_that_looks_again_by_itself_is_not_repeated(client: FlaskClient) -> None:
    create(client)
    assert [client.get(PAGE, headers=BROWSER).status_code for _ in "12"] == [202, 202]


def test_a_newer_version_is_shown_at_once(app: Flask, client: FlaskClient, hits: list[int]) -> None:
    secret = share(client, SESSION)["secret"]
    before = [client.get(PAGE, headers=BROWSER).data for _ in "12"]
    services_of(app).freshness.fresh_seconds = -1
    upload(client, renew(client, "GhIjKlMn", secret, size=len(OTHER)).get_json(), OTHER)
    after = client.get(PAGE, headers=BROWSER).data
    assert after != before[0]
    assert hits == [1]


def test_a_deleted_share_is_gone_at_once_and_nothing_of_it_stays(app: Flask, client: FlaskClient) -> None:
    secret = share(client, SESSION)["secret"]
    assert [client.get(PAGE, headers=BROWSER).status_code for _ in "12"] == [200, 200]
    delete(client, "GhIjKlMn", secret)
    assert client.get(PAGE, headers=BROWSER).status_code == 404
    with app.app_context():
        assert not services().cache_keys()


def test_a_database_out_of_reach_is_said(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, SESSION)
    client.get(PAGE, headers=BROWSER)

    def fail(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    with app.app_context():
        monkeypatch.setattr(services().connection, "first", fail)
    page = client.get(PAGE, headers=BROWSER)
    assert page.status_code == 200
    monkeypatch.setattr("app.services.shares.recent.OUTAGE_SECONDS", -1)
    assert client.get(PAGE, headers=BROWSER).status_code == 503


def test_readers_whose_browsers_say_the_same_in_other_words_share_an_answer(
    client: FlaskClient, hits: list[int]
) -> None:
    share(client, SESSION)
    client.get(PAGE, headers=BROWSER)
    client.get(PAGE, headers={"Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "gzip, deflate, br"})
    assert hits == [1]


def serving(bodies: dict[str, bytes], max_bytes: int) -> tuple[ResponseCache, list[str]]:
    """A cache before an app that answers `/share/<id>`, and the ids for which the app was asked."""
    asked: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        share_id = environ["PATH_INFO"].rpartition("/")[2]
        asked.append(share_id)
        mark_cacheable(environ, Version(f"{share_id}.1", "etag"), bodies[share_id])
        start_response("200 OK", [])
        return [bodies[share_id]]

    path = re.compile("/share/(.+)")
    return ResponseCache(app, path, "route", lambda *_: True, lambda *_: None, max_bytes), asked


def get(cache: ResponseCache, share_id: str) -> bytes:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": f"/share/{share_id}"}
    return b"".join(cache(environ, lambda *_: None))


def test_what_was_used_longest_ago_goes_first() -> None:
    cache, asked = serving(dict.fromkeys("abc", b"x" * 100), max_bytes=250)
    for name in "abaca":
        get(cache, name)
    assert asked == ["a", "b", "c"]
    get(cache, "b")
    assert asked == ["a", "b", "c", "b"]


def test_a_response_that_is_too_large_is_not_kept() -> None:
    cache, asked = serving({"a": b"x" * 251, "b": b"x" * 250}, max_bytes=250)
    assert [get(cache, name) for name in "abab"] == [b"x" * 251, b"x" * 250] * 2
    assert asked == ["a", "b", "a"]


def test_a_share_is_forgotten_with_all_its_responses() -> None:
    cache, asked = serving({"a": b"x", "b": b"x"}, max_bytes=250)
    for name in "ab":
        get(cache, name)
    cache.forget("a.1")
    assert cache.cache_keys() == {"b.1"}
    for name in "ab":
        get(cache, name)
    assert asked == ["a", "b", "a"]


def test_threads_do_not_disturb_each_other() -> None:
    names = [str(number) for number in range(97)]
    cache, _ = serving({name: name.encode() * 10 for name in names}, max_bytes=200)
    failures: list[BaseException] = []

    def use(seed: int) -> None:
        try:
            for number in range(3_000):
                name = names[(number * seed) % 97]
                assert get(cache, name) == name.encode() * 10
                if number % 50 == 0:
                    cache.forget(f"{name}.1")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=use, args=[seed]) for seed in (1, 3, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
