"""Nothing to install: an unmodified OpenCode, no plugin, shares to the service and imports from it."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

import lxml.html
import pytest

from app.opencode import as_utf8, read_conversation
from app.opencode.model import Text
from tests.browser.shares import Shared
from tests.end_to_end.model import Call, Step, bash, scripted_model
from tests.end_to_end.opencode import (
    OLDER,
    OpenCode,
    Profile,
    Setup,
    import_session,
    make_profile,
    opencode,
    through,
)
from tests.end_to_end.proxy import Trap, trap
from tests.support import field, recorded
from tests.support import sync_batches as native
from tests.support.optional import OLDER_OPENCODE, require
from tests.support.patience import patience
from tests.support.servers import wait_until
from tests.support.servers.gunicorn import gunicorn
from tests.support.web import fetch

PATIENCE = patience(30)

TASK = {"description": "Count", "prompt": "Count the names", "subagent_type": "general"}


SCRIPT = {
    "Greet everybody": [
        Step("I look for the names.", "Who is everybody?", [Call("read", {"filePath": "names.txt"})]),
        Step(calls=[Call("write", {"filePath": "greet.sh", "content": "sed 's/^/Hello, /' names.txt\n"})]),
        bash("sh greet.sh | tr a-z A-Z"),
        Step("Everybody is greeted."),
    ],
    "Let somebody count": [Step(calls=[Call("task", TASK)]), Step("Somebody has counted.")],
    "Count the names": [bash("wc -l < names.txt"), Step("There are two names.")],
    "Wait for the end": [bash("echo waiting; sleep 60"), Step("This is never said.")],
    "Say goodbye": [Step("Goodbye to everybody.")],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the service."""
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[str]:
    with gunicorn(folder, WEB_CONCURRENCY="4", RATELIMIT_ENABLED="false") as url:
        yield url


