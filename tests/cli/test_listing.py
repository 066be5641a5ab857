"""`flask shares list`, `show` and `stats`."""

from __future__ import annotations

import json
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.cli.support import (
    DAY,
    LARGE,
    SMALL,
    Run,
    age,
    ids,
)
from tests.conftest import running_app
from tests.support.client import create, delete, share, share_unchecked
from tests.support.marks import on_both_databases, without_rate_limits

pytestmark = [on_both_databases, without_rate_limits]


def test_shares_are_listed_oldest_first_with_what_they_take(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share(client, LARGE, "newer")
    share(client, SMALL, "older", expiresIn=86_400 * 30)
    create(client, "oldest")
    age(app, "older", DAY)
    age(app, "oldest", 2 * DAY)
    header, *lines = run("list").stdout.splitlines()
    assert header.split()[0] == "SHARE"
    assert [line.split()[0] for line in lines] == ["oldest", "older", "newer"]
    [_, older, _] = json.loads(run("list", "--json").stdout)
    assert older["url"] == "https://share.example.com/share/older"
    assert older["size"] == len(SMALL)
    assert older["expiresAt"] - older["createdAt"] == 86_400 * 30 * 1000
    assert older["createdAt"] / 1000 == pytest.approx(time.time() - 86_400, abs=60)
    assert older["expired"] is False


def test_a_list_can_be_narrowed(app: Flask, client: FlaskClient, run: Run) -> None:
    share(client, LARGE, "large")
    share(client, SMALL, "small", expiresIn=3600)
    create(client, "empty")
    age(app, "small", DAY)
    delete(client, "gone", create(client, "gone").get_json()["secret"])
    assert ids(run("list", "--json")) == ["small", "large", "empty"]
    assert ids(run("list", "--json", "--older-than", "23h")) == ["small"]
    assert ids(run("list", "--json", "--newer-than", "23h")) == ["large", "empty"]
    assert ids(run("list", "--json", "--larger-than", f"{len(SMALL)}")) == ["large"]
    assert ids(run("list", "--json", "--larger-than", "10MB")) == []
    assert ids(run("list", "--json", "--never-uploaded")) == ["empty"]
    assert ids(run("list", "--json", "--expired")) == ["small"]
    assert ids(run("list", "--json", "--newer-than", "1h", "--never-uploaded")) == ["empty"]


def test_a_list_tells_whose_token_made_a_share(settings: dict[str, str]) -> None:
    token = "alices-token-for-tests"
    with running_app({**settings, "SHARE_CREATE_TOKEN": f"alice:{token},bob:bobs-token-for-tests"}) as app:
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        create(client)
        run = app.test_cli_runner().invoke
        assert ids(run(args=["shares", "list", "--json", "--created-by", "alice"])) == ["GhIjKlMn"]
        assert ids(run(args=["shares", "list", "--json", "--created-by", "bob"])) == []


@pytest.mark.parametrize(
    "words",
    [["list", "--older-than", "30"], ["list", "--larger-than", "ten"], ["show", "not/an id"], ["delete"]],
)
def test_a_wrong_usage_ends_with_status_2(run: Run, words: list[str]) -> None:
    assert run(*words).exit_code == 2


def test_one_share_is_shown_with_the_title_of_its_session(client: FlaskClient, run: Run) -> None:
    share(client, LARGE)
    facts = json.loads(run("show", "https://share.example.com/share/GhIjKlMn", "--json").stdout)
    assert facts["title"] == "Add per-client rate limiting to the order API"
    assert facts["size"] == len(LARGE)
    assert "Add per-client rate limiting" in run("show", "GhIjKlMn").stdout


def test_a_list_says_the_project_and_title_of_each_session(client: FlaskClient, run: Run) -> None:
    document = json.loads(SMALL)
    document["session"] |= {"title": "word " * 30, "directory": "/home/ana/" + "project-" * 9}
    share(client, json.dumps(document).encode())
    create(client, "empty")
    _, line, empty = run("list").stdout.splitlines()
    assert line.endswith("  project-project-proj…  " + "word " * 11 + "word…")
    assert empty.split()[-2:] == ["-", "-"]
    [listed, _] = json.loads(run("list", "--json").stdout)
    assert (listed["title"], listed["project"]) == ("word " * 30, "project-" * 9)


def test_a_title_obeys_no_terminal(client: FlaskClient, run: Run) -> None:
    title = "\x1b]0;owned\x07\x9b2J\x7f\u202eevil\u2028\nshareId: forged"
    document = json.loads(SMALL)
    document["session"]["title"] = title
    share(client, json.dumps(document).encode())
    shown, as_json = run("show", "GhIjKlMn").stdout, run("show", "GhIjKlMn", "--json").stdout
    listed = run("list").stdout
    assert len(listed.splitlines()) == 2
    assert "\\x1b]0;owned\\x07\\x9b2J\\x7f\\u202eevil\\u2028" in listed
    assert "\\x1b]0;owned\\x07\\x9b2J\\x7f\\u202eevil\\u2028" in shown
    assert all(line.isprintable() for text in (shown, as_json, listed) for line in text.split("\n"))
    assert not any(line.startswith("shareId: forged") for line in shown.split("\n"))
    assert json.loads(as_json)["title"].startswith("\x1b]0;owned\x07\x9b2J\x7f\u202eevil")


def test_a_share_whose_document_cannot_be_read_is_shown_all_the_same(client: FlaskClient, run: Run) -> None:
    share_unchecked(client, b"no session")
    assert json.loads(run("show", "GhIjKlMn", "--json").stdout)["title"] is None
    assert "unreadable" in run("show", "GhIjKlMn").stdout


def test_what_is_not_there_cannot_be_shown(run: Run) -> None:
    result = run("show", "unknown")
    assert result.exit_code == 1
    assert "no share with this id" in result.stderr


def test_numbers_tell_what_a_server_holds(app: Flask, client: FlaskClient, run: Run) -> None:
    share(client, LARGE, "large")
    share(client, SMALL, "small", expiresIn=3600)
    create(client, "empty")
    age(app, "small", 3 * DAY)
    delete(client, "gone", create(client, "gone").get_json()["secret"])
    assert json.loads(run("stats", "--json").stdout) == {
        "shares": 3,
        "expired": 1,
        "neverUploaded": 1,
        "deleted": 1,
        "bytes": len(LARGE) + len(SMALL),
        "largestBytes": len(LARGE),
        "createdInLastDay": 2,
        "createdInLastWeek": 3,
        "createdBy": {},
    }
    assert "never uploaded:" in run("stats").stdout


def test_a_database_out_of_reach_is_said_in_a_sentence(settings: dict[str, str]) -> None:
    with running_app({**settings, "DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/db"}) as app:
        failed = app.test_cli_runner().invoke(args=["shares", "list"])
    assert failed.exit_code == 1
    assert failed.stderr.startswith("Error: The database failed: ")
    assert "hunter2" not in failed.stderr
