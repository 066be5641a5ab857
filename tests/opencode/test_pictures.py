"""Pictures that tools return as text: they are shown, and the text beside them stays."""

from __future__ import annotations

import json

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.opencode.reading.pictures import take_pictures
from tests.support.client import share
from tests.support.recorded import with_parts

# A transparent pixel.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
URL = f"data:image/png;base64,{PNG}"
IMAGE = {"type": "image", "data": PNG, "mimeType": "image/png"}
TEXT = {"type": "text", "text": "Took a screenshot"}


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (URL, ""),
        (json.dumps(IMAGE), ""),
        (json.dumps([TEXT, IMAGE]), "Took a screenshot"),
        (json.dumps({"content": [TEXT, IMAGE], "isError": False}), "Took a screenshot"),
    ],
)
def test_a_picture_in_an_output_is_a_file(output: str, text: str) -> None:
    left, [file] = take_pictures("prt_0", output, 2)
    assert (left, file.id, file.url, file.mime) == (text, "prt_0-file2", URL, "image/png")


@pytest.mark.parametrize(
    "output",
    [
        "",
        f"![]({URL})",
        json.dumps({"mimeType": "image/png", "size": 9}),
        json.dumps([TEXT, IMAGE, {"type": "audio", "data": "", "mimeType": "audio/wav"}]),
        '[{"mimeType"' * 100_000,
        "data:image/png;base64," + "A" * 1_000_000 + "!",
    ],
)
def test_any_other_output_stays(output: str) -> None:
    assert take_pictures("prt_0", output, 0) == (output, [])


def test_a_page_shows_the_picture_that_a_tool_returned_as_text(client: FlaskClient) -> None:
    state = {"status": "completed", "input": {}, "title": "", "metadata": {}}
    output = json.dumps([TEXT, IMAGE])
    part = {"type": "tool", "id": "prt_0", "tool": "playwright_browser_take_screenshot"}
    share(client, with_parts({**part, "state": {**state, "output": output}}))
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    assert root.xpath("//*[@id='prt_0']//figure/img/@src") == [URL]
    assert [each.text_content() for each in root.xpath("//*[@id='prt_0']//pre")] == ["Took a screenshot"]
    assert client.get("/share/GhIjKlMn/files/prt_0-file0").mimetype == "image/png"
