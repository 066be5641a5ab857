"""`flask shares checkpoint`: copies for programs that read the bucket, which no reader is ever shown."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from app.db.extensions import db
from app.db.locks import advisory_lock
from app.db.models import Share
from app.services.container import services
from app.services.shares import cleanup, object_cleanup
from app.storage import DiskStore, document_key, object_key, read_object
from tests.cli.support import SMALL, Run, document_path, removed
from tests.conftest import running_app
from tests.support.client import delete, renew, share, upload
from tests.support.marks import on_both_databases, without_rate_limits
from tests.support.sync_batches import SESSION, document_of, first, message_items, shared, sync
from tests.support.writer import Writer

pytestmark = [on_both_databases, without_rate_limits]

SENTENCE = "sessions copied: {}, unchanged: {}, skipped: {}\n"
KEY = document_key("GhIjKlMn")
BeforeCopy = Callable[[Callable[[], Any]], list[Any]]


@pytest.fixture
def writer(client: FlaskClient) -> Writer:
    return Writer(client, SESSION)


def copy_of(app: Flask, share_id: str = "GhIjKlMn") -> dict[str, Any] | None:
    with app.app_context():
        found = read_object(services().store, document_key(share_id))
    if found is None:
        return None
    document: dict[str, Any] = json.loads(gzip.decompress(found[1]))
    return document


@pytest.fixture
def without_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever no row names is old enough to be deleted."""
    for module in (object_cleanup, cleanup):
        monkeypatch.setattr(module, "GRACE", timedelta(minutes=-1))


@pytest.fixture
def before_copy(monkeypatch: pytest.MonkeyPatch) -> BeforeCopy:
    """Does something in the moment before a copy is written, and returns the list that gets the answer."""
    put = DiskStore.put

    def arrange(act: Callable[[], Any]) -> list[Any]:
        answers: list[Any] = []

        def put_late(store: DiskStore, key: str, data: bytes, **options: Any) -> None:
            if key == KEY:
                # A thread of its own has an application context and a database session of its own.
                with ThreadPoolExecutor(1) as other:
                    answers.append(other.submit(act).result())
            put(store, key, data, **options)

        monkeypatch.setattr(DiskStore, "put", put_late)
        return answers

    return arrange


def clean_up(app: Flask, share_id: str = "GhIjKlMn") -> None:
    with app.app_context():
        services().object_cleanup.run(share_id)


def old_upload(client: FlaskClient, writer: Writer) -> Callable[[], Any]:
    """What a client that commits nothing does with a new link, to be called later."""
    body = json.dumps(writer.document()).encode()
    link = renew(client, "GhIjKlMn", writer.secret, size=len(body)).get_json()
    return lambda: upload(client, link, body)


def test_sessions_of_both_ways_are_copied_with_all_that_was_pending(
    app: Flask, client: FlaskClient, writer: Writer, run: Run
) -> None:
    writer.snapshot()
    writer.change(writer.rename("Renamed"))
    synced = shared(client, first(2))
    share(client, SMALL, "whole-uploads")
    assert run("checkpoint").stdout == SENTENCE.format(2, 0, 0)
    assert copy_of(app) == writer.stored()
    assert copy_of(app, synced["id"]) == document_of(client, synced)


def test_only_what_has_changed_is_copied_again(
    app: Flask, client: FlaskClient, writer: Writer, run: Run
) -> None:
    writer.snapshot()
    synced = shared(client, first(2))
    assert run("checkpoint").stdout == SENTENCE.format(2, 0, 0)
    assert run("checkpoint").stdout == SENTENCE.format(0, 2, 0)
    sync(client, synced, [*message_items(SESSION["messages"][2])])
    assert run("checkpoint").stdout == SENTENCE.format(1, 1, 0)
    assert copy_of(app, synced["id"]) == document_of(client, synced)
    with app.app_context():
        services().store.delete(KEY)
    assert run("checkpoint").stdout == SENTENCE.format(1, 1, 0)


def test_a_copy_that_falls_behind_hides_nothing_from_readers(
    client: FlaskClient, writer: Writer, run: Run
) -> None:
    writer.snapshot()
    run("checkpoint")
    writer.change(writer.rename("Newer than the copy"))
    writer.assert_stored()
    assert "Newer than the copy" in client.get("/share/GhIjKlMn").text


@pytest.mark.usefixtures("without_grace")
def test_cleaning_up_leaves_the_copy(app: Flask, writer: Writer, run: Run) -> None:
    writer.snapshot()
    run("checkpoint")
    clean_up(app)
    assert removed(run("sweep", "--json")) == {}
    assert copy_of(app) == writer.stored()


