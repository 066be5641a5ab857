"""A host that has read a session reads only what changes in it, and says what one says that reads it anew."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services.container import services
from app.services.documents.cache import DocumentCache
from tests.conftest import running_app
from tests.faults.test_damaged_cache import DAMAGES
from tests.opencode.test_index_extender import DOCUMENTS
from tests.support.marks import without_rate_limits
from tests.support.random_changes import RandomChanges
from tests.support.writer import Writer

pytestmark = without_rate_limits

SHARE = "GhIjKlMn"
PAGES = (
    f"/share/{SHARE}",
    f"/share/{SHARE}/steps/2",
    f"/share/{SHARE}/prompts",
    f"/share/{SHARE}/changes",
    f"/share/{SHARE}/search?q=number",
    f"/share/{SHARE}.json",
    f"/share/{SHARE}.md",
    f"/share/{SHARE}.html",
    f"/api/share/{SHARE}",
    f"/api/share/{SHARE}/data",
)


@pytest.fixture
def other(app: Flask, settings: dict[str, str], tmp_path: Path) -> Iterator[FlaskClient]:
    """A reader on another host, which has the same database and store, and a cache of its own."""
    there = {**settings, "DATABASE_URL": app.config["DATABASE_URL"], "DATA_DIR": str(tmp_path / "there")}
    with running_app(there) as host:
        documents = Path(settings["DATA_DIR"], "documents")
        documents.mkdir(exist_ok=True)
        Path(there["DATA_DIR"], "documents").symlink_to(documents)
        yield host.test_client()


@pytest.fixture
def extended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ETags of versions that were cached by extending another."""
    etags: list[str] = []
    extend = DocumentCache.extend

    def noted(self: DocumentCache, share: Any, etag: str, *others: Any) -> object:
        etags.append(etag)
        return extend(self, share, etag, *others)

    monkeypatch.setattr(DocumentCache, "extend", noted)
    return etags


@pytest.mark.parametrize("seed", range(3))
def test_it_says_the_same_as_a_host_that_reads_everything(
    client: FlaskClient, other: FlaskClient, extended: list[str], seed: int, tmp_path: Path
) -> None:
    writer = Writer(client, DOCUMENTS["rate-limit-feature"])
    writer.snapshot()
    changes = RandomChanges(writer.document(), seed)
    client.get(f"/share/{SHARE}")
    for number in range(12):
        assert writer.change(*changes.batch()).status_code == 200
        assert client.get(f"/share/{SHARE}").status_code == 200
        if number % 4 == 3:
            shutil.rmtree(tmp_path / "there" / "cache", ignore_errors=True)
            for page in PAGES:
                here, there = client.get(page), other.get(page)
                assert (here.status_code, _body(here)) == (there.status_code, _body(there)), page
    assert len(extended) > 6


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_what_it_extends_is_not_shown(
    client: FlaskClient, settings: dict[str, str], extended: list[str], damage: str
) -> None:
    writer = Writer(client, DOCUMENTS["rate-limit-feature"])
    writer.snapshot()
    changes = RandomChanges(writer.document(), seed=7)
    for _ in range(3):
        client.get(f"/share/{SHARE}")
        assert writer.change(*changes.batch()).status_code == 200
    client.get(f"/share/{SHARE}")
    expected = client.get(f"/api/share/{SHARE}").text
    assert extended
    [messages] = Path(settings["DATA_DIR"], "cache").glob("*/*.messages")
    content = DAMAGES[damage](messages.read_bytes())
    messages.unlink()
    messages.write_bytes(content)
    assert client.get(f"/api/share/{SHARE}").text == expected
    writer.change({"type": "todo", "data": {"id": "1"}})
    assert client.get(f"/share/{SHARE}").status_code == 200
    grown = client.get(f"/api/share/{SHARE}").get_json()
    assert grown["messages"] == json.loads(expected)["messages"]


def test_it_reads_everything_on_a_disk_without_hard_links(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(Path, "hardlink_to", fail)
    writer = Writer(client, DOCUMENTS["rate-limit-feature"])
    writer.snapshot()
    for title in ("First", "Second"):
        client.get(f"/share/{SHARE}")
        writer.change(writer.rename(title))
        assert f"<title>{title}" in client.get(f"/share/{SHARE}").text


def test_what_a_version_no_longer_needs_is_dropped_when_it_outweighs_the_rest(
    client: FlaskClient, settings: dict[str, str], extended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.documents.cache.SPARE_BYTES", 0)
    writer = Writer(client, DOCUMENTS["rate-limit-feature"])
    writer.snapshot()
    [*_, last] = writer.messages.values()
    sizes = []
    for number in range(12):
        client.get(f"/share/{SHARE}")
        text = {**last["parts"][0], "type": "text", "text": f"{number} " * 20_000}
        writer.change(writer.put_message({**last, "parts": [text]}))
        [messages] = Path(settings["DATA_DIR"], "cache").glob("*/*.messages")
        sizes.append(messages.stat().st_size)
    assert len(extended) < 11
    assert max(sizes) < 4 * len(client.get(f"/api/share/{SHARE}").data)
    writer.assert_stored()


def test_a_checkpoint_is_extended_by_what_comes_after_it(
    app: Flask, client: FlaskClient, extended: list[str]
) -> None:
    writer = Writer(client, DOCUMENTS["rate-limit-feature"])
    writer.snapshot()
    client.get(f"/share/{SHARE}")
    for number in range(2):
        writer.change(writer.rename(f"Title {number}"))
        client.get(f"/share/{SHARE}")
        assert len(extended) == number + 1
        with app.app_context():
            services().checkpointer.checkpoint(SHARE)
        # A page that is not in memory finds out what the row names by now.
        client.get(f"/share/{SHARE}/prompts")
    writer.assert_stored()


def _body(response: Any) -> str:
    """What is the same on every host: not how long something took."""
    return re.sub(r"took \d+ ms", "", response.text)
