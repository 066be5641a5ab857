"""What language servers said about the files that a call changed (`Diagnostic` of the LSP specification)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
from msgspec import Raw

from app.opencode.calls import EDITING_TOOLS
from app.opencode.fields import ABSENT, is_absent, read_text
from app.opencode.model import Tool
from app.render.filters import plural
from app.render.tools.fields import MAX_LIST_BYTES
from app.render.tools.view import Diagnostic, DiagnosticsSection, DiffsSection, ToolView

MAX_DIAGNOSTICS = 50
MAX_OUTPUT_CHARACTERS = 256 * 1024

SEVERITIES: dict[int | str, str] = {
    1: "error",
    2: "warning",
    3: "information",
    4: "hint",
    "ERROR": "error",
    "WARN": "warning",
    "INFO": "information",
    "HINT": "hint",
}


class _Position(msgspec.Struct, frozen=True):
    line: int
    character: int = 0


class _Range(msgspec.Struct, frozen=True):
    start: _Position


class _Diagnostic(msgspec.Struct, frozen=True):
    """Its lines and characters count from 0; one without a severity is an error."""

    range: _Range
    message: Raw = ABSENT
    severity: int | None = None


class _Metadata(msgspec.Struct, frozen=True):
    diagnostics: dict[str, list[Raw]] = {}


class _Result(msgspec.Struct, frozen=True):
    metadata: Raw = ABSENT
    diagnostics: Raw = ABSENT


class _Results(msgspec.Struct, frozen=True):
    results: list[_Result] = []


def with_diagnostics(view: ToolView, tool: Tool) -> ToolView:
    """The view of a call with the diagnostics after it: all of its own files, and the errors of others."""
    found = _recorded(tool.metadata)
    if not found and tool.name in EDITING_TOOLS:
        found = list(_in_output(tool.output[:MAX_OUTPUT_CHARACTERS]))
    own = {_tail(path) for path in _paths(view)}
    relevant = [each for each in found if each.severity == "error" or not own or _tail(each.path) in own]
    relevant.sort(key=lambda each: (_tail(each.path) not in own, each.severity != "error"))
    if not relevant:
        return view
    hidden = max(0, len(relevant) - MAX_DIAGNOSTICS)
    section = DiagnosticsSection(
        relevant[:MAX_DIAGNOSTICS], hidden, "metadata.diagnostics", _as_text(relevant)
    )
    counts = [(sum(each.severity == noun for each in relevant), noun) for noun in ("error", "warning")]
    facts = [*view.facts, *(plural(count, noun) for count, noun in counts if count)]
    return replace(view, facts=facts, sections=[*view.sections, section])


def _recorded(metadata: Raw) -> list[Diagnostic]:
    """Those in the metadata; of a call that made several edits, those after the last."""
    if b'"diagnostics"' not in bytes(metadata) or len(memoryview(metadata)) > MAX_LIST_BYTES:
        return []
    try:
        files = msgspec.json.decode(metadata, type=_Metadata).diagnostics
        if not files and (results := msgspec.json.decode(metadata, type=_Results).results):
            files = msgspec.json.decode(msgspec.json.encode(results[-1]), type=_Metadata).diagnostics
    except (msgspec.DecodeError, RecursionError):
        return []
    return [read for path, items in files.items() for item in items if (read := _read(path, item))]


def _read(path: str, item: Raw) -> Diagnostic | None:
    try:
        diagnostic = msgspec.json.decode(item, type=_Diagnostic)
    except (msgspec.DecodeError, RecursionError):
        return None
    start = diagnostic.range.start
    severity = SEVERITIES.get(diagnostic.severity or 1, "error")
    message = "" if is_absent(diagnostic.message) else read_text(diagnostic.message)
    return Diagnostic(path, start.line + 1, start.character + 1, severity, message)


# OpenCode tells the model in these tags; older versions with the names of files on lines of their own.
_BLOCK = re.compile(r'<(?:diagnostics file="([^"\n]*)"|file_diagnostics|project_diagnostics)>\n')
_LINE = re.compile(r"(ERROR|WARN|INFO|HINT) \[(\d{1,9}):(\d{1,9})\] (.*)")


def _in_output(output: str) -> Iterator[Diagnostic]:
    """Those in the text that the model got."""
    if "diagnostics" not in output:
        return
    for block in _BLOCK.finditer(output):
        path = block[1] or ""
        for line in output[block.end() :].split("\n"):
            if line.startswith("</"):
                break
            if match := _LINE.fullmatch(line.strip()):
                yield Diagnostic(path, int(match[2]), int(match[3]), SEVERITIES[match[1]], match[4])


def _paths(view: ToolView) -> Sequence[str]:
    diffs = [section for section in view.sections if isinstance(section, DiffsSection)]
    return [view.subject, *(file.path for section in diffs for file in section.files)]


def _as_text(diagnostics: Sequence[Diagnostic]) -> str:
    return "\n".join(
        f"{each.path}:{each.line}:{each.column}: {each.severity}: {each.message}" for each in diagnostics
    )


def _tail(path: str) -> str:
    """The last two names of a path, by which one of a call and one of a language server are compared."""
    return "/".join(path.replace("\\", "/").split("/")[-2:]).lower()
