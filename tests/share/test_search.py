"""Search in a session: what is found, where it leads, and what it may cost."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml.html import HtmlElement, document_fromstring

from app.lib.time_limit import TimeLimitExceeded
from app.opencode.model import Step
from app.render.search.search import PAGE_RESULTS
from app.services.container import services
from app.services.heavy_requests import HeavyRequests
from tests.support import hostile, recorded
from tests.support.client import share

# A time limit may end while Python frees an object; then it is raised again.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ADDRESS = "/share/GhIjKlMn/search"


def search(client: FlaskClient, query: str, **arguments: str) -> HtmlElement:
    response = client.get(ADDRESS, query_string={"q": query, **arguments})
    assert response.status_code == 200
    return document_fromstring(response.text)


def lines(page: HtmlElement) -> list[str]:
    """What the results say, each on one line."""
    return [" ".join(result.text_content().split()) for result in page.xpath("//ol[@class='results']//a")]


def addresses(page: HtmlElement) -> list[str]:
    return [link.get("href") for link in page.xpath("//ol[@class='results']//a")]


def share_session(client: FlaskClient, *parts: hostile.Document, **fields: object) -> None:
    document = hostile.session(*parts, **fields)  # type: ignore[arg-type]
    share(client, json.dumps(document, ensure_ascii=False).encode())


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many steps have been parsed into blocks so far."""
    read: list[str] = []
    blocks = Step.blocks.func

    class Counted:
        def __get__(self, step: Step, _type: object = None) -> object:
            read.append(step.id)
            return blocks(step)

    def start() -> int:
        count = len(read)
        read.clear()
        return count

    monkeypatch.setattr(Step, "blocks", Counted())
    return start


