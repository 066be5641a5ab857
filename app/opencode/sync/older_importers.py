"""What importers of OpenCode before 1.18 take: today's sessions in the shapes that they know.

`opencode import` names its version in `User-Agent`. Since some release between 1.3 and 1.14, the diffs in a
summary have a patch instead of the contents of the file before and after; 1.18 knows more errors than 1.15.
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw

from app.opencode.limits import objects
from app.opencode.sync.import_errors import unknown_error
from app.opencode.sync.import_fields import Fields

FIRST_NEWER = (1, 18)
NEWER_ERRORS = ("ContentFilterError",)
# A prompt whose answers changed more files says to an older importer that they changed none.
MAX_DIFFS = 1_000

_USER_AGENT = re.compile(r"opencode/(\d{1,4})\.(\d{1,4})\.\d")
_EMPTY = Raw(b'""')


def is_older_importer(user_agent: str) -> bool:
    """Whether a request comes from such an importer."""
    version = _USER_AGENT.match(user_agent)
    return version is not None and (int(version[1]), int(version[2])) < FIRST_NEWER


def downgrade(head: Fields) -> Fields:
    """The completed head of a session or of a message in their shape."""
    summary, error = head.get("summary"), head.get("error")
    if isinstance(summary, dict) and "diffs" in summary:
        head = {**head, "summary": {**summary, "diffs": _with_contents(summary["diffs"])}}
    if isinstance(error, dict) and error["name"] in NEWER_ERRORS:
        head = {**head, "error": unknown_error(error["name"], error["data"]["message"])}
    return head


def _with_contents(diffs: object) -> list[Fields]:
    """Diffs with the contents that none of them has any more."""
    json = diffs if isinstance(diffs, Raw) else Raw(msgspec.json.encode(diffs))
    try:
        decoded = [msgspec.json.decode(diff, type=dict[str, Raw]) for diff in objects(json, MAX_DIFFS)]
    except msgspec.ValidationError:
        return []
    return [{"before": _EMPTY, "after": _EMPTY, **diff} for diff in decoded]
