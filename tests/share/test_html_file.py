"""A session as one HTML file: what is in it, that it asks for nothing, and its bounds."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import brotli
import lxml.html
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.render import Renderer
from app.services.container import services
from app.share.pages import file_links, html_file
from tests.support import field, hostile, recorded
from tests.support.client import share
from tests.support.recorded import document_bytes, with_children, with_parts

PAGE = "/share/GhIjKlMn"
SERVER = "https://share.example.com"
PICTURE = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(9000)).decode()


def saved(client: FlaskClient, arguments: str = "") -> Any:
    response = client.get(f"{PAGE}.html{arguments}")
    assert response.status_code == 200
    return lxml.html.fromstring(response.text)


def attached(number: int) -> dict[str, Any]:
    return {"id": f"prt_{number}", "type": "file", "mime": "image/png", "filename": "a.png", "url": PICTURE}


def share_long_session(client: FlaskClient, count: int = 400) -> None:
    session = json.loads(document_bytes("single-message"))
    prompt = session["messages"][0]
    session["messages"] = [
        {"info": {**prompt["info"], "id": f"msg_{number}"}, "parts": prompt["parts"]}
        for number in range(count)
    ]
    share(client, json.dumps(session).encode())


def test_it_is_a_download_that_may_do_nothing(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    response = client.get(f"{PAGE}.html")
    assert response.mimetype == "text/html"
    assert response.headers["Content-Disposition"] == 'attachment; filename="GhIjKlMn.html"'
    root = lxml.html.fromstring(response.text)
    [style] = root.xpath("//style/text()")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    assert response.headers.getlist("Content-Security-Policy") == [f"{policy}; sandbox"]
    assert root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content") == [policy]


@pytest.mark.parametrize("name", [*recorded.NAMES, *field.NAMES])
def test_nothing_in_it_is_asked_for_elsewhere_and_every_link_within_it_leads_somewhere(
    client: FlaskClient, name: str
) -> None:
    share(client, with_children(name) if name in recorded.NAMES else field.document_bytes(name))
    root = saved(client)
    assert root.xpath("//script | //link | //iframe | //object | //*[@srcset] | //form") == []
    assert all(source.startswith("data:") for source in root.xpath("//@src"))
    assert not re.search(r'url\((?!"data:)', root.xpath("string(//style)"))
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids))
    for link in root.xpath("//a/@href"):
        assert re.match(r"https?://|mailto:|#", link), link
        assert not link.startswith("#") or link[1:] in ids, link


def test_it_has_the_steps_of_the_page_and_links_to_prompts_within_it(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    page, file = lxml.html.fromstring(client.get(PAGE).text), saved(client)
    steps = "//section[contains(@class, 'step')]"
    assert [step.text_content() for step in file.xpath(steps)] == [
        step.text_content() for step in page.xpath(steps)
    ]
    prompts = file.xpath("//details[@class='contents']//li/a/@href")
    assert prompts == [f"#{step.get('id')}" for step in page.xpath("//section[@class='step user']")]
    assert f"{SERVER}{PAGE}/changes" in file.xpath("//ul[@class='facts']//a/@href")


def test_it_has_all_pages_of_a_long_session(client: FlaskClient) -> None:
    share_long_session(client)
    root = saved(client)
    assert root.xpath("//section/@id") == [f"msg_{number}" for number in range(400)]
    assert root.xpath("//details[@class='contents']//li/a/@href")[-1] == "#msg_399"


def test_it_is_at_the_level_and_in_the_theme_that_the_reader_chose(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    root = saved(client, "?view=everything&theme=dracula")
    assert root.get("data-level") == "everything"
    assert all("open" in run.attrib for run in root.xpath("//details[contains(@class, 'run')]"))
    assert "color-scheme:dark" in root.xpath("string(//style)")
    assert ":root{color-scheme:light;" not in root.xpath("string(//style)")
    assert ":root{color-scheme:light;" in saved(client).xpath("string(//style)")


@pytest.mark.parametrize("arguments", ["?view=all", "?theme=none", "?theme=../ink"])
def test_a_level_or_theme_that_does_not_exist_is_not_found(client: FlaskClient, arguments: str) -> None:
    share(client, document_bytes("single-message"))
    assert client.get(f"{PAGE}.html{arguments}").status_code == 404


def test_a_file_of_the_conversation_does_not_hide_the_rest_but_leaves_it_out(client: FlaskClient) -> None:
    thought = {"type": "text", "id": "prt_t", "text": "<think>A thought.</think>\n\nThe answer."}
    call = hostile.call(1, "bash", {"command": "env"}, output="A_SECRET=1")
    added = {"type": "text", "id": "prt_a", "text": "Added by the machine.", "synthetic": True}
    share(client, with_parts(thought, call, added, {"type": "reasoning", "id": "prt_r", "text": "Hm, hm."}))
    whole, said = client.get(f"{PAGE}.html").text, client.get(f"{PAGE}.html?view=conversation").text
    for words in ("A thought.", "A_SECRET", "Added by the machine.", "Hm, hm."):
        assert words in whole
        assert words not in said
    assert "The answer." in said


def test_pictures_are_in_it_as_far_as_there_is_room(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_links, "MAX_PICTURE_BYTES", 10_000)
    share(client, with_parts(attached(0), attached(1)))
    root = saved(client)
    assert root.xpath("//figure/img/@src") == [PICTURE]
    assert root.xpath("//figure/a/@href") == [f"{SERVER}{PAGE}/files/prt_1"]
    assert root.xpath("//figure/a/text()") == ["a.png"]


def test_the_session_of_a_sub_agent_is_in_it_once(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, with_children("subagents"))
    child = recorded.document("subagents.child1")
    part = next(part["id"] for part in child["messages"][-1]["parts"] if part["type"] == "text")
    inside = saved(client)
    assert len(inside.xpath(f"//*[@id='{part}']")) == 1
    monkeypatch.setattr(Renderer, "shows_inside", lambda self, child: False)
    share(client, with_children("subagents"), "apart-share", sessionId="ses_other")
    apart = lxml.html.fromstring(client.get("/share/apart-share.html").text)
    titles = apart.xpath("//h2[starts-with(@id, 'ui-session')]")
    assert len(titles) == 4
    opened = apart.xpath("//a[contains(text(), 'Open the sub-agent')]/@href")
    assert set(opened) <= {f"#{title.get('id')}" for title in titles}
    assert len(apart.xpath(f"//*[@id='{part}']")) == 1


def test_what_is_too_much_for_it_is_one_link_away(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html_file, "MAX_PAGES", 2)
    share_long_session(client)
    root = saved(client, "?view=everything")
    assert root.xpath("//section/@id")[-1] == "msg_299"
    [note] = root.xpath("//p[@class='note']")
    assert "The rest of this session is too much for the file: 1 page of 3" in note.text_content()
    assert note.xpath("a/@href") == [f"{SERVER}{PAGE}?page=3&view=everything"]
    links = root.xpath("//details[@class='contents']//li/a/@href")
    assert "#msg_299" in links or "#msg_99" in links
    assert links[-1] == f"{SERVER}{PAGE}/m/msg_399#msg_399"


@pytest.mark.parametrize(("bound", "value"), [("MAX_BYTES", 1), ("MAX_SECONDS", 0)])
def test_it_ends_after_so_many_bytes_or_so_much_time(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(html_file, bound, value)
    share_long_session(client)
    assert "is too much for the file" in saved(client).text_content()


def test_it_is_rendered_once_and_from_the_steps_of_the_page(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, document_bytes("rate-limit-feature"))
    client.get(PAGE)
    monkeypatch.setattr(Renderer, "step", None)
    first = client.get(f"{PAGE}.html").data
    monkeypatch.setattr(html_file, "FileBody", None)
    packed = client.get(f"{PAGE}.html", headers={"Accept-Encoding": "br"})
    assert packed.headers["Content-Encoding"] == "br"
    assert brotli.decompress(packed.data) == first


def test_one_is_written_at_a_time_for_each_visitor(app: Flask, client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    with app.app_context():
        heavy_requests = services().heavy_requests
    with heavy_requests.take("127.0.0.1"):
        refused = client.get(f"{PAGE}.html")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Cache-Control"] == "no-store"
    assert client.get(f"{PAGE}.html").status_code == 200


def test_the_menu_of_the_page_offers_it_at_the_level_of_the_page(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    for arguments in ("", "?view=conversation"):
        root = lxml.html.fromstring(client.get(f"{PAGE}{arguments}").text)
        assert root.xpath("//details[@class='export-menu']//a[@id='ui-html']/@href") == [
            f"{PAGE}.html{arguments}"
        ]