def test_without_a_query_there_is_a_form(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    page = search(client, " ")
    [form] = page.xpath("//form[@role='search']")
    assert form.get("action") == ADDRESS
    assert form.xpath("//input[@name='q']")[0].get("aria-label")
    assert not page.xpath("//*[@id='ui-results']")


def test_results_say_where_they_are_and_lead_there(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    page = search(client, '"window is" RETRY')
    [line] = lines(page)
    assert line.startswith("Turn 1 · Answer ")
    assert [mark.text_content() for mark in page.xpath("//mark")] == ["window is", "Retry"]
    [address] = addresses(page)
    path, _, anchor = address.partition("#")
    assert f'id="{anchor}"' in client.get(path).text


def test_the_query_is_shown_as_it_was_typed_and_as_text(client: FlaskClient) -> None:
    share_session(client, hostile.text(1, "a <b>bold</b> claim"))
    page = search(client, '<b>bold "')
    assert page.xpath("//input[@name='q']")[0].get("value") == '<b>bold "'
    assert [mark.text_content() for mark in page.xpath("//*[@class='excerpt']/mark")] == ["<b>bold"]


def test_accents_and_case_do_not_matter(client: FlaskClient) -> None:
    share_session(client, hostile.text(1, "Le CAFÉ est fermé"), hostile.text(2, "decafeinated"))
    assert len(lines(search(client, "café"))) == 2
    assert len(lines(search(client, "cafe ferme"))) == 1


def test_all_words_must_be_in_the_same_block(client: FlaskClient) -> None:
    share_session(client, hostile.text(1, "alpha beta"), hostile.text(2, "beta gamma"))
    assert lines(search(client, "alpha gamma")) == []
    assert "Nothing in this session matches" in search(client, "alpha gamma").text_content()
    assert addresses(search(client, "gamma beta")) == ["/share/GhIjKlMn/m/msg_1#prt_2"]


def test_operators_narrow_a_search(client: FlaskClient) -> None:
    failed = hostile.call(3, "edit", {"filePath": "/w/src/app.py", "oldString": "x"})
    failed["state"] |= {"status": "error", "error": "oldString not found"}
    share_session(
        client,
        hostile.text(1, "app.py is broken"),
        hostile.call(2, "bash", {"command": "pytest app.py"}, {"exit": 1}, "1 failed"),
        failed,
        hostile.call(4, "bash", {"command": "ls"}, {"exit": 0}, "app.py"),
        hostile.call(5, "opencode_read", {"filePath": "/w/src/App.py"}, output="x = 1"),
    )

    def parts(query: str) -> list[str]:
        return [address.rpartition("#")[2] for address in addresses(search(client, query))]

    assert parts("app.py") == ["prt_1", "prt_2", "prt_3", "prt_4", "prt_5"]
    assert parts("tool:bash") == ["prt_2", "prt_4"]
    assert parts("tool:bash failed") == ["prt_2"]
    assert parts("tool:read tool:edit") == ["prt_3", "prt_5"]
    assert parts("file:src/app.py") == ["prt_3", "prt_5"]
    assert parts(r"file:src\app.py tool:edit") == ["prt_3"]
    assert parts("is:error") == ["prt_2", "prt_3"]
    assert parts("is:error tool:bash") == ["prt_2"]
    assert "oldString not found" in lines(search(client, "is:error"))[1]


def test_what_ended_an_answer_is_found(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("errors-and-abort"))
    assert any("· Error " in line for line in lines(search(client, "is:error")))


def test_what_only_the_view_of_a_call_shows_is_found(client: FlaskClient) -> None:
    patch = "@@ -1,2 +1,2 @@\n unchanged neighbour\n-old\n+new\n"
    share_session(client, hostile.call(1, "edit", {"filePath": "/w/a.py"}, {"diff": patch}))
    assert len(lines(search(client, "neighbour"))) == 1


def test_what_no_reader_sees_is_not_found(client: FlaskClient) -> None:
    share_session(client, hostile.call(1, "edit", {"filePath": "/w/a.py"}, {"internal": "hidden words"}))
    assert lines(search(client, "hidden")) == []
    assert lines(search(client, "callID")) == []


def test_colours_do_not_part_words_and_are_not_shown(client: FlaskClient) -> None:
    share_session(client, hostile.call(1, "bash", {"command": "x"}, output="\x1b[31mfat\x1b[1mal\x1b[0m: no"))
    page = search(client, "fatal")
    assert [mark.text_content() for mark in page.xpath("//mark")] == ["fatal"]
    assert "\x1b" not in page.text_content()


def test_redacted_secrets_stay_chips(client: FlaskClient) -> None:
    share_session(client, hostile.text(1, "token is [redacted:github-token] now"))
    page = search(client, "redacted token")
    assert [chip.text_content() for chip in page.xpath("//*[@class='excerpt']//*[@class='redacted']")] == [
        "[redacted:github-token]"
    ]


def test_sub_agents_are_searched_and_named(client: FlaskClient) -> None:
    share(client, recorded.with_children("subagents"))
    page = search(client, "the model refused")
    found = dict(zip(lines(page), addresses(page), strict=True))
    [line] = [line for line in found if "of the sub-agent" in line]
    assert line.startswith("Turn 1 of the sub-agent Fail (@general subagent) · Error")
    path, _, anchor = found[line].partition("#")
    assert f'id="{anchor}"' in client.get(path).text


def test_results_come_in_pages(client: FlaskClient) -> None:
    messages = [
        hostile.message(f"m{n}", *(hostile.text(n * 10 + k, f"found {n} {k}") for k in range(10)))
        for n in range(5)
    ]
    child = {
        "session": {"id": "ses_2", "title": "k"},
        "messages": [hostile.message("k", *messages[0]["parts"])],
    }
    share_session(client, messages=messages, children=[child])
    found, address = [], f"{ADDRESS}?q=found"
    sizes = []
    while address:
        page = document_fromstring(client.get(address).text)
        found += addresses(page)
        sizes.append(len(addresses(page)))
        address = next((link.get("href") for link in page.xpath("//a[@rel='next']")), "")
    assert sizes == [PAGE_RESULTS, PAGE_RESULTS, PAGE_RESULTS]
    assert len(set(found)) == 60
    assert found[45].endswith("/m/m4#prt_45")


@pytest.mark.parametrize(
    ("position", "status"),
    [
        ("0.0.0.1", 200),
        ("0.0.0.2", 200),
        ("0.0.0.3", 404),
        ("0.0.1.0", 404),
        ("0.1.0.0", 404),
        ("1.0.0.0", 404),
        ("0.0.0.0", 404),
        ("0.0.0.01", 404),
        ("0.0.0", 404),
        ("0.0.0.-1", 404),
        ("٠.0.0.1", 404),
        ("", 404),
        ("9" * 30 + ".0.0.0", 404),
    ],
)
def test_a_search_goes_on_only_from_a_place_in_the_session(
    client: FlaskClient, position: str, status: int
) -> None:
    share_session(client, hostile.text(1, "one"), hostile.text(2, "two"))
    assert client.get(ADDRESS, query_string={"q": "one", "from": position}).status_code == status


def test_only_messages_with_the_words_are_parsed(client: FlaskClient, parsed: Callable[[], int]) -> None:
    messages = [hostile.message(f"m{n}", hostile.text(n, f"word{n} é")) for n in range(100)]
    share_session(client, messages=messages)
    client.get("/share/GhIjKlMn")
    parsed()
    assert len(lines(search(client, "word42"))) == 1
    assert parsed() == 1
    assert lines(search(client, "nowhere")) == []
    assert parsed() == 0


def test_a_search_ends_with_a_page_of_results(client: FlaskClient, parsed: Callable[[], int]) -> None:
    share_session(client, messages=[hostile.message(f"m{n}", hostile.text(n, "word")) for n in range(500)])
    client.get("/share/GhIjKlMn")
    parsed()
    search(client, "word")
    assert parsed() == PAGE_RESULTS + 1


def test_a_search_that_takes_too_long_stops_and_goes_on(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_session(client, messages=[hostile.message(f"m{n}", hostile.text(n, "word")) for n in range(10)])
    steps = Step.blocks.func
    read: list[str] = []

    class Slow:
        def __get__(self, step: Step, _type: object = None) -> object:
            read.append(step.id)
            if len(read) in (4, 5):
                raise TimeLimitExceeded
            return steps(step)

    monkeypatch.setattr(Step, "blocks", Slow())
    page = search(client, "word")
    assert "was stopped before its end" in page.text_content()
    assert len(lines(page)) == 3
    # The same message takes too long again, and is left out: a search always gets on.
    [link] = page.xpath("//a[@rel='next']")
    page = document_fromstring(client.get(link.get("href")).text)
    assert lines(page) == []
    [link] = page.xpath("//a[@rel='next']")
    page = document_fromstring(client.get(link.get("href")).text)
    assert addresses(page)[0].endswith("/m/m4#prt_4")
    assert len(lines(page)) == 6


def test_a_block_that_cannot_be_searched_spoils_no_search(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_session(client, hostile.text(1, "word"), hostile.call(2, "bash", {"command": "word"}))
    monkeypatch.setattr("app.render.search.blocks.view_of", lambda tool: {}["x"])
    assert len(lines(search(client, "word"))) == 1


@pytest.mark.parametrize("name", hostile.DOCUMENTS)
@pytest.mark.parametrize("query", ["a", "is:error", "zqx file:a", '"id" "type"'])
def test_hostile_sessions_can_be_searched(client: FlaskClient, name: str, query: str) -> None:
    share(client, json.dumps(hostile.DOCUMENTS[name]()).encode())
    response = client.get(ADDRESS, query_string={"q": query})
    assert response.status_code == 200
    assert len(response.data) < 128 * 1024


def test_nothing_of_a_search_is_kept(app: Flask, client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    client.get("/share/GhIjKlMn")
    with app.app_context():
        folder = services().config.data_dir / "cache"
    before = {path for path in folder.rglob("*") if path.is_file()}
    response = client.get(ADDRESS, query_string={"q": "limiter"})
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in response.headers
    assert {path for path in folder.rglob("*") if path.is_file()} == before


def test_one_search_runs_at_a_time_for_each_visitor(app: Flask, client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    with app.app_context():
        searches = services().heavy_requests
    with searches.take("127.0.0.1") as may_search:
        assert may_search
        refused = client.get(f"{ADDRESS}?q=x")
        elsewhere = client.get(f"{ADDRESS}?q=x", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    assert "try again in a moment" in refused.text
    assert elsewhere.status_code == 200
    assert client.get(f"{ADDRESS}?q=x").status_code == 200


@pytest.mark.settings(WEB_CONCURRENCY="4")
def test_at_most_half_of_the_workers_search_at_once(app: Flask, client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    with app.app_context():
        folder = services().config.data_dir / "heavy-requests"
    one, two = (HeavyRequests(folder, workers=4) for _ in range(2))
    with one.take("192.0.2.1"):
        assert client.get(f"{ADDRESS}?q=x").status_code == 200
        with two.take("192.0.2.2"):
            assert client.get(f"{ADDRESS}?q=x").status_code == 429


@pytest.mark.settings(RATELIMIT_SEARCH="2/minute")
def test_searches_are_limited_by_address(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    answers = [client.get(f"{ADDRESS}?q=x") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["RateLimit-Remaining"] == "1"
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60
    assert "The limit is 2/minute, which RATELIMIT_SEARCH sets" in answers[2].text
    assert client.get("/share/GhIjKlMn").status_code == 200
    assert "RateLimit-Limit" not in client.get("/share/GhIjKlMn").headers
