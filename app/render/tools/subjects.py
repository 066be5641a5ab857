"""The one input of a call that says most about it."""

from __future__ import annotations

from collections.abc import Mapping

MAX_SUBJECT = 160
# Whatever is longer is no number.
MAX_NUMBER = 40

# Fields that say what a call is about, by plain name, the most telling first.
TELLING = (
    "command",
    "cmd",
    "tmuxcommand",
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
    "toolname",
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
    "libraryname",
    "libraryid",
    "context7compatiblelibraryid",
    "selector",
    "element",
    "sessionid",
    "taskid",
    "id",
)


def plain_name(field: str) -> str:
    """The name of a field as it is compared: `filePath`, `file_path` and `file-path` are one."""
    return field.lower().replace("_", "").replace("-", "")


def telling(fields: Mapping[str, str]) -> str:
    """The first line of the field that says most: a path, a query, an address, or any other words."""
    by_name = {plain_name(name): text for name, text in fields.items()}
    named = (by_name.get(name, "") for name in TELLING)
    line = next((line for text in named if (line := _line(text))), "")
    return line or next((line for text in fields.values() if is_words(line := _line(text))), "")


def is_words(text: str) -> bool:
    """Whether a text says something by itself, as no flag, number, list or object does."""
    if text in ("", "true", "false", "null") or text.startswith(("{", "[")):
        return False
    return len(text) > MAX_NUMBER or not text.lstrip("-").replace(".", "", 1).isdigit()


def _line(text: str) -> str:
    """The first line of a text; nothing for lists and objects."""
    line = text.strip().partition("\n")[0]
    return "" if line[:1] in ("{", "[") else line[:MAX_SUBJECT]
