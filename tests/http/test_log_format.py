"""What the server writes down of its requests, and what it never writes down."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.http.log_format import FORMATTERS, AddressFilter
from tests.conftest import running_app
from tests.support.client import delete, share
from tests.support.recorded import document_bytes

SESSION = document_bytes("rate-limit-feature")


@pytest.fixture(params=["json"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What the app logs, in the format that a test may choose."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(FORMATTERS[request.param]())
    logger = logging.getLogger("app")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


as_text = pytest.mark.parametrize("log", ["text"], indirect=True)


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_request_is_one_line_that_says_what_it_was_and_what_it_took(
    client: FlaskClient, log: io.StringIO
) -> None:
    answer = client.get("/share/GhIjKlMn")
    [line] = lines(log)
    assert line.pop("ms") > 0  # type: ignore[operator]
    assert str(line.pop("time")).endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "app.access",
        "message": "GET /share/GhIjKlMn 404",
        "request_id": answer.headers["X-Request-ID"],
        "method": "GET",
        "route": "/share/<share_id>",
        "share_id": "GhIjKlMn",
        "status": 404,
        "bytes": len(answer.data),
        "client": "127.0.0.1",
    }


@as_text
def test_the_same_as_text(client: FlaskClient, log: io.StringIO) -> None:
    answer = client.get("/share/GhIjKlMn")
    [line] = log.getvalue().splitlines()
    for word in (answer.headers["X-Request-ID"], "GET /share/GhIjKlMn 404", "share_id=GhIjKlMn", "ms="):
        assert word in line


@as_text
def test_neither_secrets_nor_upload_links_are_written_down(client: FlaskClient, log: io.StringIO) -> None:
    answer = share(client, SESSION)
    client.get("/share/GhIjKlMn?theme=dark")
    delete(client, "GhIjKlMn", answer["secret"])
    client.get("/t/the-token-of-a-team/api/share")
    written = log.getvalue()
    # Five requests, and that the share was created and deleted.
    assert len(written.splitlines()) == 7
    assert "PUT /api/upload/sessions/GhIjKlMn.json?*** 200" in written
    assert "/t/***/api/share 405" in written
    for private in (answer["secret"], "sig=", "dark", "the-token"):
        assert private not in written


@as_text
@pytest.mark.parametrize(
    "path", ["/api/share/{}/data", "/api/shares/{}/data", "/share/{}", "/share/{}.md?a=b"]
)
def test_tickets_and_passwords_are_not_written_down(client: FlaskClient, log: io.StringIO, path: str) -> None:
    created = share(client, SESSION, audience="password")
    client.post("/share/GhIjKlMn/password", data={"password": created["password"]})
    client.get(path.format("GhIjKlMn_the-ticket-of-an-hour-"))
    written = log.getvalue()
    assert "/GhIjKlMn_***" in written
    assert "the-ticket" not in written
    assert created["password"] not in written


@as_text
@pytest.mark.parametrize(
    "path",
    [
        "/t//{}/api/share",
        "/t/./{}/api/share",
        "/t/%2F.//{}/x",
        "/sub/t//{}",
        "/t/.{}",
        "/t/%20{}/api/share",
        "/t/%20/{}/api/share",
        "/t/%09{}/x%0Ay",
        "/t/%00/{}",
        "/t/%E2%80%8B/{}/share/x",
        "/%2ft%2f{}",
        "/T/%20{}",
    ],
)
def test_no_spelling_of_an_address_shows_its_token(client: FlaskClient, log: io.StringIO, path: str) -> None:
    client.post(path.format("the-token-of-a-team"))
    assert "/t/***" in log.getvalue()
    assert "the-token" not in log.getvalue()


@as_text
def test_nobody_forges_a_line(client: FlaskClient, log: io.StringIO) -> None:
    client.get("/share/x%0aINFO forged")
    [line] = log.getvalue().splitlines()
    assert "/share/x%0AINFO%20forged" in line
    assert "share_id=x%0AINFO%20forged" in line


@as_text
def test_what_is_logged_of_a_session_obeys_no_terminal_and_stays_one_line(log: io.StringIO) -> None:
    logging.getLogger("app.x").warning("no %s", "\x1b[2J\x9b\u202e\u2028\n2026-01-01 INFO forged")
    assert log.getvalue().endswith(
        " WARNING app.x - no \\x1b[2J\\x9b\\u202e\\u2028\\n2026-01-01 INFO forged\n"
    )
    assert log.getvalue().count("\n") == 1


def test_neither_does_it_as_json(log: io.StringIO) -> None:
    logging.getLogger("app.x").warning("no %s", "\x1b\x9b\u202e\n")
    assert lines(log)[0]["message"] == "no \\x1b\\x9b\\u202e\\n"


@pytest.mark.parametrize("log_format", FORMATTERS)
def test_half_a_surrogate_pair_can_be_logged(log_format: str) -> None:
    line = FORMATTERS[log_format]().format(logging.makeLogRecord({"name": "app.x", "msg": "no \ud800"}))
    assert "ud800" in line.encode().decode()


@as_text
def test_no_line_of_a_traceback_passes_for_a_line_of_the_log(log: io.StringIO) -> None:
    try:
        raise ValueError("broken\n2026-01-01 INFO forged\x1b[2J\r\u2028")
    except ValueError:
        logging.getLogger("app.x").exception("failed")
    first, *others = log.getvalue().removesuffix("\n").split("\n")
    assert first.endswith("app.x - failed")
    assert all(line.startswith("    ") for line in others)
    assert others[-1] == "    2026-01-01 INFO forged\\x1b[2J\\r\\u2028"


def test_a_path_of_any_length_makes_a_short_line(client: FlaskClient, log: io.StringIO) -> None:
    client.get("/" + "x" * 5000)
    assert len(log.getvalue()) < 600


def test_what_is_logged_during_a_request_bears_its_name(
    app: Flask, client: FlaskClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("app.services.shares.live_shares.LiveShares.get", fail)
    answer = client.get("/share/GhIjKlMn")
    error, access = lines(log)
    assert error["request_id"] == access["request_id"] == answer.headers["X-Request-ID"]
    assert "broken on purpose" in str(error["exception"])
    assert access["status"] == 500


def test_only_a_trusted_proxy_names_requests(settings: dict[str, str]) -> None:
    for hops, is_taken in (("0", False), ("1", True)):
        with running_app({**settings, "TRUSTED_PROXIES": hops}) as app:
            answer = app.test_client().get("/healthz", headers={"X-Request-ID": "name-of-nginx"})
        assert (answer.headers["X-Request-ID"] == "name-of-nginx") is is_taken


def test_a_name_that_is_none_is_replaced(settings: dict[str, str]) -> None:
    with running_app({**settings, "TRUSTED_PROXIES": "1"}) as app:
        answer = app.test_client().get("/healthz", headers={"X-Request-ID": "a b;c" * 50})
    assert len(answer.headers["X-Request-ID"]) == 16


def test_what_gunicorn_says_of_a_request_is_masked_too() -> None:
    record = logging.makeLogRecord(
        {"msg": "Error handling request %s", "args": ("/api/upload/x.json?expires=1&sig=abc",)}
    )
    assert AddressFilter().filter(record)
    assert record.getMessage() == "Error handling request /api/upload/x.json?***"
    for path in ("/t/token", "/t//token", "/%74/token", "/T/token", "/%54/token"):
        record = logging.makeLogRecord({"msg": f"Error handling request {path}/api/share"})
        assert AddressFilter().filter(record)
        assert record.getMessage() == "Error handling request /t/***/api/share"


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("Invalid HTTP request line: 'GET /t/ secret HTTP/1.1'", "Invalid HTTP request line"),
        ("Invalid HTTP Header: 'X-Share-Secret secret'", "Invalid HTTP Header"),
        ("Expected HTTP/2 connection preface, got b'secret'", "Expected HTTP/2 connection preface, got b"),
        ("Request Line is too large (5000 > 4094)", "Request Line is too large (5000 > 4094)"),
    ],
)
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", ""])
def test_what_gunicorn_cannot_parse_is_not_quoted(address: str, said: str, logged: str) -> None:
    record = logging.makeLogRecord({"msg": f"Invalid request from ip={address}: {said}"})
    assert AddressFilter().filter(record)
    assert record.getMessage() == f"Invalid request from ip={address}: {logged}"
