"""The life of a share: a real OpenCode with the plugin, the service under gunicorn, a real S3 server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lxml.html
import pytest

from tests.end_to_end.model import Call, Step, bash, scripted_model
from tests.end_to_end.opencode import Profile, Setup, copy_plugin, make_profile, opencode, through
from tests.end_to_end.proxy import Trap
from tests.support.patience import patience
from tests.support.servers.gunicorn import gunicorn
from tests.support.servers.s3 import stored_keys
from tests.support.web import fetch

# In seconds, on a busy machine; how long the page really took is reported.
PATIENCE = patience(30)


GREETING = 'while read name; do echo "Hello, $name"; done < names.txt\n'
CHANGE = {"filePath": "greet.sh", "oldString": "Hello", "newString": "Good morning"}
TASK = {"description": "Count", "prompt": "Count the names", "subagent_type": "general"}
SCRIPT = {
    "Greet everybody": [
        Step("I look for the names.", "Who is everybody?", [Call("read", {"filePath": "names.txt"})]),
        Step(calls=[Call("write", {"filePath": "greet.sh", "content": GREETING})]),
        Step(calls=[Call("edit", CHANGE)]),
        bash("sh greet.sh | tr a-z A-Z"),
        Step("Everybody is greeted."),
    ],
    "Greet them in French": [bash("sh greet.sh | sed 's/Good morning/Bonjour/'"), Step("They are greeted.")],
    "And in Spanish": [bash("sh greet.sh | sed 's/Good morning/Buenos días/'"), Step("Greeted again.")],
    "Say goodbye": [Step("Goodbye to everybody.")],
    "Let somebody count": [Step(calls=[Call("task", TASK)]), Step("Somebody has counted.")],
    "Count the names": [bash("wc -l < names.txt | sed 's/ *$/ lines/'"), Step("There are two names.")],
}


@pytest.fixture(scope="module")
def gunicorn_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service") / "gunicorn.log"


@pytest.fixture(scope="module")
def service(gunicorn_log: Path, s3_peer: tuple[dict[str, str], str]) -> Iterator[str]:
    settings, _ = s3_peer
    with gunicorn(gunicorn_log.parent, WEB_CONCURRENCY="2", **settings) as url:
        yield url


@pytest.fixture
def profile(tmp_path: Path, service: str, outside: Trap) -> Iterator[Profile]:
    with scripted_model(SCRIPT) as model:
        # No NO_PROXY: that the plugin keeps loopback calls from the proxy is part of the test.
        setup = Setup(service, copy_plugin(tmp_path), model, environment=through(outside.url))
        yield make_profile(tmp_path, setup)


def page(link: str) -> str:
    """What a reader reads."""
    status, html = fetch("GET", link)
    assert status == 200
    return " ".join(lxml.html.fromstring(html).text_content().split())


def seconds_until(text: str, link: str) -> float:
    """How long the page takes to have the text, counted from now."""
    began = time.monotonic()
    while text not in page(link):
        assert time.monotonic() - began < PATIENCE, f"{text!r} is not on the page yet"
        time.sleep(0.1)
    return time.monotonic() - began


def kept_secret(profile: Profile) -> str:
    """The secret of the only share, in the plugin's own files."""
    [path] = (profile.home / "state" / "opencode-own-share").glob("secret-*.json")
    return str(json.loads(path.read_text())["share"]["secret"])


def api(link: str) -> str:
    return link.replace("/share/", "/api/share/")


def objects(settings: dict[str, str], link: str) -> list[str]:
    share_id = link.rpartition("/")[2]
    return [key for key in stored_keys(settings) if share_id in key]


def test_a_page_follows_its_session_also_after_a_restart_until_it_is_unshared(
    profile: Profile,
    service: str,
    s3_settings: dict[str, str],
    gunicorn_log: Path,
    report: Callable[[str], None],
) -> None:
    with opencode(profile) as author:
        session = author.create_session()
        author.prompt(session, "Greet everybody")
        link = author.share(session)
        assert link == f"{service}/share/{session[-8:]}"
        shown = page(link)
        for expected in ("Greet everybody", "I look for the names.", "Who is everybody?", "Grace"):
            assert expected in shown
        for expected in ("echo", "Good morning", "GOOD MORNING, GRACE", "Everybody is greeted."):
            assert expected in shown

        author.prompt(session, "Greet them in French")
        followed = seconds_until("They are greeted.", link)
        assert "Bonjour, Ada" in page(link)
        secret = kept_secret(profile)
        # Without the plugin, OpenCode would send this to its vendor.
        assert profile.secret(session).startswith("sealed.")

    with opencode(profile) as author:
        author.prompt(session, "And in Spanish")
        followed_again = seconds_until("Greeted again.", link)
        assert "Buenos días, Ada" in page(link)
        # Two whole documents, of before and after the restart; what changed between them is committed.
        assert [key for key in objects(s3_settings, link) if "changes-" in key] == []

        author.unshare(session)
        assert_gone(link, s3_settings)
        author.prompt(session, "Say goodbye")
        author.quit()
        assert_gone(link, s3_settings)

    logs = profile.logs() + gunicorn_log.read_text()
    assert session in logs
    assert secret not in logs
    assert "X-Amz-Signature" not in logs
    report(f"the page followed after {followed:.1f} s, after the restart in {followed_again:.1f} s")


def assert_gone(link: str, settings: dict[str, str]) -> None:
    assert fetch("GET", link)[0] == 404
    assert fetch("GET", api(link))[0] == 404
    assert objects(settings, link) == []


def test_what_was_said_just_before_opencode_quits_is_on_the_page(profile: Profile) -> None:
    with opencode(profile) as author:
        session = author.create_session()
        link = author.share(session)
        author.prompt(session, "Say goodbye")
        author.quit()
    assert "Goodbye to everybody." in page(link)


def test_the_work_of_sub_agents_is_part_of_the_document(profile: Profile) -> None:
    with opencode(profile) as author:
        session = author.create_session()
        link = author.share(session)
        author.prompt(session, "Let somebody count")
        seconds_until("Somebody has counted.", link)
    document = json.loads(fetch("GET", api(link))[1])
    [child] = document["children"]
    assert child["session"]["parentID"] == session
    for expected in ("Count the names", "2 lines", "There are two names."):
        assert expected in json.dumps(child["messages"])


def test_a_session_that_is_shared_with_a_password_is_read_and_followed_with_it(
    tmp_path: Path, service: str, outside: Trap
) -> None:
    with scripted_model(SCRIPT) as model:
        readers = {"audience": "password", "expiresIn": "7d"}
        setup = Setup(
            service, copy_plugin(tmp_path), model, environment=through(outside.url), options=readers
        )
        profile = make_profile(tmp_path, setup)
        with opencode(profile) as author:
            session = author.create_session()
            author.prompt(session, "Greet everybody")
            link = author.share(session)
            secret = {"X-Share-Secret": kept_secret(profile)}
            for address in (link, f"{link}.md", api(link)):
                status, answer = fetch("GET", address)
                assert (status, json.loads(answer)["code"]) == (401, "password_required")
            author.prompt(session, "Say goodbye")
            began = time.monotonic()
            while b"Goodbye to everybody." not in fetch("GET", api(link), headers=secret)[1]:
                assert time.monotonic() - began < PATIENCE
                time.sleep(0.1)
            author.unshare(session)
            assert fetch("GET", link)[0] == 404
