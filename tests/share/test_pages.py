"""The page of a share around its blocks: states, files, texts in full, headers."""

from __future__ import annotations

import base64
import json
import logging
import re
from datetime import timedelta

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.http import static_files
from app.render import renderer
from tests.support import recorded
from tests.support.backdate import backdate
from tests.support.client import create, delete, share
from tests.support.recorded import document, document_bytes, with_parts

PIXEL = base64.b64encode(b"\x89PNG" + b"x" * 20_000).decode()


def test_a_share_still_being_uploaded_has_a_page_that_looks_again(client: FlaskClient) -> None:
    create(client)
    page = client.get("/share/GhIjKlMn")
    assert page.status_code == 202
    assert '<meta http-equiv="refresh" content="3">' in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_share_that_can_no_longer_be_uploaded_is_not_waited_for(client: FlaskClient) -> None:
    create(client)
    backdate(client.application, timedelta(hours=2))
    page = client.get("/share/GhIjKlMn")
    assert page.status_code == 404
    assert "has not been uploaded" in page.text


def test_only_an_answer_without_anything_is_said_to_be_missing(client: FlaskClient) -> None:
    share(client, document_bytes("errors-and-abort"))
    assert client.get("/share/GhIjKlMn").text.count("No answer.") == 2
    session = document("single-message")
    answer = session["messages"][1]
    answer["parts"] = []
    del answer["info"]["time"]["completed"]
    share(client, json.dumps(session).encode(), share_id="StartsNow")
    assert "No answer yet." in client.get("/share/StartsNow").text
    share(client, document_bytes("large-output"), share_id="LargeOne")
    assert "No answer." not in client.get("/share/LargeOne").text


def test_an_unknown_share_is_a_clear_404(client: FlaskClient) -> None:
    page = client.get("/share/GhIjKlMn")
    assert page.status_code == 404
    assert "There is no share with this id" in page.text
    assert page.mimetype == "text/html"


def test_a_deleted_share_looks_like_an_unknown_one(client: FlaskClient) -> None:
    secret = share(client, document_bytes("single-message"))["secret"]
    delete(client, "GhIjKlMn", secret)
    assert client.get("/share/GhIjKlMn").data == client.get("/share/Unknown1").data


