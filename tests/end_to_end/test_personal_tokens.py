"""A real OpenCode that shares with the personal token of a member, with the plugin and without it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.account.support import token_in
from tests.end_to_end.model import Step, scripted_model
from tests.end_to_end.opencode import (
    OpenCode,
    OpenCodeError,
    Profile,
    Setup,
    copy_plugin,
    make_profile,
    opencode,
    through,
)
from tests.end_to_end.proxy import Trap
from tests.support.patience import patience
from tests.support.servers import wait_until
from tests.support.servers.gunicorn import gunicorn
from tests.support.web import fetch

SCRIPT = {"Greet everybody": [Step("Everybody is greeted.")], "Say goodbye": [Step("Goodbye to everybody.")]}
PROXY = {"AUTH_PROXY_HEADER": "Remote-User", "AUTH_PROXY_FROM": "127.0.0.1"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on which nobody shares without a token."""
    settings = {**PROXY, "SHARE_CREATE_TOKEN": "team:the-token-of-the-team", "RATELIMIT_ENABLED": "false"}
    with gunicorn(tmp_path_factory.mktemp("service"), WEB_CONCURRENCY="2", **settings) as url:
        yield url


@dataclass
class Member:
    """The browser of somebody who is signed in at the proxy."""

    address: str
    name: str

    def get(self, path: str) -> str:
        return self._request("GET", path)

    def post(self, path: str, **fields: str) -> str:
        token = token_in(self.get("/account/tokens")) or ""
        return self._request("POST", path, csrf_token=token, **fields)

    def new_token(self) -> str:
        [token] = set(re.findall(r"bs_[A-Za-z0-9]{40}", self.post("/account/tokens", name="laptop")))
        return str(token)

    def revoke_tokens(self) -> None:
        for path in re.findall(r'action="(/account/tokens/\w+/revoke)"', self.get("/account/tokens")):
            self.post(path)

    def _request(self, method: str, path: str, **fields: str) -> str:
        with requests.Session() as browser:
            # Without the proxy of the surroundings.
            browser.trust_env = False
            headers = {"Remote-User": self.name, "Accept": "text/html"}
            answer = browser.request(
                method, self.address + path, data=fields or None, headers=headers, timeout=patience(30)
            )
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture
def grace(service: str) -> Iterator[Member]:
    member = Member(service, "grace")
    yield member
    member.revoke_tokens()


def entry_of(member: Member, link: str) -> str:
    """What the list of a member says of a share, in words."""
    path = link[link.index("/share/") :]
    entries = [row for row in member.get("/account/shares").split("<li>") if f'href="{path}"' in row]
    assert len(entries) == 1
    return " ".join(re.sub("<[^>]+>", " ", entries[0]).split())


@contextmanager
def toasts(editor: OpenCode) -> Iterator[list[str]]:
    """The messages that OpenCode shows to its user from now on."""
    shown: list[str] = []
    with requests.Session() as client:
        client.trust_env = False
        events = client.get(f"{editor.url}/event", stream=True, timeout=patience(60))
        lines = events.iter_lines()
        # The first event says that the others will come.
        next(lines)

        def read() -> None:
            with suppress(requests.RequestException, AttributeError):
                for line in lines:
                    event = json.loads(line.partition(b"data: ")[2] or b"{}")
                    if event.get("type") == "tui.toast.show":
                        shown.append(event["properties"]["message"])

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        yield shown
        events.close()


def wait_for_toast(shown: list[str], words: str) -> str:
    """The first toast that has these words."""
    wait_until(lambda: any(words in toast for toast in shown), lambda: f"{words!r} is not in {shown}")
    return next(toast for toast in shown if words in toast)


def profile_of(folder: Path, outside: Trap, setup: Setup) -> Profile:
    loopback = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    setup.environment.update({**through(outside.url), **loopback})
    return make_profile(folder, setup)


@pytest.mark.parametrize(
    ("audience", "code", "readers", "label"),
    [
        ("members", "sign_in_required", "Only members of", "Signed-in members"),
        ("password", "password_required", "Its password is", "With the password"),
    ],
)
def test_the_plugin_shares_in_the_name_of_a_member_until_the_token_is_revoked(
    tmp_path: Path,
    service: str,
    outside: Trap,
    grace: Member,
    audience: str,
    code: str,
    readers: str,
    label: str,
) -> None:
    token = grace.new_token()
    with scripted_model(SCRIPT) as model:
        setup = Setup(
            service,
            copy_plugin(tmp_path),
            model,
            environment={"BETTER_SHARE_TOKEN": token},
            options={"audience": audience, "expiresIn": "7d"},
        )
        profile = profile_of(tmp_path, outside, setup)
        with opencode(profile) as author, toasts(author) as shown:
            session = author.create_session()
            author.prompt(session, "Greet everybody")
            link = author.share(session)
            toast = wait_for_toast(shown, link)
            assert token not in toast
            assert readers in toast
            assert "It ends on " in toast
            status, answer = fetch("GET", link)
            assert (status, code in answer.decode()) == (401, True)
            entry = entry_of(grace, link)
            assert label in entry
            assert "with the token laptop" in entry
            assert re.search(r"expires \d{4}-\d\d-\d\d", entry)

            grace.revoke_tokens()
            author.prompt(session, "Say goodbye")
            path = link[link.index("/share/") :]
            wait_until(
                lambda: "Goodbye to everybody." in grace.get(path), lambda: "the session is not followed"
            )
            with pytest.raises(OpenCodeError):
                author.share(author.create_session())
            wait_for_toast(shown, "does not accept BETTER_SHARE_TOKEN")


def test_opencode_alone_shares_in_the_name_of_a_member_until_the_token_is_revoked(
    tmp_path: Path, service: str, outside: Trap, grace: Member
) -> None:
    token = grace.new_token()
    with scripted_model(SCRIPT) as model:
        profile = profile_of(tmp_path, outside, Setup("", None, model, enterprise=f"{service}/t/{token}"))
        with opencode(profile) as author:
            session = author.create_session()
            author.prompt(session, "Greet everybody")
            link = author.share(session)
            assert link == f"{service}/share/{session[-8:]}"
            wait_until(
                lambda: b"Everybody is greeted." in fetch("GET", link)[1], lambda: "nothing was synced"
            )
            assert "with the token laptop" in entry_of(grace, link)

            grace.revoke_tokens()
            author.prompt(session, "Say goodbye")
            wait_until(
                lambda: b"Goodbye to everybody." in fetch("GET", link)[1], lambda: "nothing was synced"
            )
            with pytest.raises(OpenCodeError):
                author.share(author.create_session())
