"""Reads beside a delete, and what a reader is told twice."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services.container import services
from app.storage import DiskStore
from tests.support.client import share, share_unchecked
from tests.support.marks import on_both_databases, without_rate_limits
from tests.support.recorded import document_bytes
from tests.support.sync_batches import SESSION, checkpoint, items, shared, sync

pytestmark = [on_both_databases, without_rate_limits]
ROUTES = [
    "/share/{}",
    "/share/{}.json",
    "/share/{}.md",
    "/share/{}/changes",
    "/api/share/{}",
    "/api/share/{}/data",
]


@pytest.fixture
def deletes_first(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Deletes a share after its row was read and before the store is asked, once."""

    def arm(share_id: str) -> None:
        open_object = DiskStore.open

        def delete_and_open(self: DiskStore, *arguments: Any, **options: Any) -> Any:
            monkeypatch.setattr(DiskStore, "open", open_object)
            services().shares.delete_unchecked(share_id)
            return open_object(self, *arguments, **options)

        monkeypatch.setattr(DiskStore, "open", delete_and_open)

    return arm


@pytest.mark.parametrize("route", ROUTES)
def test_a_session_that_is_deleted_while_it_is_read_is_not_found(
    client: FlaskClient, deletes_first: Any, route: str
) -> None:
    share(client, document_bytes("single-message"))
    deletes_first("GhIjKlMn")
    assert client.get(route.format("GhIjKlMn")).status_code == 404
    assert client.get(route.format("GhIjKlMn")).status_code == 404


@pytest.mark.parametrize("route", ROUTES)
def test_a_synced_session_that_is_deleted_while_it_is_read_is_not_found(
    app: Flask, client: FlaskClient, deletes_first: Any, route: str
) -> None:
    native = shared(client, SESSION)
    checkpoint(app, native)
    assert sync(client, native, items(SESSION)[:1]).status_code == 200
    deletes_first(native["id"])
    assert client.get(route.format(native["id"])).status_code == 404
    assert client.get(route.format(native["id"])).status_code == 404


@pytest.mark.parametrize("route", ROUTES)
def test_a_document_that_cannot_be_read_is_refused_in_the_same_words_each_time(
    client: FlaskClient, route: str
) -> None:
    share_unchecked(client, b'{"messages": [')
    first, second = (client.get(route.format("GhIjKlMn")) for _ in range(2))
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert first.status_code == 422
