"""Files that were read, written and edited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from app.opencode.model import Tool
from app.render.diff.model import FileDiff, diff_texts
from app.render.diff.patch_parser import read_apply_patch, read_patch
from app.render.filters import plural
from app.render.text.highlight import language_of_file
from app.render.tools.fallback import tell_other
from app.render.tools.fields import between, read_fields, read_lists
from app.render.tools.view import Code, Diffs, Form

# How much of what a call changed is read; comparing and reading a megabyte takes seconds.
MAX_FILES = 200
MAX_CHARACTERS = 256 * 1024
# Longer answers of the read tool are shown as they stand.
MAX_NUMBERED_CHARACTERS = 1024 * 1024


class _Edit(msgspec.Struct):
    oldString: str = ""  # noqa: N815 - names here and below are OpenCode's
    newString: str = ""  # noqa: N815


class _Edits(msgspec.Struct):
    edits: list[_Edit] = []


class _Input(msgspec.Struct):
    filePath: str = ""  # noqa: N815
    path: str = ""
    content: str = ""
    offset: int | None = None
    limit: int | None = None
    oldString: str = ""  # noqa: N815
    newString: str = ""  # noqa: N815
    patchText: str = ""  # noqa: N815

    @property
    def file(self) -> str:
        return self.filePath or self.path


class _Display(msgspec.Struct):
    text: str = ""
    lineStart: int = 1  # noqa: N815
    type: str = "file"


class _FileDiff(msgspec.Struct):
    """A change as a patch, or as the file before and after it."""

    filePath: str = ""  # noqa: N815
    relativePath: str = ""  # noqa: N815
    file: str = ""
    path: str = ""
    patch: str = ""
    before: str | None = None
    after: str | None = None

    @property
    def size(self) -> int:
        return len(self.patch) or len(self.before or "") + len(self.after or "")

    def read(self, max_characters: int) -> list[FileDiff]:
        """The diffs; of a longer patch its beginning, of longer texts none."""
        if self.patch:
            return read_patch(self.patch[:max_characters])
        if (self.before is None and self.after is None) or self.size > max_characters:
            return []
        path = self.filePath or self.relativePath or self.file or self.path
        return [diff_texts(self.before or "", self.after or "", path)]


class _Metadata(msgspec.Struct):
    display: _Display | None = None
    diff: str = ""
    filediff: _FileDiff | None = None
    files: list[_FileDiff] = []


def tell_read(tool: Tool) -> Form:
    """A file with its line numbers, or the list of a folder."""
    wanted = read_fields(tool.input, _Input)
    display = read_lists(tool.metadata, _Metadata).display
    if display and display.text:
        code = Code("metadata.display.text", display.text, _language(display, wanted), _first(display))
    else:
        text, first_line = _numbered(tool.output)
        code = Code("output", text, language_of_file(wanted.file), first_line)
    first = wanted.offset or 1
    facts = [f"from line {first}"] if wanted.offset and not wanted.limit else []
    if wanted.limit:
        facts = [f"lines {first} to {first + wanted.limit - 1}"]
    return Form("Read", wanted.file, facts=facts, sections=[code] if code.text else [])


def tell_write(tool: Tool) -> Form:
    """A file that was written whole."""
    wanted = read_fields(tool.input, _Input)
    lines = wanted.content.count("\n") + (not wanted.content.endswith("\n")) if wanted.content else 0
    code = Code("input.content", wanted.content, language_of_file(wanted.file), 1)
    return Form("Write", wanted.file, facts=[plural(lines, "line")], sections=[code])


def tell_edit(tool: Tool) -> Form:
    """What an edit changed; from the texts it was given where OpenCode tells no diff."""
    wanted = read_fields(tool.input, _Input)
    diffs = _recorded(tool) or _intended(tool, wanted)
    if not diffs:
        return replace(tell_other(tool), action="Edit", subject=wanted.file)
    return _changed("Edit", wanted.file or diffs.files[0].path, diffs)


def tell_apply_patch(tool: Tool) -> Form:
    """What a patch did to each of its files."""
    wanted = read_fields(tool.input, _Input)
    diffs = _recorded(tool) or _bounded(
        read_apply_patch(wanted.patchText[:MAX_CHARACTERS]), len(wanted.patchText) > MAX_CHARACTERS
    )
    if not diffs:
        return Form("Patch", sections=[Code("input.patchText", wanted.patchText, "diff")])
    more = " and more" if diffs.is_cut else ""
    subject = diffs.files[0].path if len(diffs.files) == 1 else plural(len(diffs.files), "file") + more
    return _changed("Patch", subject, diffs)


def read_diffs(patch: str) -> Diffs | None:
    """The files of a unified diff, as far as a page reads it."""
    return _told([_FileDiff(patch=patch)])


def _changed(action: str, subject: str, diffs: Diffs) -> Form:
    change = (sum(file.added for file in diffs.files), sum(file.removed for file in diffs.files))
    return Form(action, subject, change=None if diffs.is_cut else change, sections=[diffs])


def _recorded(tool: Tool) -> Diffs | None:
    """The diffs that OpenCode noted beside the call."""
    noted = read_lists(tool.metadata, _Metadata)
    listed = noted.files or ([noted.filediff] if noted.filediff else [])
    return _told(listed) or _told([_FileDiff(patch=noted.diff)])


def _intended(tool: Tool, wanted: _Input) -> Diffs | None:
    edits = read_lists(tool.input, _Edits).edits or [_Edit(wanted.oldString, wanted.newString)]
    return _told(
        [
            _FileDiff(path=wanted.file, before=edit.oldString, after=edit.newString)
            for edit in edits
            if edit.oldString or edit.newString
        ]
    )


def _told(changes: Sequence[_FileDiff]) -> Diffs | None:
    """The diffs of these changes, up to MAX_CHARACTERS of all of them."""
    files: list[FileDiff] = []
    characters_left = MAX_CHARACTERS
    for change in changes[:MAX_FILES]:
        files += change.read(characters_left)
        characters_left -= change.size
        if characters_left < 0:
            break
    diffs = _bounded(files, characters_left < 0 or len(changes) > MAX_FILES)
    text = "\n".join(change.patch for change in changes if change.patch)
    return diffs and replace(diffs, name="metadata.diff", text=text)


def _bounded(files: Sequence[FileDiff], is_cut: bool) -> Diffs | None:
    return Diffs(files[:MAX_FILES], is_cut or len(files) > MAX_FILES) if files else None


def _language(display: _Display, wanted: _Input) -> str | None:
    return language_of_file(wanted.file) if display.type == "file" else None


def _first(display: _Display) -> int | None:
    return display.lineStart if display.type == "file" else None


TAG = re.compile(r"<(content|file)>\n")
# Possessive, so that a line of a million zeros is not read a million times.
LINE = re.compile(r"\s*+(\d{1,9}+)[:|] ?(.*)")


def _numbered(output: str) -> tuple[str, int | None]:
    """The contents in an answer of the read tool, without the tags and numbers it wraps them in."""
    if len(output) > MAX_NUMBERED_CHARACTERS:
        return output, None
    tag = TAG.search(output)
    inside = tag and between(output[tag.start() :], f"<{tag[1]}>", f"</{tag[1]}>")
    if inside is None:
        return output, None
    lines = [LINE.fullmatch(line) for line in inside.split("\n")]
    numbered = [line for line in lines if line]
    if not numbered or lines[0] is None:
        return inside, None
    return "\n".join(line[2] for line in numbered), int(numbered[0][1])
