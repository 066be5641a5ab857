"""The API on the disk store, on SQLite and on PostgreSQL."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.extensions import db
from app.db.models import Share
from app.services.container import services
from tests.conftest import running_app
from tests.support.backdate import backdate
from tests.support.client import SESSION_ID, create, delete, renew, share, upload
from tests.support.marks import on_both_databases
from tests.support.recorded import document_bytes
from tests.support.servers import free_ports

DOCUMENT = document_bytes("single-message")


pytestmark = on_both_databases


def row(app: Flask, share_id: str) -> Share | None:
    with app.app_context():
        return db.session.scalar(select(Share).where(Share.share_id == share_id))


def test_creating_answers_with_everything_an_upload_needs(client: FlaskClient) -> None:
    before = datetime.now(UTC).timestamp() * 1000
    response = create(client, "GhIjKlMn", size=10)
    answer = response.get_json()
    assert response.status_code == 201
    assert answer["shareId"] == "GhIjKlMn"
    assert answer["url"] == "https://share.example.com/share/GhIjKlMn"
    assert answer["presignedUrl"].startswith("https://share.example.com/api/upload/sessions/GhIjKlMn.json?")
    assert answer["headers"] == {"Content-Type": "application/json", "Content-Length": "10"}
    assert len(answer["secret"]) == 32
    assert before <= answer["createdAt"] <= before + 60_000
    assert answer["expiresAt"] == pytest.approx(answer["createdAt"] + 3_600_000, abs=1000)


def test_the_database_never_sees_the_secret(app: Flask, client: FlaskClient) -> None:
    secret = create(client, "GhIjKlMn").get_json()["secret"]
    stored = row(app, "GhIjKlMn")
    assert stored is not None
    assert secret not in stored.secret
    assert stored.session_id == SESSION_ID


def test_a_second_creation_of_an_id_is_refused(client: FlaskClient) -> None:
    create(client)
    response = create(client)
    assert (response.status_code, response.get_json()["code"]) == (409, "share_exists")


def test_of_two_simultaneous_creations_one_wins(app: Flask) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: create(app.test_client()).status_code, range(2)))
    assert sorted(answers) == [201, 409]


def test_creating_again_with_the_right_secret_gives_a_fresh_link(client: FlaskClient) -> None:
    first = create(client, size=len(DOCUMENT)).get_json()
    response = create(client, secret=first["secret"], size=len(DOCUMENT))
    assert response.status_code == 200
    assert "secret" not in response.get_json()
    assert response.get_json()["createdAt"] == first["createdAt"]
    assert upload(client, response.get_json(), DOCUMENT).status_code == 200


def test_creating_again_with_a_wrong_secret_is_refused(client: FlaskClient) -> None:
    create(client)
    assert create(client, secret="wrong").status_code == 409


def test_a_shared_document_comes_back_as_it_was_uploaded(client: FlaskClient) -> None:
    share(client, DOCUMENT)
    response = client.get("/api/share/GhIjKlMn")
    assert response.data == DOCUMENT
    assert response.content_type == "application/json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_an_unchanged_document_is_not_sent_twice(client: FlaskClient) -> None:
    share(client, DOCUMENT)
    etag = client.get("/api/share/GhIjKlMn").headers["ETag"]
    again = client.get("/api/share/GhIjKlMn", headers={"If-None-Match": etag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)


def test_a_changed_document_is_sent_again(client: FlaskClient) -> None:
    answer = share(client, DOCUMENT)
    etag = client.get("/api/share/GhIjKlMn").headers["ETag"]
    longer = document_bytes("in-progress")
    renewed = renew(client, "GhIjKlMn", answer["secret"], size=len(longer)).get_json()
    assert upload(client, renewed, longer).status_code == 200
    again = client.get("/api/share/GhIjKlMn", headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (200, longer)


def test_a_gzip_document_passes_through_untouched(client: FlaskClient) -> None:
    packed = gzip.compress(DOCUMENT)
    share(client, packed, contentEncoding="gzip")
    response = client.get("/api/share/GhIjKlMn", headers={"Accept-Encoding": "gzip"})
    assert response.data == packed
    assert response.headers["Content-Encoding"] == "gzip"


def test_a_gzip_document_is_unpacked_for_those_who_cannot(client: FlaskClient) -> None:
    share(client, gzip.compress(DOCUMENT), contentEncoding="gzip")
    response = client.get("/api/share/GhIjKlMn", headers={"Accept-Encoding": "identity"})
    assert response.data == DOCUMENT
    assert "Content-Encoding" not in response.headers


def test_a_share_without_a_document_says_so(client: FlaskClient) -> None:
    create(client)
    response = client.get("/api/share/GhIjKlMn")
    assert (response.status_code, response.get_json()["code"]) == (404, "not_uploaded")


def test_an_unknown_share_is_not_found(client: FlaskClient) -> None:
    response = client.get("/api/share/GhIjKlMn")
    assert (response.status_code, response.get_json()["code"]) == (404, "not_found")
    assert renew(client, "GhIjKlMn", "any").status_code == 404
    assert delete(client, "GhIjKlMn", "any").status_code == 404


def test_an_upload_link_is_renewed_with_the_secret_only(client: FlaskClient) -> None:
    secret = create(client).get_json()["secret"]
    assert renew(client, "GhIjKlMn", secret).status_code == 200
    assert renew(client, "GhIjKlMn", "wrong").get_json()["code"] == "wrong_secret"
    assert client.post("/api/share/GhIjKlMn/presign", json={}).status_code == 401


def test_deleting_removes_the_document_and_the_page(app: Flask, client: FlaskClient) -> None:
    secret = share(client, DOCUMENT)["secret"]
    response = delete(client, "GhIjKlMn", secret)
    assert (response.status_code, response.get_json()) == (200, {"ok": True})
    assert client.get("/share/GhIjKlMn").status_code == 404
    assert client.get("/api/share/GhIjKlMn").status_code == 404
    assert renew(client, "GhIjKlMn", secret).status_code == 404
    assert delete(client, "GhIjKlMn", secret).status_code == 404


def test_deleting_takes_the_secret_in_the_body_too(client: FlaskClient) -> None:
    secret = create(client).get_json()["secret"]
    assert client.delete("/api/share/GhIjKlMn", json={"secret": secret}).status_code == 200
    assert client.get("/api/share/GhIjKlMn").status_code == 404


def test_deleting_with_the_secret_in_the_body_succeeds_also_when_it_is_gone(client: FlaskClient) -> None:
    secret = create(client).get_json()["secret"]
    for _ in range(2):
        response = client.delete("/api/share/GhIjKlMn", json={"secret": secret})
        assert (response.status_code, response.get_json()) == (200, {"ok": True})


def test_a_wrong_secret_does_not_tell_a_deleted_share_from_an_unknown_one(client: FlaskClient) -> None:
    delete(client, "GhIjKlMn", create(client).get_json()["secret"])
    assert delete(client, "GhIjKlMn", "wrong").status_code == 404


def test_deleting_needs_the_secret(client: FlaskClient) -> None:
    share(client, DOCUMENT)
    assert delete(client, "GhIjKlMn", "wrong").status_code == 401
    assert client.delete("/api/share/GhIjKlMn").status_code == 401
    assert client.get("/api/share/GhIjKlMn").status_code == 200


def test_a_tombstone_forgets_whose_session_it_was(app: Flask, client: FlaskClient) -> None:
    delete(client, "GhIjKlMn", create(client).get_json()["secret"])
    tombstone = row(app, "GhIjKlMn")
    assert tombstone is not None
    assert tombstone.session_id == ""
    assert tombstone.deleted_at is not None
    assert tombstone.deleted_at.utcoffset() == timedelta(0)


def test_a_deleted_id_is_never_given_to_another_share(app: Flask, client: FlaskClient) -> None:
    secret = create(client).get_json()["secret"]
    delete(client, "GhIjKlMn", secret)
    backdate(app, timedelta(days=3000))
    assert create(client).status_code == 409
    assert create(client, secret=secret).status_code == 409
    assert client.get("/api/share/GhIjKlMn").get_json()["code"] == "not_found"


def test_an_upload_to_a_deleted_share_is_refused(client: FlaskClient) -> None:
    answer = create(client, size=len(DOCUMENT)).get_json()
    delete(client, "GhIjKlMn", answer["secret"])
    response = upload(client, answer, DOCUMENT)
    assert (response.status_code, response.get_json()["code"]) == (403, "share_deleted")


@pytest.mark.parametrize("share_id", ["a%00b", "a%00.md"])
def test_an_id_that_no_database_could_hold_is_not_found(client: FlaskClient, share_id: str) -> None:
    headers = {"X-Share-Secret": "any"}
    assert client.get(f"/share/{share_id}").status_code == 404
    assert client.get(f"/api/share/{share_id}").status_code == 404
    assert client.delete(f"/api/share/{share_id}", headers=headers).status_code == 404
    assert create(client, "a\0", secret="any").status_code == 400


def test_every_error_under_api_is_json(client: FlaskClient) -> None:
    lost = client.get("/api/nowhere")
    assert (lost.status_code, lost.get_json()["code"]) == (404, "not_found")
    wrong = client.put("/api/share/GhIjKlMn")
    assert (wrong.status_code, wrong.get_json()["code"]) == (405, "method_not_allowed")
    assert {"GET", "DELETE"} <= set(wrong.headers["Allow"].split(", "))


def test_health_checks_answer(client: FlaskClient) -> None:
    for path in ("/api/health", "/healthz"):
        assert client.get(path).get_json() == {"status": "ok"}
    assert client.get("/readyz").get_json()["status"] == "ok"


def test_a_session_of_the_recorded_size_is_declared_and_stored_whole(client: FlaskClient) -> None:
    document = document_bytes("large-output")
    share(client, document)
    assert json.loads(client.get("/api/share/GhIjKlMn").data) == json.loads(document)


def test_a_database_out_of_reach_is_a_503_that_says_when_to_come_back(settings: dict[str, str]) -> None:
    [port] = free_ports(1)
    with running_app({**settings, "DATABASE_URL": f"postgresql://me:hunter2@127.0.0.1:{port}/db"}) as app:
        client = app.test_client()
        for response in (create(client), client.get("/api/share/GhIjKlMn"), client.get("/readyz")):
            assert (response.status_code, response.get_json()["code"]) == (503, "database_unavailable")
            assert int(response.headers["Retry-After"]) > 0
            assert "hunter2" not in response.text
        assert client.get("/share/GhIjKlMn").status_code == 503
        assert client.get("/healthz").status_code == 200


def on_a_volume_that_ignores_case(settings: dict[str, str]) -> None:
    """Gives the folder of documents another spelling, as such a volume does with every name."""
    documents = Path(settings["DATA_DIR"], "documents")
    documents.mkdir()
    documents.with_name("DOCUMENTS").symlink_to(documents)


def test_of_two_ids_that_differ_only_in_case_a_volume_that_ignores_it_takes_one(
    app: Flask, client: FlaskClient, settings: dict[str, str]
) -> None:
    on_a_volume_that_ignores_case(settings)
    secret = create(client, "GhIjKlMn").get_json()["secret"]
    for _ in range(2):
        refused = create(client, "ghijklmn")
        assert (refused.status_code, refused.get_json()["code"]) == (409, "share_exists")
    assert row(app, "ghijklmn") is None
    assert create(client, "GhIjKlMn", secret=secret).status_code == 200
    delete(client, "GhIjKlMn", secret)
    assert create(client, "GHIJKLMN").status_code == 409
    native = client.post("/api/share", json={"sessionID": "ses_gHiJkLmN"}).get_json()
    assert native["id"] != "gHiJkLmN"
    assert create(client, "another").status_code == 201


def test_elsewhere_ids_that_differ_only_in_case_are_two_shares(client: FlaskClient) -> None:
    first = share(client, DOCUMENT, "GhIjKlMn")
    assert share(client, document_bytes("empty"), "ghijklmn")["secret"] != first["secret"]
    assert client.get("/api/share/GhIjKlMn").data == DOCUMENT


def test_a_new_id_has_at_least_six_characters_and_an_existing_one_stays(
    app: Flask, client: FlaskClient
) -> None:
    refused = create(client, "short")
    assert (refused.status_code, refused.get_json()["code"]) == (400, "invalid_request")
    assert refused.get_json()["error"] == "'shareId' must have at least 6 characters."
    assert create(client, "longer").status_code == 201
    with app.app_context():
        _, secret = services().shares.create("short", SESSION_ID)
    assert create(client, "short", secret).status_code == 200
    assert client.delete("/api/share/short", headers={"X-Share-Secret": secret}).status_code == 200
