"""Answers that are given again: the same to the letter, and only for as long as they are right."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from app.services.container import parts
from tests.support.client import create, delete, renew, share, upload
from tests.support.recorded import document_bytes

SESSION, OTHER = document_bytes("rate-limit-feature"), document_bytes("single-message")
PAGE = "/share/GhIjKlMn"
BROWSER = {"Accept": "text/html", "Accept-Encoding": "br"}


@pytest.fixture
def repeated(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A mark for each answer that was given again, however long a busy machine takes to ask for it."""
    monkeypatch.setattr("app.services.documents.service.FRESH_SECONDS", 60)
    marks: list[int] = []
    with app.app_context():
        replay = parts().replay
    replay._on_repeat = lambda: marks.append(1)
    return marks


def test_an_answer_is_repeated_with_all_its_headers(client: FlaskClient, repeated: list[int]) -> None:
    share(client, SESSION)
    first, again = client.get(PAGE, headers=BROWSER), client.get(PAGE, headers=BROWSER)
    assert repeated == [1]
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
    client: FlaskClient, repeated: list[int], path: str, headers: dict[str, str], status: int
) -> None:
    share(client, SESSION)
    plain = client.get(PAGE, headers=BROWSER)
    other = client.get(path, headers=headers)
    assert other.status_code == status
    assert (other.data == plain.data) == (path == f"{PAGE}?page=1")
    assert repeated == []


def test_a_reader_who_has_the_page_is_told_so(client: FlaskClient, repeated: list[int]) -> None:
    share(client, SESSION)
    etag = client.get(PAGE, headers=BROWSER).headers["ETag"]
    assert client.get(PAGE, headers={**BROWSER, "If-None-Match": etag}).status_code == 304
    assert repeated == []


def test_a_page_that_looks_again_by_itself_is_not_repeated(client: FlaskClient) -> None:
    create(client)
    assert [client.get(PAGE, headers=BROWSER).status_code for _ in "12"] == [202, 202]


def test_a_newer_version_is_shown_at_once(
    client: FlaskClient, repeated: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = share(client, SESSION)["secret"]
    before = [client.get(PAGE, headers=BROWSER).data for _ in "12"]
    monkeypatch.setattr("app.services.documents.service.FRESH_SECONDS", -1)
    upload(client, renew(client, "GhIjKlMn", secret, size=len(OTHER)).get_json(), OTHER)
    after = client.get(PAGE, headers=BROWSER).data
    assert after != before[0]
    assert repeated == [1]


def test_a_deleted_share_is_gone_at_once_and_nothing_of_it_stays(app: Flask, client: FlaskClient) -> None:
    secret = share(client, SESSION)["secret"]
    assert [client.get(PAGE, headers=BROWSER).status_code for _ in "12"] == [200, 200]
    delete(client, "GhIjKlMn", secret)
    assert client.get(PAGE, headers=BROWSER).status_code == 404
    with app.app_context():
        assert not parts().lives()


def test_a_database_out_of_reach_is_said(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, SESSION)
    client.get(PAGE, headers=BROWSER)

    def fail(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    with app.app_context():
        monkeypatch.setattr(parts().standing, "first", fail)
    assert client.get(PAGE, headers=BROWSER).status_code == 503


def test_readers_whose_browsers_say_the_same_in_other_words_share_an_answer(
    client: FlaskClient, repeated: list[int]
) -> None:
    share(client, SESSION)
    client.get(PAGE, headers=BROWSER)
    client.get(PAGE, headers={"Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "gzip, deflate, br"})
    assert repeated == [1]
