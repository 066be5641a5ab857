"""Views of tools that read, write and edit files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from app.opencode.model import Tool
from app.render.diff.model import FileDiff, diff_excerpts, diff_texts
from app.render.diff.patch_parser import read_apply_patch, read_patch
from app.render.filters import plural
from app.render.text.highlight import language_of_file
from app.render.tools.fallback import fallback_view
from app.render.tools.fields import read_fields, read_lists
from app.render.tools.outputs import numbered_lines
from app.render.tools.view import CodeSection, DiffsSection, ToolView

# Limits of what is read of a call's changes; parsing a megabyte takes seconds, and most of it for its lines.
MAX_FILES = 200
MAX_CHARACTERS = 256 * 1024
LINE_CHARACTERS = 20


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
    replaceAll: bool = False  # noqa: N815
    patchText: str = ""  # noqa: N815

    @property
    def file(self) -> str:
        return self.filePath or self.path


class _Display(msgspec.Struct):
    text: str = ""
    lineStart: int = 1  # noqa: N815
    type: str = "file"


class _FileDiff(msgspec.Struct):
    """A change as a patch, or as the file before and after."""

    filePath: str = ""  # noqa: N815
    relativePath: str = ""  # noqa: N815
    file: str = ""
    path: str = ""
    patch: str = ""
    before: str | None = None
    after: str | None = None

    @property
    def size(self) -> int:
        return _cost(self.patch) or _cost(self.before or "") + _cost(self.after or "")

    def read(self, max_characters: int) -> list[FileDiff]:
        """The diffs; the beginning of a longer patch, none of longer texts."""
        if self.patch:
            return read_patch(_beginning(self.patch, max_characters))
        if (self.before is None and self.after is None) or self.size > max_characters:
            return []
        path = self.filePath or self.relativePath or self.file or self.path
        return [diff_texts(self.before or "", self.after or "", path)]


class _Result(msgspec.Struct):
    diff: str = ""
    filediff: _FileDiff | None = None


class _Metadata(msgspec.Struct):
    """`results` has those of every edit of a call that made several."""

    display: _Display | None = None
    diff: str = ""
    filediff: _FileDiff | None = None
    files: list[_FileDiff] = []
    results: list[_Result] = []


def read_view(tool: Tool) -> ToolView:
    """A file with its line numbers, or the list of a folder."""
    input = read_fields(tool.input, _Input)
    display = read_lists(tool.metadata, _Metadata).display
    if display and display.text:
        code = CodeSection("metadata.display.text", display.text, _language(display, input), _first(display))
    else:
        text, first_line = numbered_lines(tool.output)
        code = CodeSection("output", text, language_of_file(input.file), first_line)
    first = input.offset or 1
    facts = [f"from line {first}"] if input.offset and not input.limit else []
    if input.limit:
        facts = [f"lines {first} to {first + input.limit - 1}"]
    return ToolView("Read", input.file, facts=facts, sections=[code] if code.text else [])


def write_view(tool: Tool) -> ToolView:
    """A file that was written as a whole."""
    input = read_fields(tool.input, _Input)
    lines = input.content.count("\n") + (not input.content.endswith("\n")) if input.content else 0
    code = CodeSection("input.content", input.content, language_of_file(input.file), 1)
    facts = [plural(lines, "line"), *_outcome(tool)]
    return ToolView("Write", input.file, facts=facts, sections=[code])


def edit_view(tool: Tool) -> ToolView:
    """What an edit changed; computed from its input if OpenCode recorded no diff."""
    input = read_fields(tool.input, _Input)
    diffs = _diffs_from_metadata(tool) or _diffs_from_input(tool, input)
    if not diffs:
        return replace(fallback_view(tool), action="Edit", subject=input.file)
    view = _change_view("Edit", input.file or diffs.files[0].path, diffs, tool)
    # How often the text was replaced is recorded only in a diff.
    return replace(view, change=None) if input.replaceAll and not diffs.text else view


def apply_patch_view(tool: Tool) -> ToolView:
    """What a patch changed in each of its files."""
    input = read_fields(tool.input, _Input)
    diffs = _diffs_from_metadata(tool) or _bounded(
        read_apply_patch(_beginning(input.patchText, MAX_CHARACTERS)),
        _cost(input.patchText) > MAX_CHARACTERS,
    )
    if not diffs:
        return ToolView("Patch", sections=[CodeSection("input.patchText", input.patchText, "diff")])
    more = " and more" if diffs.is_cut else ""
    subject = diffs.files[0].path if len(diffs.files) == 1 else plural(len(diffs.files), "file") + more
    return _change_view("Patch", subject, diffs, tool)


def read_diffs(patch: str) -> DiffsSection | None:
    """The files of a unified diff, within the limits of a page."""
    return _to_diffs([_FileDiff(patch=patch)])


def _change_view(action: str, subject: str, diffs: DiffsSection, tool: Tool) -> ToolView:
    if tool.status != "completed":
        attempted = replace(diffs, files=[replace(file, is_applied=False) for file in diffs.files])
        return ToolView(action, subject, facts=_outcome(tool), sections=[attempted])
    change = (sum(file.added for file in diffs.files), sum(file.removed for file in diffs.files))
    return ToolView(action, subject, change=None if diffs.is_cut else change, sections=[diffs])


def _outcome(tool: Tool) -> list[str]:
    """That a call changed nothing; of one that makes several edits, the first may have been made."""
    return ["changed nothing"] if tool.status == "error" and tool.name != "multiedit" else []


def _diffs_from_metadata(tool: Tool) -> DiffsSection | None:
    """The diffs that OpenCode recorded in the call's metadata."""
    metadata = read_lists(tool.metadata, _Metadata)
    edits = [_Result(metadata.diff, metadata.filediff), *metadata.results]
    changes = metadata.files or [edit.filediff or _FileDiff(patch=edit.diff) for edit in edits]
    return _to_diffs(changes) or _to_diffs([_FileDiff(patch=edit.diff) for edit in edits])


