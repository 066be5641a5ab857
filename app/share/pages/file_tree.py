"""The changed files of a page as a tree of folders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.opencode.changes.record import FileRecord

# Deeper folders are part of the names of their files.
MAX_DEPTH = 12


@dataclass
class TreeFile:
    """A file with its number among the changed files."""

    name: str
    number: int
    record: FileRecord


@dataclass
class Folder:
    """A folder, with how many lines changed below it."""

    name: str = ""
    folders: dict[str, Folder] = field(default_factory=dict)
    files: list[TreeFile] = field(default_factory=list)
    additions: int = 0
    deletions: int = 0


def file_tree(files: Iterable[tuple[int, FileRecord]]) -> Folder:
    """The folder of all files, which are given with their numbers.

    A folder that contains only another one is one with it: `src/app`.
    """
    root = Folder()
    for number, record in files:
        folders, name = _split(record.path)
        folder = root
        _count(folder, record)
        for each in folders:
            folder = folder.folders.setdefault(each, Folder(each))
            _count(folder, record)
        folder.files.append(TreeFile(name, number, record))
    root.folders = {folder.name: folder for folder in map(_folded, root.folders.values())}
    return root


def _split(path: str) -> tuple[list[str], str]:
    """The names of the folders of a path, and of its file."""
    rooted = "/" if path.startswith("/") else ""
    *folders, name = path.lstrip("/").split("/", MAX_DEPTH)
    return ([rooted + folders[0], *folders[1:]], name) if folders else ([], rooted + name)


def _count(folder: Folder, record: FileRecord) -> None:
    folder.additions += record.additions
    folder.deletions += record.deletions


def _folded(folder: Folder) -> Folder:
    while len(folder.folders) == 1 and not folder.files:
        [only] = folder.folders.values()
        only.name = f"{folder.name}/{only.name}"
        folder = only
    folder.folders = {each.name: each for each in map(_folded, folder.folders.values())}
    return folder
