"""What readers get is bounded by its budget, made once, and tried again only after a while."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.lib.budget import Budget
from app.opencode.model import MAX_PART_BYTES
from app.opencode.paging.index_reader import PageIndex
from app.render import Renderer
from app.share.pages.responses import CUT_PAGE_SECONDS
from tests.support import hostile
from tests.support.client import share
from tests.support.recorded import document_bytes

# A time limit may end while Python frees an object; then it is raised again.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SESSION = document_bytes("rate-limit-feature")
MAX_ANSWER_BYTES = 4 * 1024 * 1024
ADDRESSES = (
    "",
    "/steps/1",
    "?page=2",
    "/changes",
    "/changes?diff=split",
    "/changes/1",
    "/changes/1?diff=split",
    "/block/prt_0",
    "/prompts",
    "/card.png",
    ".md",
    ".md?view=highlights",
    ".md?page=1",
)
ARGUMENTS = {
    "share_id": "GhIjKlMn",
    "number": 1,
    "place": 1,
    "session_id": "ses_dfdf0765effewPA2wR0S350gRf",
    "step_id": "msg_2020facf0001B1YK2cfF03x0ai",
    "block_id": "prt_2020fad85001wrAyG77btHYbb9",
    "file_id": "x",
    "name": "call",
}


class Rendered:
    """Counts the steps that are rendered; while it is `blocked`, each waits."""

    def __init__(self) -> None:
        self.steps = 0
        self.has_begun = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rendered]:
    count = Rendered()
    blocks = Renderer.blocks

    def counting(self: Renderer, step):  # type: ignore[no-untyped-def]
        count.steps += 1
        count.has_begun.set()
        assert count.may_go_on.wait(60)
        return blocks(self, step)

    monkeypatch.setattr(Renderer, "blocks", counting)
    yield count
    count.may_go_on.set()


def share_hostile(client: FlaskClient, name: str) -> None:
    share(client, json.dumps(hostile.DOCUMENTS[name]()).encode())


def test_every_answer_with_a_document_has_a_budget(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, SESSION)
    made: list[Budget] = []
    initialise = Budget.__init__

    def counting(self: Budget, *args, **options) -> None:  # type: ignore[no-untyped-def]
        made.append(self)
        initialise(self, *args, **options)

    monkeypatch.setattr(Budget, "__init__", counting)
    below = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/share/<share_id>")]
    rules = [rule for rule in below if "GET" in (rule.methods or ())]
    assert len(rules) > 10
    for rule in rules:
        made.clear()
        with app.test_request_context():
            address = app.url_for(rule.endpoint, **{name: ARGUMENTS[name] for name in rule.arguments})
        assert client.get(address).status_code in (200, 404)
        assert len(made) == 1, rule


@pytest.mark.parametrize("name", hostile.DOCUMENTS)
def test_a_hostile_session_is_read_in_bounded_answers_that_are_made_once(
    client: FlaskClient, rendered: Rendered, name: str
) -> None:
    share_hostile(client, name)
    sizes = {address: len(client.get(f"/share/GhIjKlMn{address}").data) for address in ADDRESSES}
    assert max(sizes.values()) <= MAX_ANSWER_BYTES
    assert rendered.steps <= 2_500
    rendered.steps = 0
    for address in ADDRESSES:
        client.get(f"/share/GhIjKlMn{address}", headers={"Accept-Encoding": "br"})
    assert rendered.steps == 0


def test_blocks_that_do_not_fit_are_counted_and_linked(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Budget, "write", lambda budget, amount: setattr(budget, "_writable", 0))
    share(client, json.dumps(hostile.session(*(hostile.text(n, f"text {n}") for n in range(9)))).encode())
    text = client.get("/share/GhIjKlMn").text
    assert "text 0" in text
    assert "text 1" not in text
    assert "8 more blocks of this message are too much for this page" in text
    assert '<a href="/share/GhIjKlMn.json">The session as JSON</a>' in text


def test_a_page_that_the_budget_cut_is_made_again_after_ten_minutes(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, rendered: Rendered
) -> None:
    share(client, SESSION)
    with monkeypatch.context() as patch:
        patch.setattr(Budget, "take_block", lambda budget: setattr(budget, "is_cut", True))
        cut = client.get("/share/GhIjKlMn")
    assert "too much for this page" in cut.text
    assert "ETag" not in cut.headers
    assert cut.headers["Cache-Control"] == "no-store"
    rendered.steps = 0
    again = client.get("/share/GhIjKlMn", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(again.data) == cut.data
    assert again.headers["Cache-Control"] == "no-store"
    assert rendered.steps == 0
    with time_machine.travel(CUT_PAGE_SECONDS + 1):
        whole = client.get("/share/GhIjKlMn")
    assert "too much for this page" not in whole.text
    assert whole.headers["ETag"]


def test_two_readers_of_the_same_missing_page_make_it_once(app: Flask, rendered: Rendered) -> None:
    share(app.test_client(), SESSION)
    app.test_client().get("/share/GhIjKlMn/changes")
    rendered.steps = 0
    rendered.has_begun.clear()
    rendered.may_go_on.clear()
    pages: list[str] = []
    readers = [
        threading.Thread(target=lambda: pages.append(app.test_client().get("/share/GhIjKlMn").text))
        for _ in range(2)
    ]
    readers[0].start()
    assert rendered.has_begun.wait(60)
    readers[1].start()
    rendered.may_go_on.set()
    for reader in readers:
        reader.join()
    assert pages[0] == pages[1]
    assert rendered.steps == pages[0].count('<section class="step')


def test_what_is_not_there_is_found_out_without_reading_the_session(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, SESSION)
    addresses = [f"/share/GhIjKlMn/{path}" for path in ("block/x", "files/x", "full/x/text", "changes/99")]
    assert {client.get(address).status_code for address in addresses} == {404}
    monkeypatch.setattr("app.opencode.paging.index_reader.read_message", None)
    for address in (*addresses, "/share/GhIjKlMn/m/x", "/share/GhIjKlMn/changes/1/999"):
        assert client.get(address).status_code == 404, address


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("/changes/1?from=2", "/share/GhIjKlMn/changes/1"),
        ("/changes/1?from=700", "?from=571"),
        ("/changes/1?from=99999", None),
        ("/changes/1?from=0", None),
        ("/changes?page=3", None),
        ("/prompts?page=2", None),
        ("?page=99", None),
        ("/steps/99", None),
    ],
)
def test_a_page_has_one_address(client: FlaskClient, address: str, location: str | None) -> None:
    patch = "@@ -1 +1 @@\n-b\n+c\n"
    edits = [hostile.call(n, "edit", {"filePath": "/w/a"}, {"diff": patch}) for n in range(900)]
    share(client, json.dumps(hostile.session(messages=[hostile.message("m", *edits)])).encode())
    response = client.get(f"/share/GhIjKlMn{address}")
    if location is None:
        assert response.status_code == 404
    else:
        assert response.status_code == 302
        assert response.headers["Location"].endswith(location)


def test_a_long_list_of_prompts_has_pages(client: FlaskClient) -> None:
    messages = [
        {
            "info": {"id": f"msg_{n}", "role": "user", "time": {"created": n}},
            "parts": [hostile.text(n, f"ask {n}")],
        }
        for n in range(1_200)
    ]
    share(client, json.dumps(hostile.session(messages=messages)).encode())
    pages = [client.get(f"/share/GhIjKlMn/prompts?page={number}").text for number in (1, 2, 3)]
    assert [page.count("<li value=") for page in pages] == [500, 500, 200]
    assert 'rel="next" href="/share/GhIjKlMn/prompts?page=3"' in pages[1]
    assert 'rel="prev" href="/share/GhIjKlMn/prompts?page=1"' in pages[1]
    assert "ask 1199" in pages[2]
    assert client.get("/share/GhIjKlMn/prompts?page=4").status_code == 404


def test_a_long_list_of_changed_files_has_pages(client: FlaskClient) -> None:
    share_hostile(client, "many_small_patches")
    pages = [client.get(f"/share/GhIjKlMn/changes?page={number}").text for number in (1, 2)]
    assert [page.count('<li class="modified">') for page in pages] == [500, 200]
    assert 'href="/share/GhIjKlMn/changes/501"' in pages[1]


def test_a_part_that_is_too_large_is_shown_by_its_beginning(client: FlaskClient) -> None:
    long = "😀" + "word " * (MAX_PART_BYTES // 5)
    parts = (hostile.text(1, long), hostile.text(2, "after"))
    document = json.dumps(hostile.session(*parts), ensure_ascii=False)
    share(client, document.encode())
    text = client.get("/share/GhIjKlMn").text
    assert 'the beginning of <code dir="auto">17 MB</code>' in text
    assert "😀word word" in text
    assert "after" in text
    assert "*Left out: a part that is too large,* `17 MB`" in client.get("/share/GhIjKlMn.md").text
    assert client.get("/share/GhIjKlMn.json").text == document


def test_changes_are_counted_only_up_to_a_limit_and_the_page_says_so(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.opencode.changes.totals.MAX_DIFFS", 10)
    share_hostile(client, "many_small_patches")
    assert "at least 10 files changed" in client.get("/share/GhIjKlMn").text
    assert "more changes than are counted here" in client.get("/share/GhIjKlMn/changes").text


def test_a_sub_agent_is_not_read_to_say_how_long_it_is(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = {
        "session": {"id": "ses_2", "title": "k"},
        "messages": [hostile.message(f"k{n}", hostile.text(n, "x" * 1_000)) for n in range(100)],
    }
    calls = (hostile.call(n, "task", {}, {"sessionId": "ses_2"}) for n in range(10))
    share(client, json.dumps(hostile.session(*calls, children=[child])).encode())
    client.get("/share/GhIjKlMn/changes")
    read: list[int] = []
    turns = PageIndex.turns
    monkeypatch.setattr(PageIndex, "turns", lambda pages: read.append(len(pages)) or turns(pages))
    assert "(100 steps)" in client.get("/share/GhIjKlMn").text
    assert read == []
