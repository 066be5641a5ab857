"""Files that were read, written and edited."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from app.render.code import language_of_file
from app.render.diff import FileDiff, diff_texts
from app.render.forms.fields import read_fields, read_lists
from app.render.forms.form import Code, Diff, Form, plural
from app.render.patches import read_apply_patch, read_patch
from app.session.model import Tool

MAX_FILES = 200
MAX_PATCH_CHARACTERS = 2 * 1024 * 1024


class _Edit(msgspec.Struct):
    oldString: str = ""  # noqa: N815 - names here and below are OpenCode's
    newString: str = ""  # noqa: N815


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
    filePath: str = ""  # noqa: N815
    relativePath: str = ""  # noqa: N815
    file: str = ""
    path: str = ""
    patch: str = ""
    before: str | None = None
    after: str | None = None


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
    diffs = _recorded(tool) or _intended(wanted)
    return _changed("Edit", wanted.file or (diffs[0].path if diffs else ""), diffs)


def tell_apply_patch(tool: Tool) -> Form:
    """What a patch did to each of its files."""
    wanted = read_fields(tool.input, _Input)
    diffs = _recorded(tool) or read_apply_patch(wanted.patchText[:MAX_PATCH_CHARACTERS])
    if not diffs:
        return Form("Patch", sections=[Code("input.patchText", wanted.patchText, "diff")])
    subject = diffs[0].path if len(diffs) == 1 else plural(len(diffs), "file")
    return _changed("Patch", subject, diffs)


def _changed(action: str, subject: str, diffs: Sequence[FileDiff]) -> Form:
    change = (sum(diff.added for diff in diffs), sum(diff.removed for diff in diffs))
    facts = [f"of {len(diffs)} files, {MAX_FILES} shown"] if len(diffs) > MAX_FILES else []
    return Form(action, subject, "", facts, change, [Diff(diff) for diff in diffs[:MAX_FILES]])


def _recorded(tool: Tool) -> list[FileDiff]:
    """The diffs that OpenCode noted beside the call."""
    noted = read_lists(tool.metadata, _Metadata)
    files = noted.files or ([noted.filediff] if noted.filediff else [])
    if not files:
        return read_patch(noted.diff[:MAX_PATCH_CHARACTERS])
    diffs: list[FileDiff] = []
    for file in files[: MAX_FILES + 1]:
        path = file.filePath or file.relativePath or file.file or file.path
        if file.patch:
            diffs.extend(read_patch(file.patch[:MAX_PATCH_CHARACTERS]))
        elif file.before is not None or file.after is not None:
            diffs.append(diff_texts(file.before or "", file.after or "", path))
    return diffs


def _intended(wanted: _Input) -> list[FileDiff]:
    if not wanted.oldString and not wanted.newString:
        return []
    return [diff_texts(wanted.oldString, wanted.newString, wanted.file)]


def _language(display: _Display, wanted: _Input) -> str | None:
    return language_of_file(wanted.file) if display.type == "file" else None


def _first(display: _Display) -> int | None:
    return display.lineStart if display.type == "file" else None


LINE = re.compile(r"\s*0*(\d+)[:|] ?(.*)")


def _numbered(output: str) -> tuple[str, int | None]:
    """The contents in an answer of the read tool, without the tags and numbers it wraps them in."""
    inside = re.search(r"<(content|file)>\n(.*?)\n?</\1>", output, re.DOTALL)
    if inside is None:
        return output, None
    lines = [LINE.fullmatch(line) for line in inside[2].split("\n")]
    numbered = [line for line in lines if line]
    if not numbered or lines[0] is None:
        return inside[2], None
    return "\n".join(line[2] for line in numbered), int(numbered[0][1])
