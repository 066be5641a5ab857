"""The levels of detail of a page: conversation, highlights and everything."""

from __future__ import annotations

import json
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from tests.support.client import share
from tests.support.paths import FIXTURES
from tests.support.recorded import document_bytes, with_parts

PAGE = "/share/GhIjKlMn"


def part(tool: str, number: int, **state: object) -> dict[str, Any]:
    state = {"status": "completed", "input": {}, "output": "", "title": "", "metadata": {}, **state}
    return {"type": "tool", "id": f"prt_{number}", "tool": tool, "state": state}


def page(client: FlaskClient, address: str = PAGE) -> Any:
    response = client.get(address)
    assert response.status_code == 200, address
    return lxml.html.fromstring(response.text)


def is_open(root: Any, id: str) -> bool:
    """Whether the call with this part is open."""
    [call] = root.xpath(f"//details[div[@id='{id}']]")
    return "open" in call.attrib


def shown(client: FlaskClient, *parts: dict[str, Any]) -> Any:
    share(client, with_parts(*parts))
    return page(client)


def test_a_reader_sees_what_changed_and_what_failed_without_a_click(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    root = page(client)
    opened = [call.xpath("string(summary/span[@class='action'])") for call in root.xpath("//details[@open]")]
    assert [opened.count(action) for action in ("Edit", "Write", "Todos")] == [7, 2, 2]
    [failed] = root.xpath("//details[contains(@class, 'failed')]")
    assert "open" in failed.attrib
    assert failed.xpath("summary/span[contains(@class, 'exit')]/text()") == ["exit 1"]
    assert "FAILED (failures=1)" in failed.text_content()


def test_a_turn_ends_with_what_came_of_it(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    lines = [
        " ".join(line.text_content().split())
        for line in page(client).xpath("//p[contains(@class, 'totals')]")
    ]
    assert lines[0].startswith("2 files changed 12.9 s 27,565 tokens in")
    assert "1 call failed" in lines[1]
    assert "failed" not in lines[2]


def test_a_file_that_is_named_in_several_ways_is_one_that_changed(client: FlaskClient) -> None:
    share(client, (FIXTURES / "field" / "windows-one-file-three-times.json").read_bytes())
    [line] = page(client).xpath("//p[contains(@class, 'totals')]")
    assert line.xpath("span[1]/text()") == ["1 file changed"]


def test_the_last_line_of_a_command_is_in_its_line_and_reports_that_are_odd_break_nothing(
    client: FlaskClient,
) -> None:
    root = shown(
        client,
        part("bash", 0, input={"command": "make test"}, output="a\n\x1b[32m7 passed in 0.1s\x1b[0m\n"),
        part("bash", 1, input={"command": "ls"}, metadata={"exit": "none"}, output="x" * 100),
    )
    lines = root.xpath("//details[contains(@class, 'tool')]/summary")
    assert lines[0].xpath("span[@class='fact']/text()") == ["7 passed in 0.1s"]
    assert lines[1].xpath("span[@class='fact']/text()") == []


def test_reading_and_searching_are_one_line(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    [run, *_] = page(client).xpath("//details[contains(@class, 'run')]")
    assert run.xpath("normalize-space(summary)") == "Read 2 files, 2 searches"
    assert "open" not in run.attrib
    assert len(run.xpath(".//details[contains(@class, 'tool')]")) == 4


def test_an_error_among_the_searches_stays_in_sight(client: FlaskClient) -> None:
    root = shown(
        client,
        part("read", 0, input={"filePath": "a"}),
        part("grep", 1, input={"pattern": "x"}),
        part("read", 2, input={"filePath": "b"}, status="error", error="File not found"),
        part("read", 3, input={"filePath": "c"}),
    )
    [run] = root.xpath("//details[contains(@class, 'run')]")
    assert run.xpath(".//div[@class='body']/@id") == ["prt_0", "prt_1"]
    assert is_open(root, "prt_2")
    assert not is_open(root, "prt_3")


def test_only_the_last_todo_list_of_a_turn_is_open(client: FlaskClient) -> None:
    todos = [{"content": "Write tests", "status": "pending", "priority": "high"}]
    root = shown(client, *(part("todowrite", number, input={"todos": todos}) for number in range(3)))
    assert [is_open(root, f"prt_{number}") for number in range(3)] == [False, False, True]


def test_a_todo_list_in_the_words_of_a_session_opens_nothing(client: FlaskClient) -> None:
    words = '<details class="block tool completed todos">'
    root = shown(client, part("todowrite", 0), {"type": "text", "id": "prt_1", "text": f"`{words}`"})
    assert is_open(root, "prt_0")
    assert words in root.text_content()


def test_a_question_and_a_picture_are_open(client: FlaskClient) -> None:
    picture = {
        "id": "prt_f",
        "type": "file",
        "mime": "image/png",
        "url": "data:image/png;base64,iVBORw0KGgo=",
    }
    root = shown(
        client,
        part("question", 0, input={"questions": [{"question": "Which?", "options": [{"label": "A"}]}]}),
        part("read", 1, input={"filePath": "a.png"}, attachments=[picture]),
        part("bash", 2, input={"command": "make"}, output="done"),
    )
    assert [is_open(root, f"prt_{number}") for number in range(3)] == [True, True, False]


def test_a_long_change_shows_its_first_rows_and_unfolds_the_rest(client: FlaskClient) -> None:
    text = "".join(f"line {number}\n" for number in range(60))
    root = shown(
        client,
        part("edit", 0, input={"filePath": "a.py", "oldString": "", "newString": text}),
        part("write", 1, input={"filePath": "b.py", "content": text}),
    )
    for id in ("prt_0", "prt_1"):
        [body] = root.xpath(f"//div[@id='{id}']")
        [rest] = body.xpath(".//details[contains(@class, 'rest')]")
        assert rest.xpath("string(summary)") in ("40 more lines", "41 more lines")
        assert len(body.xpath(".//td[@class='text']")) == 60


def test_a_failed_command_shows_the_end_of_its_output(client: FlaskClient) -> None:
    output = "".join(f"step {number}\n" for number in range(500)) + "No space left on device\n"
    root = shown(client, part("bash", 0, input={"command": "make"}, output=output, metadata={"exit": 2}))
    [body] = root.xpath("//div[@id='prt_0']")
    assert "step 481\n" in body.text_content()
    assert "step 480\n" not in body.text_content()
    assert "No space left on device" in body.text_content()
    assert "481 more lines" in body.xpath("string(p[@class='note'])")
    [block] = page(client, f"{PAGE}/block/prt_0").xpath("//div[@id='prt_0']")
    assert "step 0\n" in block.text_content()


@pytest.mark.parametrize("level", ["conversation", "highlights", "everything"])
def test_each_level_has_an_address_and_links_that_stay_at_it(client: FlaskClient, level: str) -> None:
    share(client, document_bytes("rate-limit-feature"))
    root = page(client, f"{PAGE}?view={level}")
    assert root.get("data-level") == level
    assert root.xpath("//nav[@class='levels']/a[@aria-current]/@data-level") == [level]
    links = {link.get("data-level"): link.get("href") for link in root.xpath("//nav[@class='levels']/a")}
    assert links == {
        "conversation": f"{PAGE}?view=conversation",
        "highlights": PAGE,
        "everything": f"{PAGE}?view=everything",
    }
    runs = root.xpath("//details[contains(@class, 'run')]")
    assert all(("open" in run.attrib) == (level == "everything") for run in runs)


def test_the_pages_of_a_long_session_keep_the_level(client: FlaskClient) -> None:
    session = json.loads(document_bytes("single-message"))
    prompt = session["messages"][0]
    session["messages"] = [
        {"info": {**prompt["info"], "id": f"msg_{number}"}, "parts": prompt["parts"]} for number in range(400)
    ]
    share(client, json.dumps(session).encode())
    root = page(client, f"{PAGE}?page=2&view=everything")
    assert f"{PAGE}?page=3&view=everything" in root.xpath("//nav[@class='pages']/a/@href")
    assert f"{PAGE}?view=everything" in root.xpath("//nav[@class='pages']/a/@href")
    assert root.xpath("//details[@class='contents']//p/a/@href") == [
        f"{PAGE}/m/msg_399?view=everything#msg_399"
    ]


def test_a_level_that_does_not_exist_is_not_found(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    assert client.get(f"{PAGE}?view=all").status_code == 404


def test_steps_are_rendered_once_for_all_levels(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    share(client, document_bytes("rate-limit-feature"))
    page(client)
    monkeypatch.setattr("app.render.Renderer.step", None)
    page(client, f"{PAGE}?view=everything")
    page(client, f"{PAGE}?view=conversation")
