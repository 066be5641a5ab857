"""The tree of changed files."""

from __future__ import annotations

import pytest
from msgspec import Raw

from app.opencode.changes.record import FileRecord
from app.share.pages.file_tree import MAX_DEPTH, Folder, file_tree


def tree(*paths: str) -> Folder:
    records = [FileRecord(path, "modified", 2, 1, "", 0, Raw(b"")) for path in paths]
    return file_tree(list(enumerate(records, start=1)))


def outline(folder: Folder) -> list[object]:
    """The names in it: of a folder with its contents, and of files."""
    folders = [[each.name, *outline(each)] for each in folder.folders.values()]
    return [*folders, *(file.name for file in folder.files)]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a.py"], ["a.py"]),
        (["src/app/a.py", "src/app/b.py"], [["src/app", "a.py", "b.py"]]),
        (["src/a.py", "src/app/b.py"], [["src", ["app", "b.py"], "a.py"]]),
        (["a/b/c/x", "a/d/y"], [["a", ["b/c", "x"], ["d", "y"]]]),
        (["/etc/hosts", "x"], [["/etc", "hosts"], "x"]),
        (["/hosts"], ["/hosts"]),
        (["../x"], [["..", "x"]]),
        (["a//b"], [["a/", "b"]]),
    ],
)
def test_folders_with_one_folder_are_one_line(paths: list[str], expected: list[object]) -> None:
    assert outline(tree(*paths)) == expected


def test_folders_count_what_is_below_them() -> None:
    folder = tree("a/b/x", "a/y", "z").folders["a"]
    assert (folder.additions, folder.deletions) == (4, 2)
    assert (folder.folders["b"].additions, folder.folders["b"].deletions) == (2, 1)


def test_folders_may_be_as_deep_as_they_like() -> None:
    path = "x/" * 5_000 + "a.py"
    folder, depth = tree(path, *("x/" * n + "f" for n in range(1, 30))), 0
    while folder.folders:
        folder, depth = next(iter(folder.folders.values())), depth + 1
    assert depth <= MAX_DEPTH
    assert folder.files[-1].name.endswith("f")
