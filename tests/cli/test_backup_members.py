"""Members and their personal tokens in `flask shares backup`, `restore` and `migrate-store`."""

from __future__ import annotations

import gzip
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update

from app.db.extensions import db
from app.db.models import Member, PersonalToken
from app.services.container import services
from app.services.members.identity import Identity
from tests.account.support import PROXY, Browser
from tests.cli.support import SMALL
from tests.cli.test_backup import Place, back_up, flask, place, restore, snapshots, started
from tests.conftest import running_app
from tests.support import client as uploads

__all__ = ["place"]

GRACE = Identity.from_proxy("grace")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def settings(place: Place, kind: str = "sqlite and a folder") -> dict[str, str]:
    return {**place(kind), **PROXY}


def creates(app: Flask, token: str, share_id: str) -> bool:
    """Whether a token is good for a share, which is its member's own then."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    answer = uploads.create(client, share_id, audience="members")
    if answer.status_code == 401:
        return False
    with app.app_context():
        row = services().shares.find(share_id)
        assert row
        assert row.member == GRACE.member_id
    return True


def listed(app: Flask, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(flask(app, kind, "list", "--json").stdout)
    return found


def execute(app: Flask, statement: Any) -> None:
    with app.app_context():
        db.session.execute(statement)
        db.session.commit()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sqlite and a folder", "sqlite and a folder"),
        ("sqlite and a folder", "postgresql and s3"),
        ("postgresql and s3", "sqlite and a folder"),
    ],
)
def test_on_an_empty_machine_members_have_their_shares_and_tokens_back(
    place: Place, folder: Path, old: str, new: str
) -> None:
    with started(settings(place, old) | {"SHARE_CREATE_TOKEN": "team:the-token-of-the-team"}) as app:
        token = Browser(app.test_client(), "grace").new_token("laptop")
        assert creates(app, token, "graces01")
        before = listed(app, "members"), listed(app, "tokens")
        assert "1 members" in back_up(app, folder)
    with running_app(settings(place, new) | {"SHARE_CREATE_TOKEN": "team:the-token-of-the-team"}) as app:
        assert "1 members" in restore(app, folder)
        assert (listed(app, "members"), listed(app, "tokens")) == before
        assert "by <bdi>grace</bdi>" in Browser(app.test_client(), "root").get("/account/shares").text
        assert creates(app, token, "graces02")
        assert "graces01" in Browser(app.test_client(), "grace").get("/account/shares").text


def test_a_backup_holds_hashes_of_tokens_and_no_key_that_signs(place: Place, folder: Path) -> None:
    with started(settings(place)) as app:
        token = Browser(app.test_client(), "grace").new_token()
        with app.app_context():
            key = services().signing._key
        back_up(app, folder)
    [path] = folder.glob("members/*")
    content = gzip.decompress(path.read_bytes())
    assert b'"hash"' in content
    assert token.encode() not in content
    assert key.encode() not in content


def test_a_token_that_was_revoked_after_a_backup_stays_so(place: Place, folder: Path) -> None:
    with started(settings(place)) as app:
        browser = Browser(app.test_client(), "grace")
        revoked, kept = browser.new_token("revoked"), browser.new_token("kept")
        back_up(app, folder)
        [id] = [token["id"] for token in listed(app, "tokens") if token["name"] == "revoked"]
        assert flask(app, "tokens", "revoke", id).exit_code == 0
        back_up(app, folder)
    older, _ = snapshots(folder)
    with running_app(settings(place) | {"SHARE_CREATE_TOKEN": "team:the-token-of-the-team"}) as app:
        restore(app, folder, "--at", older)
        assert creates(app, kept, "graces01")
        assert not creates(app, revoked, "graces02")


def test_a_database_of_before_learns_from_a_backup_that_a_token_was_revoked(
    place: Place, folder: Path
) -> None:
    with started(settings(place) | {"SHARE_CREATE_TOKEN": "team:the-token-of-the-team"}) as app:
        token = Browser(app.test_client(), "grace").new_token()
        [id] = [token["id"] for token in listed(app, "tokens")]
        assert flask(app, "tokens", "revoke", id).exit_code == 0
        back_up(app, folder)
        execute(app, update(PersonalToken).values(revoked_at=None))
        assert creates(app, token, "graces01")
        restore(app, folder)
        assert not creates(app, token, "graces02")


def test_a_token_that_the_database_knows_to_be_revoked_stays_so(place: Place, folder: Path) -> None:
    with started(settings(place)) as app:
        Browser(app.test_client(), "grace").new_token()
        back_up(app, folder)
        [id] = [token["id"] for token in listed(app, "tokens")]
        assert flask(app, "tokens", "revoke", id).exit_code == 0
        assert "0 members" in restore(app, folder)
        [token] = listed(app, "tokens")
        assert token["revokedAt"]


def test_a_member_who_was_removed_after_a_backup_does_not_come_back(place: Place, folder: Path) -> None:
    with started(settings(place)) as app:
        for name in ("grace", "ada"):
            Browser(app.test_client(), name).new_token()
        back_up(app, folder)
        assert flask(app, "members", "remove", "ada").exit_code == 0
        back_up(app, folder)
    older, _ = snapshots(folder)
    with running_app(settings(place)) as app:
        assert "1 members" in restore(app, folder, "--at", older)
        assert [member["account"] for member in listed(app, "members")] == ["grace"]


def test_sessions_from_before_a_restore_have_ended(place: Place, folder: Path) -> None:
    with started(settings(place)) as app:
        Browser(app.test_client(), "grace").get("/account/shares")
        back_up(app, folder)
        execute(app, delete(Member))
        before = datetime.now(UTC)
        restore(app, folder)
        with app.app_context():
            member = services().members.get(GRACE.member_id)
        assert member
        assert not member.has_session_since(before)
        assert member.has_session_since(datetime.now(UTC))


def test_a_backup_from_before_there_were_members_is_restored(place: Place, folder: Path) -> None:
    with started(settings(place)) as app:
        uploads.share(app.test_client(), SMALL, "old-share")
        back_up(app, folder)
        shutil.rmtree(folder / "members")
        back_up(app, folder)
    older, _ = snapshots(folder)
    for name in (older, snapshots(folder)[1]):
        with running_app(settings(place)) as app:
            assert "1 shares" in restore(app, folder, "--at", name)


def test_damaged_members_are_reported(place: Place, folder: Path) -> None:
    with started(settings(place)) as app:
        uploads.share(app.test_client(), SMALL, "a-share")
        back_up(app, folder)
        [path] = folder.glob("members/*")
        path.write_bytes(path.read_bytes()[:-9])
        failed = flask(app, "shares", "restore", str(folder))
        assert (failed.exit_code, "is damaged" in failed.stderr) == (1, True)


def test_members_leave_with_the_backups_that_had_them(place: Place, folder: Path) -> None:
    with started(settings(place)) as app:
        for _ in range(3):
            back_up(app, folder, "--keep", "2")
    names = [path.name.removesuffix(".json.gz") for path in folder.glob("members/*")]
    assert sorted(names) == snapshots(folder)


def test_a_move_to_another_database_takes_members_and_tokens_along(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = settings(place)
    with started(old) as app:
        token = Browser(app.test_client(), "grace").new_token()
    monkeypatch.setenv("OLD_DATA_DIR", old["DATA_DIR"])
    with started(settings(place) | {"SHARE_CREATE_TOKEN": "team:the-token-of-the-team"}) as app:
        assert "members moved: 1" in flask(app, "shares", "migrate-store").stdout
        assert creates(app, token, "graces01")