def _diffs_from_input(tool: Tool, input: _Input) -> DiffsSection | None:
    """The pieces that an edit replaces; where in the file they are is not known."""
    edits = read_lists(tool.input, _Edits).edits or [_Edit(input.oldString, input.newString)]
    if sum(_cost(edit.oldString) + _cost(edit.newString) for edit in edits) > MAX_CHARACTERS:
        return None
    files = [
        diff_excerpts(edit.oldString, edit.newString, input.file)
        for edit in edits[:MAX_FILES]
        if edit.oldString or edit.newString
    ]
    return _bounded(files, len(edits) > MAX_FILES)


def _to_diffs(changes: Sequence[_FileDiff]) -> DiffsSection | None:
    """The diffs of these changes, up to MAX_CHARACTERS in all."""
    files: list[FileDiff] = []
    characters_left = MAX_CHARACTERS
    for change in changes[:MAX_FILES]:
        files += change.read(characters_left)
        characters_left -= change.size
        if characters_left < 0:
            break
    section = _bounded(files, characters_left < 0 or len(changes) > MAX_FILES)
    text = "\n".join(change.patch for change in changes if change.patch)
    return section and replace(section, name="metadata.diff", text=text)


def _cost(text: str) -> int:
    """What reading a text costs, in characters."""
    return len(text) + LINE_CHARACTERS * text.count("\n")


def _beginning(text: str, max_characters: int) -> str:
    """As much of a text as may be read for so many characters."""
    max_lines = max(1, max_characters // LINE_CHARACTERS)
    return "\n".join(text[:max_characters].split("\n", max_lines)[:max_lines])


def _bounded(files: Sequence[FileDiff], is_cut: bool) -> DiffsSection | None:
    return DiffsSection(files[:MAX_FILES], is_cut or len(files) > MAX_FILES) if files else None


def _language(display: _Display, input: _Input) -> str | None:
    return language_of_file(input.file) if display.type == "file" else None


def _first(display: _Display) -> int | None:
    return display.lineStart if display.type == "file" else None
