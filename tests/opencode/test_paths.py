"""One file is one file, however its path is written."""

from __future__ import annotations

import json

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.opencode.paths import canonical_path, relative_path
from tests.support import field
from tests.support.client import share

WINDOWS = "C:\\home\\dev\\app"


@pytest.mark.parametrize(
    "path",
    [
        "C:\\home\\dev\\app\\src\\a.ts",
        "C:/home/dev/app/src/a.ts",
        "c:\\Home\\dev\\app\\src/a.ts",
        "/c/home/dev/app/src/a.ts",
        "src/a.ts",
        "src\\a.ts",
        ".\\src\\.\\a.ts",
        "./src//a.ts",
        "C:\\home\\dev\\app\\lib\\..\\src\\a.ts",
    ],
)
@pytest.mark.parametrize("directory", [WINDOWS, "c:/home/dev/app/", "C:\\home\\dev\\app\\"])
def test_a_file_on_windows_has_one_path(path: str, directory: str) -> None:
    assert canonical_path(path, directory) == "src/a.ts"


@pytest.mark.parametrize(
    "path", ["/home/dev/app/src/a.ts", "src/a.ts", "./src/a.ts", "/home/dev/app/./src/x/../a.ts"]
)
def test_a_file_elsewhere_has_one_path(path: str) -> None:
    assert canonical_path(path, "/home/dev/app") == "src/a.ts"


def test_what_only_looks_alike_is_another_file() -> None:
    assert canonical_path("/home/dev/app/a\\b.ts", "/home/dev/app") == "a\\b.ts"
    assert canonical_path("/home/dev/application/a.ts", "/home/dev/app") == "/home/dev/application/a.ts"
    assert canonical_path("/home/dev/app/A.ts", "/home/dev/app") == "A.ts"
    assert canonical_path("D:\\home\\dev\\app\\a.ts", WINDOWS) == "D:/home/dev/app/a.ts"
    assert canonical_path("..\\other\\a.ts", WINDOWS) == "../other/a.ts"
    assert canonical_path("", WINDOWS) == ""


def test_only_a_path_below_the_folder_is_shortened() -> None:
    assert relative_path("c:/home/dev/app/src\\a.ts", WINDOWS) == "src\\a.ts"
    assert relative_path("echo ./x//y", "/home/dev/app") == "echo ./x//y"
    assert relative_path("https://example.com//x", WINDOWS) == "https://example.com//x"
    assert relative_path("/home/dev/app/a", "") == "/home/dev/app/a"


def test_the_changes_of_a_windows_session_have_one_row_for_a_file(client: FlaskClient) -> None:
    share(client, field.document_bytes("windows-one-file-three-times"))
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn/changes").text)
    [file] = root.xpath("//section[@class='file-diffs']//h2")
    assert " ".join(file.text_content().split()) == "src/a.ts +3 -3"
    page = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    assert "1 file changed" in page.xpath("string(//header[@class='session-header'])")


def test_what_the_prompts_record_is_the_same_file_too(client: FlaskClient) -> None:
    session = field.document("windows-one-file-three-times")
    session["diffs"] = [{"file": ".\\src\\a.ts", "before": "a", "after": "d", "additions": 1, "deletions": 1}]
    share(client, json.dumps(session).encode())
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn/changes").text)
    assert len(root.xpath("//nav[@class='file-tree']//a")) == 1
