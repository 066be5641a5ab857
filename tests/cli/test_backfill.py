"""`flask shares backfill-titles`."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.db.extensions import db
from app.db.models import Share
from app.services.container import services
from app.services.documents.service import Documents
from app.services.shares import inventory
from tests.cli.support import LARGE, SMALL, Run, refuse
from tests.support.client import create, delete, share, share_unchecked
from tests.support.marks import on_both_databases, without_rate_limits
from tests.support.sync_batches import SESSION, shared

pytestmark = [on_both_databases, without_rate_limits]

SENTENCE = "titles read: {}, sessions that cannot be read: {}\n"


def forget_titles(app: Flask) -> None:
    """As a release without these columns left the rows."""
    with app.app_context():
        db.session.execute(update(Share).values(title=None, project=None, upload_bytes=None))
        db.session.commit()
        for cache_key in services().cache_keys():
            services().forget(cache_key)


def titles(app: Flask) -> dict[str, str | None]:
    with app.app_context():
        return {row.share_id: row.title for row in db.session.execute(select(Share.share_id, Share.title))}


def test_every_share_that_has_a_session_gets_its_title(
    app: Flask, client: FlaskClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "IDS_PER_QUERY", 2)
    share(client, SMALL, "small-share")
    share(client, LARGE, "large-share")
    synced = shared(client, SESSION)["id"]
    share_unchecked(client, b"no session", "broken")
    create(client, "empty-share")
    delete(client, "gone-share", share(client, SMALL, "gone-share")["secret"])
    forget_titles(app)
    assert run("backfill-titles").stdout == SENTENCE.format(3, 1)
    found = titles(app)
    assert found["large-share"] == found[synced] == SESSION["session"]["title"]
    assert found["small-share"]
    assert (found["broken"], found["empty-share"], found["gone-share"]) == (None, None, None)
    assert run("backfill-titles").stdout == SENTENCE.format(0, 1)
    assert titles(app) == found


def test_a_share_with_a_title_from_before_there_were_sizes_gets_its_size(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share(client, SMALL, "uploaded")
    synced = shared(client, SESSION)["id"]
    client.get(f"/share/{synced}")
    before = titles(app)
    with app.app_context():
        db.session.execute(update(Share).values(upload_bytes=None))
        db.session.commit()
    assert run("backfill-titles").stdout == SENTENCE.format(1, 0)
    with app.app_context():
        found = db.session.get(Share, "uploaded")
        assert found
        assert found.upload_bytes == len(SMALL)
    assert titles(app) == before


def test_it_leaves_no_documents_in_the_cache(app: Flask, client: FlaskClient, run: Run) -> None:
    share(client, LARGE)
    forget_titles(app)
    assert run("backfill-titles").exit_code == 0
    with app.app_context():
        assert list(services().cache.cache_keys()) == []


def test_once_the_storage_answers_again_it_continues(
    app: Flask, client: FlaskClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("share-a", "share-b"):
        share(client, SMALL, name)
    forget_titles(app)
    with monkeypatch.context() as failing:
        failing.setattr(Documents, "read", refuse)
        failed = run("backfill-titles")
    assert (failed.exit_code, "The session storage failed" in failed.stderr) == (1, True)
    assert run("backfill-titles").stdout == SENTENCE.format(2, 0)


def test_it_does_not_go_back_behind_a_reader(
    app: Flask, client: FlaskClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, LARGE)
    forget_titles(app)
    read = Documents.read

    def read_slowly(documents: Documents, live: object) -> object:
        found = read(documents, live)  # type: ignore[arg-type]
        db.session.execute(update(Share).values(title="What a later version says", upload_bytes=1))
        db.session.commit()
        return found

    monkeypatch.setattr(Documents, "read", read_slowly)
    assert run("backfill-titles").stdout == SENTENCE.format(0, 0)
    assert titles(app) == {"GhIjKlMn": "What a later version says"}
