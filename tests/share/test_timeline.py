"""The timeline in the head of a page: every mark leads to its step, and says in words what it is."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.opencode.paging.timeline import Mark, Timeline
from app.share.pages.timeline import NUMBER_DISTANCE, timeline_view
from tests.support.client import share
from tests.support.recorded import NAMES, document, document_bytes, with_children, with_parts

PAGE = "/share/GhIjKlMn"


def page(client: FlaskClient, address: str = PAGE) -> Any:
    response = client.get(address)
    assert response.status_code == 200, address
    return lxml.html.fromstring(response.text)


def mark(number: int, **fields: Any) -> Mark:
    defaults = {"kind": "answer", "steps": 1, "calls": {}, "failed": {}, "milliseconds": 1000}
    return Mark(f"m{number}", 1, **{**defaults, **fields})


def view(*marks: Mark) -> Any:
    return timeline_view(Timeline(marks, 0, 0), lambda mark: f"#{mark.id}")


def counts(root: Any) -> list[str]:
    return [
        " ".join(line.text_content().split()) for line in root.xpath("//ul[contains(@class, 'counts')]/li")
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if ".child" not in name])
def test_every_mark_leads_to_a_step_on_the_page(client: FlaskClient, name: str) -> None:
    share(client, with_children(name))
    root = page(client)
    links = root.xpath("//section[@class='timeline']//a/@href")
    assert {link.removeprefix("#") for link in links if link.startswith("#")} <= set(root.xpath("//@id"))


def test_marks_of_other_pages_lead_there(client: FlaskClient) -> None:
    long = document("tools-gallery")
    messages = long["messages"]
    long["messages"] = []
    for turn in range(12):
        for message in copy.deepcopy(messages):
            message["info"]["id"] += f"-{turn}"
            long["messages"].append(message)
    share(client, json.dumps(long).encode())
    for link in page(client).xpath("//section[@class='timeline']//a[rect]/@href")[::40]:
        address, _, id = link.partition("#")
        assert page(client, address or PAGE).xpath("//*[@id=$id]", id=id), link


def test_the_head_says_how_many_calls_there_were_and_how_many_failed(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    assert counts(page(client)) == ["9 edits", "5 commands, 1 failed", "5 lookups"]


def test_the_same_is_said_in_words_for_each_prompt(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    lines = page(client).xpath("//section[@class='timeline']/ol/li/text()")
    assert [line.partition(":")[0] for line in lines] == ["Prompt 1", "Prompt 2", "Prompt 3"]
    assert "6 edits, 3 commands, 1 failed" in lines[1]


def test_a_session_of_two_messages_has_no_timeline(client: FlaskClient) -> None:
    share(client, with_parts({"type": "text", "id": "prt_1", "text": "Hello"}))
    assert not page(client).xpath("//section[@class='timeline']")


def test_a_sub_agent_has_a_timeline_of_its_own(client: FlaskClient) -> None:
    share(client, with_children("subagents"))
    child = document("subagents.child1")["session"]["id"]
    links = page(client, f"{PAGE}/s/{child}").xpath("//section[@class='timeline']//a/@href")
    assert links


def test_marks_and_gaps_fill_the_line_without_overlapping() -> None:
    laid_out = view(*(mark(n, milliseconds=n * 7000, pause=(n % 3) * 90_000) for n in range(160)))
    pieces = sorted([*laid_out.segments, *laid_out.gaps], key=lambda piece: piece.x)
    for piece, following in itertools.pairwise(pieces):
        assert piece.x + piece.width == pytest.approx(following.x)
    assert pieces[0].x == 0
    assert pieces[-1].x + pieces[-1].width == pytest.approx(100)


def test_a_longer_step_and_a_longer_pause_take_more_room() -> None:
    short, long = view(mark(1), mark(2, pause=120_000), mark(3, milliseconds=60_000, pause=86_400_000)).gaps
    assert short.width < long.width
    assert (short.label, long.label) == ("", "24 h 0 min")


def test_numbers_are_left_out_where_there_is_no_room_for_them() -> None:
    laid_out = view(*(mark(n, prompt=n + 1) for n in range(160)))
    assert len(laid_out.numbers) == 160
    shown = [number.x for number in laid_out.numbers if number.text]
    assert 10 <= len(shown) <= 100 / NUMBER_DISTANCE + 1
    assert all(after - before >= NUMBER_DISTANCE for before, after in itertools.pairwise(shown))


def test_a_failed_answer_is_counted() -> None:
    assert (
        view(mark(1), mark(2), mark(3, failed={"answer": 2})).segments[2].label == "2 answers failed, 1.0 s"
    )