def profile(folder: Path, service: str, outside: Trap, model: str) -> Profile:
    """OpenCode without any plugin; the server stands in its configuration, in one line."""
    folder.mkdir()
    environment = {**through(outside.url), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return make_profile(folder, Setup("", None, model, enterprise=service, environment=environment))


def page(link: str) -> str:
    status, html = fetch("GET", link)
    return " ".join(lxml.html.fromstring(html).text_content().split()) if status == 200 else ""


def wait_for(text: str, link: str) -> None:
    until(lambda: text in page(link), f"{text!r} on the page")


def until(happens: Callable[[], object], what: str) -> None:
    wait_until(happens, lambda: f"waited in vain for {what}")


def api(link: str) -> str:
    return link.replace("/share/", "/api/share/")


def document(link: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(fetch("GET", api(link))[1])
    return loaded


def test_an_unmodified_opencode_shares_continues_imports_and_unshares(
    tmp_path: Path, service: str, folder: Path, outside: Trap
) -> None:
    with scripted_model(SCRIPT) as model:
        author_profile = profile(tmp_path / "author", service, outside, model)
        reader_profile = profile(tmp_path / "reader", service, outside, model)
        with opencode(author_profile) as author:
            session = author.create_session()
            author.prompt(session, "Greet everybody")
            link = author.share(session)
            assert link == f"{service}/share/{session[-8:]}"
            wait_for("Everybody is greeted.", link)
            for expected in ("I look for the names.", "Who is everybody?", "HELLO, GRACE"):
                assert expected in page(link)

            author.prompt(session, "Let somebody count")
            wait_for("Somebody has counted.", link)

            waiting = threading.Thread(target=author.prompt, args=[session, "Wait for the end"])
            waiting.start()
            wait_for("sleep 60", link)
            author.abort(session)
            waiting.join(PATIENCE)
            until(lambda: last_message(link).get("error"), "the abort")
            assert last_message(link)["error"]["name"] == "MessageAbortedError"
            assert "This is never said." not in page(link)

            author.prompt(session, "Say goodbye")
            wait_for("Goodbye to everybody.", link)
            until(lambda: document(link)["messages"] == author.messages(session), "the last sync")

            assert f"Imported session: {session}" in import_session(reader_profile, link)
            with opencode(reader_profile) as reader:
                assert reader.messages(session) == document(link)["messages"]
                imported, own = reader.session(session), author.session(session)
                assert "share" not in imported
                assert imported["title"] == own["title"]
                reader.prompt(session, "Say goodbye")
                second = reader.share(session)
                assert second != link
                wait_for("Goodbye to everybody.", second)

            secret = author_profile.secret(session)
            author.unshare(session)
            assert fetch("GET", link)[0] == 404
            assert fetch("GET", f"{api(link)}/data")[0] == 404
            assert fetch("GET", second)[0] == 200
            author.prompt(session, "Say goodbye")
            assert fetch("GET", link)[0] == 404
    assert secret not in (folder / "gunicorn.log").read_text()


def test_what_is_undone_is_marked_and_leaves_the_page_as_it_leaves_the_session(
    tmp_path: Path, service: str, outside: Trap
) -> None:
    with (
        scripted_model(SCRIPT) as model,
        opencode(profile(tmp_path / "author", service, outside, model)) as author,
    ):
        session = author.create_session()
        author.prompt(session, "Greet everybody")
        link = author.share(session)
        author.prompt(session, "Say goodbye")
        wait_for("Goodbye to everybody.", link)
        prompts = [message["info"]["id"] for message in author.messages(session) if is_prompt(message)]
        author.undo(session, prompts[1])
        wait_for("Undone: reverted", link)
        author.redo(session)
        until(lambda: "Undone: reverted" not in page(link), "the end of the undo")
        assert "Goodbye to everybody." in page(link)
        author.undo(session, prompts[1])
        wait_for("Undone: reverted", link)
        author.prompt(session, "Let somebody count")
        wait_for("Somebody has counted.", link)
        until(lambda: document(link)["messages"] == author.messages(session), "the last sync")
        assert "Goodbye to everybody." not in page(link)


def is_prompt(message: dict[str, Any]) -> bool:
    return bool(message["info"]["role"] == "user")


def last_message(link: str) -> dict[str, Any]:
    found: dict[str, Any] = document(link)["messages"][-1]["info"]
    return found


def test_every_recorded_session_is_imported_as_it_was_shared(
    tmp_path: Path, service: str, outside: Trap
) -> None:
    reader_profile = profile(tmp_path / "reader", service, outside, "http://127.0.0.1:9")
    links = {name: share(service, name) for name in recorded.NAMES}
    # One after another: two processes of OpenCode that write to its database at once may fail.
    said = {name: import_session(reader_profile, link) for name, link in links.items()}
    # OpenCode takes no session without messages.
    assert said.pop("empty").startswith("Share not found or empty")
    assert {line.partition("ses_")[0] for line in said.values()} == {"Imported session: "}
    with opencode(reader_profile) as reader:
        for name in said:
            expected = document(links[name])
            assert reader.messages(expected["sessionId"]) == expected["messages"], name
            assert_same_session(reader.session(expected["sessionId"]), expected["session"])


def test_a_private_session_is_imported_with_a_ticket(tmp_path: Path, service: str, outside: Trap) -> None:
    reader_profile = profile(tmp_path / "reader", service, outside, "http://127.0.0.1:9")
    shared = Shared.create(service, uuid.uuid4().hex, recorded.document_bytes("rate-limit-feature"))
    page, secret = f"{service}{shared.path}", {"X-Share-Secret": shared.secret}
    assert fetch("PATCH", api(page), {"password": "a long password"}, headers=secret)[0] == 200
    browser = build_opener(ProxyHandler({}), HTTPCookieProcessor())
    browser.open(f"{page}/password", urlencode({"password": "a long password"}).encode()).close()
    with browser.open(f"{page}/import") as answer:
        [link] = re.findall(r"opencode import ([^<]+)", answer.read().decode())
    assert "Imported session: " not in import_session(reader_profile, page)
    assert "Imported session: " in import_session(reader_profile, link)
    assert fetch("PATCH", api(page), {"password": "another password"}, headers=secret)[0] == 200
    assert "Imported session: " not in import_session(reader_profile, link)


def test_sessions_of_other_versions_and_with_parts_of_plugins_are_imported(
    tmp_path: Path, service: str, outside: Trap
) -> None:
    reader_profile = profile(tmp_path / "reader", service, outside, "http://127.0.0.1:9")
    documents = {name: field.document_bytes(name) for name in field.NAMES if not name.startswith("v2-")}
    documents["of OpenCode 0.14"] = of_opencode_0(field.document("crlf-extra-line"))
    documents["with errors of plugins"] = with_errors_of_plugins()
    said = {}
    for name, content in documents.items():
        shared = Shared.create(service, uuid.uuid4().hex, content)
        said[name] = import_session(reader_profile, f"{service}{shared.path}")
    assert {name: line for name, line in said.items() if not line.startswith("Imported session: ")} == {}
    with opencode(reader_profile) as reader:
        for name, content in documents.items():
            assert_same_texts(reader, content, name)


@pytest.fixture
def closed_outside() -> Iterator[Trap]:
    """As `outside`, for an older OpenCode, which asks for packages by itself; it gets none."""
    with trap() as proxy:
        yield proxy


def test_an_older_opencode_imports_what_it_does_not_know(
    tmp_path: Path, service: str, closed_outside: Trap
) -> None:
    require(OLDER_OPENCODE)
    reader_profile = profile(tmp_path / "reader", service, closed_outside, "http://127.0.0.1:9")
    names = ("rate-limit-feature", "errors-and-abort", "subagents")
    documents = {name: recorded.document_bytes(name) for name in names}
    for name, content in documents.items():
        shared = Shared.create(service, uuid.uuid4().hex, content)
        said = import_session(reader_profile, f"{service}{shared.path}", OLDER)
        assert "Imported session: " in said, name
    with opencode(reader_profile, OLDER) as reader:
        for name, content in documents.items():
            assert_same_texts(reader, content, name)
        errors = recorded.document("errors-and-abort")
        told = [
            message["info"]["error"]["data"].get("message", "")
            for message in reader.messages(errors["session"]["id"])
            if "error" in message["info"]
        ]
        assert "ContentFilterError: The response was blocked by the provider's content filter" in told


def assert_same_texts(reader: OpenCode, content: bytes, name: str) -> None:
    conversation = read_conversation(as_utf8(content).json)
    messages = reader.messages(conversation.id)
    found = [part["text"] for message in messages for part in message["parts"] if part["type"] == "text"]
    blocks = [block for step in conversation.steps for block in step.blocks]
    assert found == [block.text for block in blocks if isinstance(block, Text)], name


def of_opencode_0(document: dict[str, Any]) -> bytes:
    """A session without what later versions added."""
    session = document["session"]
    document["session"] = {name: session[name] for name in ("title", "time", "version")} | {"id": "ses_old"}
    prompt, answer = document["messages"]
    prompt["info"] = {name: prompt["info"][name] for name in ("id", "role", "time")}
    prompt["info"]["summary"] = {"title": "x"}
    for name in ("parentID", "agent", "path", "tokens", "cost"):
        del answer["info"][name]
    call = answer["parts"][0]
    for name in ("metadata", "title"):
        del call["state"][name]
    answer["parts"] += [
        {"type": "step-finish", "id": "prt_z1"},
        {"type": "reasoning", "id": "prt_z2", "text": "x"},
    ]
    # Ids are unique in OpenCode's database.
    return json.dumps(document).replace("AbCdEfGhIjKlMn", "OlDeRoPeNcOdE0").encode()


def with_errors_of_plugins() -> bytes:
    """A session with an error that no OpenCode knows, and others that lack what became mandatory."""
    document = recorded.document("errors-and-abort")
    failed = [message["info"] for message in document["messages"] if "error" in message["info"]]
    odd = [{"name": "QuotaError", "message": "None left"}, {"name": "APIError"}, "Gone", None, {}]
    for info, error in zip(failed, odd, strict=False):
        info["error"] = error
    return json.dumps(document).encode()


def share(service: str, name: str) -> str:
    """The link of a recorded session, shared as OpenCode does it."""
    session = recorded.document(name)
    status, answer = fetch("POST", f"{service}/api/share", {"sessionID": session["session"]["id"]})
    assert status == 200
    made = json.loads(answer)
    body = {"secret": made["secret"], "data": native.items(session)}
    assert fetch("POST", f"{service}/api/share/{made['id']}/sync", body)[0] == 200
    return str(made["url"])


def assert_same_session(imported: dict[str, Any], shared: dict[str, Any]) -> None:
    """But for where it is."""
    place = ("projectID", "directory", "path")
    assert without(imported, place) == without(shared, place)


def without(session: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in session.items() if key not in keys}
