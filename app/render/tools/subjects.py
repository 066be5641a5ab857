"""The one input of a call that says most about it."""

from __future__ import annotations

from collections.abc import Mapping

MAX_SUBJECT = 160

# Names of fields that say what a call is about, the most telling first.
TELLING = [
    "command",
    "filePath",
    "file_path",
    "filepath",
    "file",
    "path",
    "uri",
    "url",
    "query",
    "pattern",
    "search",
    "question",
    "prompt",
    "description",
    "title",
    "name",
    "subject",
    "text",
    "message",
    "goal",
    "directory",
    "repo",
    "repository",
    "owner",
    "library",
    "libraryName",
    "libraryId",
    "context7CompatibleLibraryID",
    "selector",
    "element",
    "session_id",
    "sessionID",
    "task_id",
    "id",
]


def telling(fields: Mapping[str, str]) -> str:
    """The first line of the field that says most: a path, a query, an address, or any other words."""
    by_name = {name.lower(): text for name, text in fields.items()}
    named = (by_name.get(name.lower(), "") for name in TELLING)
    line = next((line for text in named if (line := _line(text))), "")
    return line or next((line for text in fields.values() if _is_words(line := _line(text))), "")


def _line(text: str) -> str:
    """The first line of a text; nothing for lists and objects."""
    line = text.strip().partition("\n")[0]
    return "" if line[:1] in ("{", "[") else line[:MAX_SUBJECT]


def _is_words(line: str) -> bool:
    """Whether a line says something by itself, as no flag and no number does."""
    return line not in ("", "true", "false", "null") and not line.lstrip("-").replace(".", "", 1).isdigit()
