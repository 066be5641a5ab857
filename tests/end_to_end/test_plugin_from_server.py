"""A real OpenCode with the plugin that the server hands out, installed as the server's own page says."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lxml.html
import pytest

from tests.end_to_end.model import Step, scripted_model
from tests.end_to_end.opencode import (
    DEAD_END,
    OLDER,
    PROGRAM,
    OpenCode,
    Profile,
    Setup,
    make_profile,
    opencode,
)
from tests.support.optional import OLDER_OPENCODE, require
from tests.support.patience import patience
from tests.support.servers import wait_until
from tests.support.servers.gunicorn import gunicorn
from tests.support.web import fetch

SCRIPT = {"Greet everybody": [Step("Everybody is greeted.")], "Say goodbye": [Step("Goodbye to everybody.")]}


# The newest and an old one; `make test-opencode` names others.
PROGRAMS = [Path(path) for path in os.environ.get("OPENCODE_PROGRAMS", "").split()] or [PROGRAM, OLDER]


@pytest.fixture(params=PROGRAMS, ids=lambda path: "newest" if path == PROGRAM else path.parents[3].name)
def program(request: pytest.FixtureRequest) -> Path:
    if request.param == OLDER:
        require(OLDER_OPENCODE)
    chosen: Path = request.param
    return chosen


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with gunicorn(tmp_path_factory.mktemp("service"), WEB_CONCURRENCY="2") as url:
        yield url


def lines(service: str) -> dict[str, object]:
    """The lines for opencode.json on the page of the server."""
    _, page = fetch("GET", service)
    [code] = lxml.html.fromstring(page).xpath("//pre[@aria-label='Lines for opencode.json']")
    found: dict[str, object] = json.loads(code.text_content())
    return found


@pytest.fixture
def profile(tmp_path: Path, service: str) -> Iterator[Profile]:
    with scripted_model(SCRIPT) as model:
        yield make_profile(tmp_path, Setup(service, None, model, settings=lines(service)))


def wait_for(words: str, link: str) -> None:
    """Waits until the page has the words."""
    wait_until(lambda: words.encode() in fetch("GET", link)[1], lambda: f"{words!r} is not on the page yet")


def wait_for_plugin(editor: OpenCode) -> None:
    wait_until(lambda: editor.share_server() != DEAD_END, lambda: "the plugin is not loaded")


def test_a_newcomer_shares_with_nothing_but_the_lines_of_the_page(
    profile: Profile, service: str, program: Path
) -> None:
    with opencode(profile, program) as editor:
        session = editor.create_session()
        editor.prompt(session, "Greet everybody")
        link = editor.share(session)
        assert link.startswith(f"{service}/share/")
        wait_for("Everybody is greeted.", link)
        editor.prompt(session, "Say goodbye")
        wait_for("Goodbye to everybody.", link)
        editor.unshare(session)
        assert fetch("GET", link)[0] == 404


def test_the_command_line_of_the_package_finds_and_removes_the_share(profile: Profile, service: str) -> None:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["npx", "--yes", f"{service}/plugin.tgz", *arguments],
            cwd=profile.project,
            env=profile.environment,
            capture_output=True,
            text=True,
            timeout=patience(120),
            check=True,
        )
        return done.stdout

    with opencode(profile) as editor:
        session = editor.create_session()
        editor.prompt(session, "Greet everybody")
        link = editor.share(session)
    assert link in run("list")
    assert run("remove", link).strip() == f"Removed: {link}"
    assert fetch("GET", link)[0] == 404


def test_two_processes_give_a_session_one_link_and_either_removes_it(profile: Profile, service: str) -> None:
    with opencode(profile) as one, opencode(profile) as other:
        wait_for_plugin(one)
        wait_for_plugin(other)
        session = one.create_session()
        one.prompt(session, "Greet everybody")
        with ThreadPoolExecutor() as both:
            first, second = both.map(lambda editor: editor.share(session), (one, other))
        assert first == second
        wait_for("Everybody is greeted.", first)
        other.unshare(session)
        assert fetch("GET", first)[0] == 404


def test_a_session_that_another_process_deletes_leaves_no_link(profile: Profile, service: str) -> None:
    with opencode(profile) as one, opencode(profile) as other:
        session = one.create_session()
        one.prompt(session, "Greet everybody")
        link = one.share(session)
        wait_for("Everybody is greeted.", link)
        wait_for_plugin(other)
        other.delete_session(session)
        wait_until(lambda: fetch("GET", link)[0] == 404, lambda: "the link still works")