@pytest.mark.usefixtures("without_grace")
@pytest.mark.parametrize("way", ["maintenance", "sweep"])
def test_what_is_uploaded_over_a_copy_by_a_link_from_before_is_cleaned_up(
    app: Flask, client: FlaskClient, writer: Writer, run: Run, way: str
) -> None:
    late = old_upload(client, writer)
    writer.snapshot()
    run("checkpoint")
    assert late().status_code == 200
    writer.change(writer.rename("Goes on"))
    writer.assert_stored()
    if way == "maintenance":
        clean_up(app)
    else:
        assert removed(run("sweep", "--json")) == {"strays": [KEY]}
    assert not document_path(app, "GhIjKlMn").exists()


def test_a_client_of_the_old_way_replaces_the_copy_and_is_read(
    app: Flask, client: FlaskClient, writer: Writer, run: Run
) -> None:
    writer.snapshot()
    run("checkpoint")
    writer.rename("By an older plugin")
    put = old_upload(client, writer)
    assert copy_of(app) is None
    assert put().status_code == 200
    writer.assert_stored()
    assert run("checkpoint").stdout == SENTENCE.format(0, 0, 1)
    writer.assert_stored()


def test_no_copy_is_made_while_a_client_of_the_old_way_has_a_link(
    app: Flask, client: FlaskClient, writer: Writer, run: Run
) -> None:
    writer.snapshot()
    put = old_upload(client, writer)
    assert run("checkpoint").stdout == SENTENCE.format(0, 0, 1)
    assert copy_of(app) is None
    assert put().status_code == 200
    writer.assert_stored()


def test_no_link_of_the_old_way_is_issued_while_a_copy_is_written(
    app: Flask, client: FlaskClient, writer: Writer, run: Run, before_copy: BeforeCopy
) -> None:
    writer.snapshot()
    answers = before_copy(lambda: renew(client, "GhIjKlMn", writer.secret, size=1))
    assert run("checkpoint").stdout == SENTENCE.format(1, 0, 0)
    assert [answer.status_code for answer in answers] == [503]
    assert renew(client, "GhIjKlMn", writer.secret, size=1).status_code == 200
    assert copy_of(app) is None


def test_a_snapshot_deletes_the_copy_of_what_it_replaces(app: Flask, writer: Writer, run: Run) -> None:
    """A secret that was found late would otherwise stay in the bucket."""
    writer.snapshot()
    run("checkpoint")
    writer.snapshot()
    assert copy_of(app) is None


def test_what_a_snapshot_overtakes_is_not_left_as_a_copy(
    app: Flask, writer: Writer, run: Run, before_copy: BeforeCopy
) -> None:
    writer.snapshot()
    before_copy(writer.snapshot)
    assert run("checkpoint").stdout == SENTENCE.format(0, 0, 1)
    assert copy_of(app) is None


def test_no_copy_outlives_a_share_that_is_deleted_meanwhile(
    app: Flask, client: FlaskClient, writer: Writer, run: Run, before_copy: BeforeCopy
) -> None:
    writer.snapshot()
    before_copy(lambda: delete(client, "GhIjKlMn", writer.secret))
    assert run("checkpoint").stdout == SENTENCE.format(0, 0, 1)
    assert copy_of(app) is None


def test_deleting_a_share_deletes_the_copy(app: Flask, client: FlaskClient, writer: Writer, run: Run) -> None:
    writer.snapshot()
    run("checkpoint")
    assert delete(client, "GhIjKlMn", writer.secret).status_code == 200
    assert copy_of(app) is None


def test_a_share_whose_session_is_lost_or_being_written_stops_nothing(
    app: Flask, client: FlaskClient, writer: Writer, run: Run
) -> None:
    writer.snapshot()
    shared(client, first(2))
    with app.app_context():
        checkpoint = db.session.get_one(Share, "GhIjKlMn").checkpoint
        services().store.delete(object_key("GhIjKlMn", str(checkpoint)))
    assert run("checkpoint").stdout == SENTENCE.format(1, 0, 1)
    with app.app_context(), advisory_lock("GhIjKlMn"):
        assert run("checkpoint").stdout == SENTENCE.format(0, 1, 1)


@pytest.mark.usefixtures("without_grace")
def test_the_copy_in_a_bucket_is_a_whole_document_until_the_share_is_deleted(
    settings: dict[str, str], empty_bucket: dict[str, str]
) -> None:
    with running_app({**settings, **empty_bucket}) as app:
        client = app.test_client()

        def run(*words: str) -> Result:
            return app.test_cli_runner().invoke(args=["shares", *words])

        synced = shared(client, first(2))
        share_id = synced["id"]
        assert run("checkpoint").stdout == SENTENCE.format(1, 0, 0)
        sync(client, synced, [*message_items(SESSION["messages"][2])])
        assert run("checkpoint").stdout == SENTENCE.format(1, 0, 0)
        assert copy_of(app, share_id) == document_of(client, synced)
        clean_up(app, share_id)
        assert removed(run("sweep", "--json")) == {}
        assert copy_of(app, share_id) == document_of(client, synced)
        body = {"secret": synced["secret"]}
        assert client.delete(f"/api/share/{share_id}", json=body).status_code == 200
        assert copy_of(app, share_id) is None
