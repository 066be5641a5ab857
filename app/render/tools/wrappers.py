"""What OpenCode writes around the output of tools for the model: tags, and remarks on what it cut."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A longer remark is no remark of OpenCode's.
MAX_NOTE_CHARACTERS = 2_000

METADATA_TAGS = ("shell_metadata", "bash_metadata", "task_metadata")

_SAVED = (
    r"\.\.\.(?P<what>output|\d{1,12} [a-z]{1,10}) truncated\.\.\.\n\n"
    r"(?:The tool call succeeded but the output was truncated\. )?"
    r"(?P<saved>Full output saved to: [^\n]{1,1000})(?:\nUse [^\n]{1,500})?"
)
_CUT_BEFORE = re.compile(_SAVED + r"(?:\n\n|\Z)")
_CUT_AFTER = re.compile(r"(?:\A|\n\n)" + _SAVED + r"\s*+\Z")

# The beginning of output that is in a tag, or in OpenCode 2 has only a heading. Lines of files are numbered.
_INSIDE = re.compile(
    r"<path>[^\n]{0,4096}</path>\n<type>[^\n]{0,100}</type>\n<(?P<read>content|entries)>\n"
    r"|<(?P<file>file)>\n(?=\s*+\d{1,9}[|:])"
    r"|(?:<task [^\n]{0,300}>\n|task_id: [^\n]{0,300}\n\n)<(?P<task>task_result)>\n"
    r"|Read file [^\n]{1,4096}\n(?=\s*+\d{1,9}: )"
)
# The last line inside says how much of the file that is.
_EXTENT = re.compile(r"\n\n?\(([^\n]{1,300})\)\s*+\Z")
_WHOLE = re.compile(r"End of file|\d{1,9} entries")
MAX_EXTENT_CHARACTERS = 400


def without_wrappers(output: str) -> tuple[str, Sequence[str]]:
    """The output of a tool as the tool made it, and what OpenCode remarked on it."""
    notes: list[str] = []
    for take in (_take_metadata, _take_cut, _take_tags):
        output = take(output, notes)
    return output, notes


def _take_metadata(output: str, notes: list[str]) -> str:
    for tag in METADATA_TAGS:
        whole = output.rstrip()
        start = whole.rfind(f"<{tag}>") if whole.endswith(f"</{tag}>") else -1
        note = whole[start:].removeprefix(f"<{tag}>").removesuffix(f"</{tag}>").strip()
        if start >= 0 and 0 < len(note) <= MAX_NOTE_CHARACTERS:
            notes.append(note)
            output = output[:start].rstrip("\n")
    return output


def _take_cut(output: str, notes: list[str]) -> str:
    if cut := _CUT_BEFORE.match(output):
        rest = output[cut.end() :]
    else:
        tail = max(0, len(output) - MAX_NOTE_CHARACTERS)
        cut = _CUT_AFTER.search(output, tail)
        if not cut:
            return output
        rest = output[: cut.start()]
    notes.append(f"{cut['what'].capitalize()} truncated. {cut['saved']}")
    return rest


def _take_tags(output: str, notes: list[str]) -> str:
    opening = _INSIDE.match(output)
    if not opening:
        return output
    tag = opening["read"] or opening["file"] or opening["task"]
    end = output.rfind(f"</{tag}>", opening.end()) if tag else len(output)
    if end < 0:
        return output
    inside = output[opening.end() : end].removesuffix("\n")
    extent = _EXTENT.search(inside, max(0, len(inside) - MAX_EXTENT_CHARACTERS))
    if tag == "task_result" or not extent:
        return inside
    if not _WHOLE.match(extent[1]):
        notes.append(extent[1])
    return inside[: extent.start()]
