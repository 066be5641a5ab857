"""What a session changed, as a patch that git applies to the files that it began with."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.opencode import read_conversation
from app.opencode.changes.git_patch import git_patch
from app.opencode.changes.record import FileRecord, read_changes, write_changes
from tests.support import recorded
from tests.support.client import share

SESSIONS = ["apply-patch", "rate-limit-feature", "reverted", "tools-gallery", "unicode-and-injection"]


def changed(document: dict[str, Any]) -> list[FileRecord]:
    conversation = read_conversation(json.dumps(document).encode())
    return list(read_changes(memoryview(write_changes(conversation))))


def side(patch: str, without: str) -> str | None:
    """One side of a diff that has the whole file; None if the file is not there."""
    lines = patch[re.search(r"^@@.*\n", patch, re.MULTILINE).end() :].split("\n")  # type: ignore[union-attr]
    kept = [line[1:] for line in lines if line and line[0] not in (without, "\\")]
    is_open = lines[-1].startswith("\\") or lines[-2].startswith("\\")
    return "\n".join(kept) + ("" if is_open else "\n") if kept else None


def git(folder: Path, *words: str, stdin: bytes | None = None) -> str:
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        input=stdin,
        capture_output=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def apply(folder: Path, files: list[FileRecord]) -> None:
    """Applies the patch to the files as they were before the first diff of each."""
    git(folder, "init", "-q")
    for file in files:
        before = side(file.read_patches()[0].text, without="+")
        if before is not None:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(before)
    git(folder, "apply", "--whitespace=nowarn", "-", stdin=b"".join(git_patch(files)))


@pytest.mark.parametrize("name", SESSIONS)
def test_git_applies_the_patch_of_a_recorded_session(tmp_path: Path, name: str) -> None:
    files = changed(recorded.document(name))
    assert files
    apply(tmp_path, files)
    for file in files:
        after = side(file.read_patches()[-1].text, without="-")
        path = tmp_path / file.path
        assert (path.read_text() if path.exists() else None) == after, file.path


@pytest.mark.parametrize(("old", "new"), [("a.txt", "b/c.txt"), ("z x.txt", 'quo"te.txt')])
def test_a_move_that_only_its_call_tells_of_is_a_rename(tmp_path: Path, old: str, new: str) -> None:
    document = recorded.document("single-message")
    folder = document["session"]["directory"]
    moved = {
        "filePath": f"{folder}/{old}",
        "movePath": f"{folder}/{new}",
        "type": "move",
        "patch": "@@ -1,2 +1,2 @@\n-a\n+b\n c\n",
    }
    state = {"status": "completed", "input": {}, "output": "", "metadata": {"files": [moved]}}
    document["messages"][0]["info"].pop("summary", None)
    document["messages"][1]["parts"] = [
        {"id": "prt_1", "type": "tool", "tool": "apply_patch", "state": state}
    ]
    [file] = changed(document)
    assert (file.path, file.old_path) == (new, old)
    git(tmp_path, "init", "-q")
    (tmp_path / old).write_text("a\nc\n")
    git(tmp_path, "apply", "-", stdin=b"".join(git_patch([file])))
    assert (tmp_path / new).read_text() == "b\nc\n"
    assert not (tmp_path / old).exists()


@pytest.mark.parametrize(
    "path", ["with space.txt", 'quo"te.txt', "tab\there.txt", "ünïcödé/ß.txt", "-dash.txt"]
)
def test_git_finds_files_of_any_name(tmp_path: Path, path: str) -> None:
    document = recorded.document("single-message")
    diff = {"file": path, "patch": "@@ -1 +1 @@\n-a\n+b\n", "additions": 1, "deletions": 1}
    document["messages"][0]["info"]["summary"] = {"diffs": [diff]}
    [file] = changed(document)
    apply(tmp_path, [file])
    assert (tmp_path / path).read_text() == "b\n"


@pytest.mark.parametrize(
    ("path", "patch"),
    [
        ("../outside", "@@ -1 +1 @@\n-a\n+b\n"),
        ("/etc/hosts", "@@ -1 +1 @@\n-a\n+b\n"),
        (".git/config", "@@ -1 +1 @@\n-a\n+b\n"),
        ("a/.GIT/hooks/x", "@@ -1 +1 @@\n-a\n+b\n"),
        ("C:/a", "@@ -1 +1 @@\n-a\n+b\n"),
        ("no-hunk", "-a\n+b\n"),
        ("cut-short", "@@ -1,3 +1,3 @@\n-a\n+b\n"),
        ("more-than-it-says", "@@ -1 +1,3 @@\n-a\n-b\n+c\n"),
        ("another-diff-within", "@@ -1,2 +1,2 @@\ndiff --git a/x b/x\n"),
        ("no-patch", ""),
    ],
)
def test_what_git_would_refuse_is_named_and_left_out(tmp_path: Path, path: str, patch: str) -> None:
    document = recorded.document("single-message")
    good = {"file": "good", "patch": "@@ -1 +1 @@\n-a\n+b\n", "additions": 1, "deletions": 1}
    bad = {"file": path, "patch": patch, "additions": 1, "deletions": 1}
    document["messages"][0]["info"]["summary"] = {"diffs": [bad, good]}
    files = changed(document)
    text = b"".join(git_patch(files)).decode()
    assert re.search(r"^# Not in this patch: .+$", text, re.MULTILINE)
    git(tmp_path, "init", "-q")
    (tmp_path / "good").write_text("a\n")
    git(tmp_path, "apply", "-", stdin=text.encode())
    assert (tmp_path / "good").read_text() == "b\n"
    assert text.count("diff --git") == 1


def test_a_reader_downloads_it(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("rate-limit-feature"))
    response = client.get("/share/GhIjKlMn/changes.patch")
    assert response.headers["Content-Disposition"] == 'attachment; filename="GhIjKlMn.patch"'
    assert response.data == b"".join(git_patch(changed(recorded.document("rate-limit-feature"))))
    assert 'href="/share/GhIjKlMn/changes.patch"' in client.get("/share/GhIjKlMn/changes").text
