"""A real OpenCode with the plugin that the server hands out, installed as the server's own page says."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
    through,
    with_node,
)
from tests.end_to_end.proxy import Trap
from tests.support.optional import OLDER_OPENCODE, require
from tests.support.paths import ROOT
from tests.support.patience import patience
from tests.support.servers import wait_until
from tests.support.servers.gunicorn import gunicorn
from tests.support.web import fetch

SCRIPT = {"Greet everybody": [Step("Everybody is greeted.")], "Say goodbye": [Step("Goodbye to everybody.")]}

VENDOR = "opncd.ai:443"
RIPGREP = {"CONNECT github.com:443"}

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
    settings = {"WEB_CONCURRENCY": "2", "RATELIMIT_CREATE": "1000 per hour"}
    with gunicorn(tmp_path_factory.mktemp("service"), **settings) as url:
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


def test_releases_that_know_no_options_have_them_in_a_file(
    profile: Profile, service: str, program: Path
) -> None:
    options = {"url": service, "redact": {"deny": ["Everybody"]}}
    (settings_file(profile).parent / "better-share.json").write_text(json.dumps(options))
    with opencode(profile, program) as editor:
        session = editor.create_session()
        editor.prompt(session, "Greet everybody")
        link = editor.share(session)
        wait_for("[redacted:private] is greeted.", f"{link}.md")


def run_command(profile: Profile, service: str, *arguments: str) -> str:
    """What the command line of the package prints on the standard output."""
    done = subprocess.run(
        ["npx", "--yes", f"{service}/plugin.tgz", *arguments],
        cwd=profile.project,
        env=with_node(profile.environment),
        capture_output=True,
        text=True,
        timeout=patience(120),
        check=True,
    )
    return done.stdout


def test_the_command_line_of_the_package_finds_and_removes_the_share(profile: Profile, service: str) -> None:
    with opencode(profile) as editor:
        session = editor.create_session()
        editor.prompt(session, "Greet everybody")
        link = editor.share(session)
    assert link in run_command(profile, service, "list")
    assert run_command(profile, service, "remove", link).strip() == f"Removed: {link}"
    assert fetch("GET", link)[0] == 404


def test_opencode_forgets_a_link_that_was_removed_elsewhere(
    profile: Profile, service: str, program: Path
) -> None:
    with opencode(profile, program) as editor:
        session = editor.create_session()
        editor.prompt(session, "Greet everybody")
        link = editor.share(session)
        wait_for("Everybody is greeted.", link)
        assert profile.is_shared(session)
        run_command(profile, service, "remove", link)
        editor.prompt(session, "Say goodbye")
        wait_until(lambda: not profile.is_shared(session), lambda: "it still sends its changes")
        assert fetch("GET", link)[0] == 404


def test_the_command_line_shares_a_session_that_opencode_is_working_on(
    profile: Profile, service: str, program: Path
) -> None:
    with opencode(profile, program) as editor:
        session = editor.create_session()
        editor.prompt(session, "Greet everybody")
        link = run_command(profile, service, "share", session).strip()
        wait_for("Everybody is greeted.", link)
        editor.prompt(session, "Say goodbye")
        assert run_command(profile, service, "update", session).strip() == link
        wait_for("Goodbye to everybody.", link)
        assert editor.share(session) == link


def test_doctor_finds_nothing_wrong(profile: Profile, service: str) -> None:
    checks = json.loads(run_command(profile, service, "doctor", "--json"))["checks"]
    assert [check for check in checks if check["state"] != "ok"] == []


def settings_file(profile: Profile) -> Path:
    return profile.home / "config" / "opencode" / "opencode.json"


def remove_plugin(profile: Profile, service: str) -> str:
    """Leaves sharing to OpenCode alone, on the same server; returns the settings before."""
    before = settings_file(profile).read_text()
    alone = json.loads(before) | {"plugin": [], "enterprise": {"url": service}}
    settings_file(profile).write_text(json.dumps(alone))
    return before


def test_a_session_that_opencode_shared_without_the_plugin_is_unshared_with_it(
    profile: Profile, service: str, program: Path
) -> None:
    settings = remove_plugin(profile, service)
    with opencode(profile, program) as editor:
        session = editor.create_session()
        editor.prompt(session, "Greet everybody")
        link = editor.share(session)
        wait_for("Everybody is greeted.", link)
    settings_file(profile).write_text(settings)
    with opencode(profile, program) as editor:
        wait_for_plugin(editor)
        editor.unshare(session)
    assert fetch("GET", link)[0] == 404
    assert not profile.is_shared(session)


def test_opencode_unshares_without_the_plugin_what_was_shared_with_it(
    profile: Profile, service: str, program: Path
) -> None:
    with opencode(profile, program) as editor:
        session = editor.create_session()
        editor.prompt(session, "Greet everybody")
        link = editor.share(session)
        wait_for("Everybody is greeted.", link)
    remove_plugin(profile, service)
    with opencode(profile, program) as editor:
        editor.prompt(session, "Say goodbye")
        wait_for("This page no longer follows the session", link)
        assert b"Goodbye to everybody." not in fetch("GET", link)[1]
        editor.unshare(session)
        assert fetch("GET", link)[0] == 404
        assert not profile.is_shared(session)
        second = editor.share(session)
        wait_for("Goodbye to everybody.", second)


@pytest.fixture
def shared(profile: Profile, program: Path) -> str:
    """A session that the plugin has shared before OpenCode was closed."""
    with opencode(profile, program) as editor:
        session = editor.create_session()
        editor.prompt(session, "Greet everybody")
        wait_for("Everybody is greeted.", editor.share(session))
    return session


def sent(outside: Trap) -> set[str]:
    """What OpenCode sent, but for the download of ripgrep by older releases."""
    caught = set(outside.caught) - RIPGREP
    outside.caught.clear()
    return caught


@contextmanager
def without_plugin(profile: Profile, program: Path, outside: Trap) -> Iterator[OpenCode]:
    """OpenCode without the lines of the landing page, whose only way out is the trap."""
    file = settings_file(profile)
    settings = json.loads(file.read_text())
    del settings["plugin"], settings["enterprise"]
    file.write_text(json.dumps(settings))
    environment = profile.environment | through(outside.url) | {"NO_PROXY": "127.0.0.1"}
    with opencode(Profile(profile.home, profile.project, environment), program) as editor:
        yield editor


def test_after_uninstall_opencode_sends_the_session_nowhere(
    profile: Profile, service: str, program: Path, shared: str, outside: Trap
) -> None:
    run_command(profile, service, "uninstall")
    with without_plugin(profile, program, outside) as editor:
        assert "share" not in editor.session(shared)
        editor.prompt(shared, "Say goodbye")
        editor.quit()
    assert sent(outside) == set()


def test_without_uninstall_opencode_would_send_the_session_to_its_vendor(
    profile: Profile, program: Path, shared: str, outside: Trap
) -> None:
    """The trap works: it catches the request that the test above does not make."""
    with without_plugin(profile, program, outside) as editor:
        editor.prompt(shared, "Say goodbye")
        wait_until(lambda: bool(set(outside.caught) - RIPGREP), lambda: "nothing was sent")
    assert sent(outside) == {f"CONNECT {VENDOR}"}


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


def test_the_command_line_uses_the_proxy_of_the_environment(profile: Profile, outside: Trap) -> None:
    environment = (
        profile.environment | through(outside.url) | {"BETTER_SHARE_BASE_URL": "https://example.invalid"}
    )
    done = subprocess.run(
        ["node", ROOT / "plugin" / "dist" / "cli.js", "doctor", "--json"],
        env=with_node(environment),
        capture_output=True,
        text=True,
        timeout=patience(60),
    )
    details = {check["name"]: check["detail"] for check in json.loads(done.stdout)["checks"]}
    assert details["proxy"] == f"through {outside.url.removeprefix('http://')}"
    assert "on the way to example.invalid does not let the request through" in details["connection"]
    assert sent(outside) == {"CONNECT example.invalid:443"}
