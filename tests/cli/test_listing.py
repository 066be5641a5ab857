"""`flask shares list`, `show` and `stats`."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime

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
from tests.support.marks import on_both_databases, on_sqlite, without_rate_limits

pytestmark = [on_both_databases, without_rate_limits]


def test_shares_are_listed_newest_first_with_what_they_take(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share(client, LARGE, "newer-share")
    share(client, SMALL, "older-share", expiresIn=86_400 * 30)
    create(client, "oldest-share")
    age(app, "older-share", DAY)
    age(app, "oldest-share", 2 * DAY)
    header, *lines = run("list").stdout.splitlines()
    assert header.split()[0] == "SHARE"
    assert [line.split()[0] for line in lines] == ["newer-share", "older-share", "oldest-share"]
    [_, older, _] = json.loads(run("list", "--json").stdout)
    assert older["url"] == "https://share.example.com/share/older-share"
    assert older["source"] == "upload"
    assert older["size"] == len(SMALL)
    assert older["expiresAt"] - older["createdAt"] == 86_400 * 30 * 1000
    assert older["createdAt"] / 1000 == pytest.approx(time.time() - 86_400, abs=60)
    assert older["expired"] is False


def test_a_list_can_be_narrowed(app: Flask, client: FlaskClient, run: Run) -> None:
    create(client, "no-session")
    share(client, LARGE, "large-session")
    share(client, SMALL, "small-session", expiresIn=3600)
    age(app, "small-session", DAY)
    age(app, "no-session", DAY / 2)
    delete(client, "gone-session", create(client, "gone-session").get_json()["secret"])
    assert ids(run("list", "--json")) == ["large-session", "no-session", "small-session"]
    assert ids(run("list", "--json", "--older-than", "23h")) == ["small-session"]
    assert ids(run("list", "--json", "--newer-than", "23h")) == ["large-session", "no-session"]
    assert ids(run("list", "--json", "--larger-than", f"{len(SMALL)}")) == ["large-session"]
    assert ids(run("list", "--json", "--larger-than", "10MB")) == []
    assert ids(run("list", "--json", "--never-uploaded")) == ["no-session"]
    assert ids(run("list", "--json", "--expired")) == ["small-session"]
    assert ids(run("list", "--json", "--newer-than", "13h", "--never-uploaded")) == ["no-session"]


def test_a_list_ends_after_its_limit_and_says_how_many_more_there_are(client: FlaskClient, run: Run) -> None:
    for number in range(52):
        create(client, f"share-{number:02}")
    listed = run("list")
    assert len(listed.stdout.splitlines()) == 51
    assert listed.stderr == "2 more; --limit 0 lists all\n"
    assert len(run("list", "--limit", "0").stdout.splitlines()) == 53
    for words in (["--sort", "size"], ["--never-uploaded"], ["--search", ""], ["--json"]):
        listed = run("list", "--limit", "3", *words)
        assert listed.stderr == ("" if words == ["--search", ""] else "49 more; --limit 0 lists all\n")
    assert run("list", "--limit", "52").stderr == ""


def test_machines_get_all_shares_unless_they_set_a_limit(client: FlaskClient, run: Run) -> None:
    assert run("list", "--json").stdout == "[]\n"
    for number in range(52):
        create(client, f"share-{number:02}")
    assert len(json.loads(run("list", "--json").stdout)) == 52
    lines = run("list", "--jsonl").stdout.splitlines()
    assert sorted(json.loads(line)["shareId"] for line in lines) == [f"share-{n:02}" for n in range(52)]
    assert len(json.loads(run("list", "--json", "--limit", "2").stdout)) == 2
    assert len(run("list", "--jsonl", "--limit", "2").stdout.splitlines()) == 2


def titled(title: str, directory: str = "/home/ana/shop") -> bytes:
    document = json.loads(SMALL)
    document["session"] |= {"title": title, "directory": directory}
    return json.dumps(document).encode()


def test_a_search_looks_at_titles_and_projects_in_any_case(client: FlaskClient, run: Run) -> None:
    share(client, titled("Fix the Parser"), "parser")
    share(client, titled("100% done", "/home/ana/Parsers"), "project")
    share(client, titled("Something else"), "neither")
    create(client, "untitled")
    assert sorted(ids(run("list", "--json", "--search", "PARSER"))) == ["parser", "project"]
    assert ids(run("list", "--json", "--search", "0%")) == ["project"]
    assert ids(run("list", "--json", "--search", "_")) == []


@on_sqlite
def test_a_search_knows_the_capitals_of_every_alphabet(client: FlaskClient, run: Run) -> None:
    share(client, titled("Über Парсер"))
    for text in ("über", "пАРСЕР"):
        assert ids(run("list", "--json", "--search", text)) == ["GhIjKlMn"]


def test_a_list_is_sorted_by_size_by_upload_or_by_title(app: Flask, client: FlaskClient, run: Run) -> None:
    share(client, titled("Banana"), "medium")
    share(client, LARGE, "larger")
    share(client, titled("Apple")[:-1] + b" " * 100 + b"}", "smaller")
    create(client, "nothing")
    age(app, "larger", DAY)
    for limit in ([], ["--limit", "3"]):
        assert ids(run("list", "--json", "--sort", "size", *limit))[:2] == ["larger", "smaller"]
        assert ids(run("list", "--json", "--sort", "uploaded", *limit))[2] == "larger"
        assert (
            ids(run("list", "--json", "--sort", "title", *limit))
            == (["larger", "smaller", "medium", "nothing"][: 3 if limit else 4])
        )


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


def test_a_list_says_the_project_and_title_of_each_session(app: Flask, client: FlaskClient, run: Run) -> None:
    document = json.loads(SMALL)
    document["session"] |= {"title": "word " * 30, "directory": "/home/ana/" + "project-" * 9}
    share(client, json.dumps(document).encode())
    create(client, "untitled")
    age(app, "GhIjKlMn", DAY)
    _, empty, line = run("list").stdout.splitlines()
    assert line.endswith("  project-project-proj…  " + "word " * 11 + "word…")
    assert empty.split()[-2:] == ["-", "-"]
    [_, listed] = json.loads(run("list", "--json").stdout)
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
    share(client, LARGE, "large-session")
    share(client, SMALL, "small-session", expiresIn=3600)
    create(client, "no-session")
    age(app, "small-session", 3 * DAY)
    delete(client, "gone-session", create(client, "gone-session").get_json()["secret"])
    found = json.loads(run("stats", "--json").stdout)
    months = found.pop("byMonth")
    assert sum(month["shares"] for month in months.values()) == 3
    assert found == {
        "shares": 3,
        "expired": 1,
        "neverUploaded": 1,
        "deleted": 1,
        "bytes": len(LARGE) + len(SMALL),
        "largestBytes": len(LARGE),
        "createdInLastDay": 2,
        "createdInLastWeek": 3,
        "bySource": {"upload": {"shares": 3, "bytes": len(LARGE) + len(SMALL)}},
        "byToken": {},
    }
    assert "never uploaded:" in run("stats").stdout


def test_numbers_are_told_by_way_in_token_and_month(settings: dict[str, str]) -> None:
    token = "alices-token-for-tests"
    with running_app({**settings, "SHARE_CREATE_TOKEN": f"alice:{token}"}) as app:
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        share(client, SMALL, "uploaded")
        assert (
            client.post("/t/" + token + "/api/share", json={"sessionID": "ses_gHiJkLmN"}).status_code == 200
        )
        age(app, "uploaded", 40 * DAY)
        run = app.test_cli_runner().invoke
        found = json.loads(run(args=["shares", "stats", "--json"]).stdout)
        text = run(args=["shares", "stats"]).stdout
    assert found["bySource"]["upload"] == {"shares": 1, "bytes": len(SMALL)}
    assert found["bySource"]["native"]["shares"] == 1
    assert found["byToken"]["alice"]["shares"] == 2
    now = datetime.now(UTC)
    assert list(found["byMonth"]) == [f"{now - 40 * DAY:%Y-%m}", f"{now:%Y-%m}"]
    assert re.search(r"^BY TOKEN +SHARES +SIZE\nalice +2 ", text, re.MULTILINE)


def test_a_database_out_of_reach_is_said_in_a_sentence(settings: dict[str, str]) -> None:
    with running_app({**settings, "DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/db"}) as app:
        failed = app.test_cli_runner().invoke(args=["shares", "list"])
    assert failed.exit_code == 1
    assert failed.stderr.startswith("Error: The database failed: ")
    assert "hunter2" not in failed.stderr