def test_a_page_carries_a_strict_policy(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    headers = client.get("/share/GhIjKlMn").headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "private, no-cache"


def test_only_fingerprinted_assets_are_kept_for_long(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', client.get("/share/GhIjKlMn").text)
    assert sheets
    for sheet in sheets:
        with client.get(sheet) as response:
            assert "immutable" in response.headers["Cache-Control"]
        with client.get(sheet.replace("v=", "v=old")) as response:
            assert "immutable" not in response.headers["Cache-Control"]


def test_a_page_has_one_stylesheet_beside_its_theme_and_one_script_beside_that_of_the_theme(
    client: FlaskClient,
) -> None:
    share(client, document_bytes("single-message"))
    for address in ("/share/GhIjKlMn", "/share/GhIjKlMn/search", "/share/GhIjKlMn/changes", "/"):
        page = client.get(address).text
        assert len(re.findall(r'<link rel="stylesheet"', page)) == 2
        assert len(re.findall(r"<script ", page)) <= 2


def test_a_bundle_is_its_files_in_order(client: FlaskClient) -> None:
    for name, files in static_files.BUNDLES.items():
        rest = client.get(f"/static/bundles/{name}").data
        for file in files:
            with client.get(f"/static/{file}") as response:
                _, found, rest = rest.partition(response.data.strip())
            assert found, f"{file} in {name}"
    assert client.get("/static/bundles/base.css").status_code == 404


def image(data: str, mime: str = "image/png", name: str = "shot.png") -> dict[str, str]:
    return {
        "type": "file",
        "id": "prt_file",
        "mime": mime,
        "filename": name,
        "url": f"data:{mime};base64,{data}",
    }


def test_a_small_picture_stands_in_the_page(client: FlaskClient) -> None:
    share(client, with_parts(image("AAAA")))
    assert '<img src="data:image/png;base64,AAAA" alt="shot.png"' in client.get("/share/GhIjKlMn").text


def test_a_large_picture_has_an_address_of_its_own(client: FlaskClient) -> None:
    share(client, with_parts(image(PIXEL)))
    assert '<img src="/share/GhIjKlMn/files/prt_file"' in client.get("/share/GhIjKlMn").text
    response = client.get("/share/GhIjKlMn/files/prt_file")
    assert response.data == base64.b64decode(PIXEL)
    assert response.mimetype == "image/png"
    assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("mime", ["image/svg+xml", "application/pdf", 'image/png" onload="x'])
def test_any_other_file_is_only_for_downloading(client: FlaskClient, mime: str) -> None:
    share(client, with_parts(image("AAAA", mime, "file<1>.bin")))
    page = client.get("/share/GhIjKlMn").text
    assert "<img" not in page
    assert "file&lt;1&gt;.bin" in page
    response = client.get("/share/GhIjKlMn/files/prt_file")
    assert response.mimetype == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("name", ["日本.pdf", "é.pdf", "a\0b.pdf", "a\r\nSet-Cookie: x.pdf", '"; x="'])
def test_a_file_of_any_name_can_be_downloaded(client: FlaskClient, name: str) -> None:
    share(client, with_parts(image("AAAA", "application/pdf", name)))
    response = client.get("/share/GhIjKlMn/files/prt_file")
    assert response.status_code == 200
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment; ")
    assert disposition.isascii()
    assert disposition.isprintable()


def test_an_html_file_is_shown_as_text(client: FlaskClient) -> None:
    share(client, with_parts(image(base64.b64encode(b"<script>").decode(), "text/html", "x.html")))
    response = client.get("/share/GhIjKlMn/files/prt_file")
    assert (response.mimetype, response.data) == ("text/plain", b"<script>")


def test_a_file_elsewhere_is_a_link_and_a_local_one_a_name(client: FlaskClient) -> None:
    web = {"type": "file", "mime": "image/png", "filename": "a.png", "url": "https://example.com/a.png"}
    local = {"type": "file", "mime": "text/plain", "filename": "b.txt", "url": "file:///home/dev/b.txt"}
    share(client, with_parts(web, local))
    page = client.get("/share/GhIjKlMn").text
    assert '<a href="https://example.com/a.png"' in page
    assert "b.txt" in page
    assert "file:///" not in page


def test_a_long_output_is_cut_with_a_note_and_the_rest_a_link_away(client: FlaskClient) -> None:
    output = "\n".join(f"line {number} <b>" for number in range(5000))
    state = {
        "status": "completed",
        "input": {"command": "seq"},
        "output": output,
        "title": "",
        "metadata": {},
    }
    share(client, with_parts({"type": "tool", "id": "prt_1", "tool": "bash", "state": state}))
    page = client.get("/share/GhIjKlMn").text
    assert "line 199 " in page
    assert "line 200 " not in page
    assert "4,800 more lines" in " ".join(page.split())
    full = client.get("/share/GhIjKlMn/full/prt_1/output")
    assert full.text == output
    assert full.mimetype == "text/plain"
    assert "sandbox" in full.headers["Content-Security-Policy"]


LONG_CODE = "\n".join(f"value_{number} = compute({number})  # {'x' * 100}" for number in range(150))


def with_long_code() -> bytes:
    return with_parts({"type": "text", "id": "prt_code", "text": f"```python\n{LONG_CODE}\n```"})


def test_code_that_is_too_much_for_a_page_is_highlighted_alone(client: FlaskClient) -> None:
    share(client, with_long_code())
    page = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    assert not page.xpath("//*[@id='prt_code']//span[@class='n']")
    [link] = page.xpath("//a[text()='Highlight']/@href")
    alone = lxml.html.fromstring(client.get(link).text)
    assert alone.xpath("//*[@id='prt_code']//span[@class='n']/text()")[0] == "value_0"
    assert not alone.xpath("//a[text()='Highlight']")
    [back] = alone.xpath("//a[text()='In the session']/@href")
    assert back.endswith("#prt_code")
    assert client.get(back).status_code == 200


def test_a_call_alone_stands_there_unfolded(client: FlaskClient) -> None:
    input = {"filePath": "/a.py", "content": LONG_CODE}
    state = {"status": "completed", "input": input, "output": "", "title": "a.py", "metadata": {}}
    share(client, with_parts({"type": "tool", "id": "prt_1", "tool": "write", "state": state}))
    [link] = lxml.html.fromstring(client.get("/share/GhIjKlMn").text).xpath("//a[text()='Highlight']/@href")
    alone = lxml.html.fromstring(client.get(link).text)
    assert alone.xpath("//details[@open]//span[@class='n']")


def test_what_a_page_can_highlight_offers_no_link(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    assert ">Highlight<" not in client.get("/share/GhIjKlMn").text
    assert client.get("/share/GhIjKlMn/block/prt_none").status_code == 404


def test_a_text_that_does_not_exist_is_not_found(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    for path in ("full/prt_none/output", "files/prt_none"):
        assert client.get(f"/share/GhIjKlMn/{path}").status_code == 404


def test_the_texts_and_files_of_a_share_end_with_it(client: FlaskClient) -> None:
    secret = share(client, with_parts(image(PIXEL)))["secret"]
    delete(client, "GhIjKlMn", secret)
    assert client.get("/share/GhIjKlMn/files/prt_file").status_code == 404


def test_a_block_whose_form_fails_leaves_the_rest_alone(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(renderer.BLOCK_MACROS, renderer.Text, "no_such_macro")
    share(client, document_bytes("in-progress"))
    with caplog.at_level(logging.CRITICAL):
        page = client.get("/share/GhIjKlMn")
    assert page.status_code == 200
    assert "This block could not be shown" in page.text
    assert "sleep" in page.text


@pytest.mark.parametrize("name", recorded.NAMES)
def test_a_page_needs_no_timer(client: FlaskClient, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What real sessions hold is rendered by the budgets of bytes alone."""
    cut: list[str] = []
    monkeypatch.setattr("app.lib.time_limit._raise_if_over", lambda *_: cut.append(name))
    share(client, document_bytes(name))
    client.get("/share/GhIjKlMn")
    assert cut == []
