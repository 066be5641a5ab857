"""Compiles the rules of `rules.json`.

The plugin imports the same file: its patterns keep to the syntax that JavaScript and Python have in common.
`<name>` in a pattern stands for the entry of that name in `parts`, or for any of its alternatives.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_data: dict[str, Any] = json.loads((Path(__file__).parent / "rules.json").read_text())


@dataclass(frozen=True)
class Rule:
    """A pattern for one kind of secret.

    `pattern` is searched in texts that contain one of `hints`; its first group, or the whole match, is the
    secret.

    With `is_word` the secret starts at the beginning of its word. A rule that ignores case is matched against
    the text in lower case. `check` is a key of `app.redaction.heuristics.CHECKS` that the secret must also
    pass.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    ignores_case: bool
    is_word: bool
    check: str | None


def _part(name: re.Match[str]) -> str:
    content: str | list[str] = _data["parts"][name[1]]
    return _whole(content) if isinstance(content, str) else f"(?:{'|'.join(content)})"


def _whole(pattern: str) -> str:
    return re.sub("<([a-z]+)>", _part, pattern)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_whole(pattern), re.ASCII)


RULES = [
    Rule(
        kind=rule["kind"],
        hints=tuple(rule["hints"]),
        pattern=_compiled(rule["pattern"]),
        ignores_case=rule.get("ignoreCase", False),
        is_word=rule.get("word", False),
        check=rule.get("check"),
    )
    for rule in _data["rules"]
]
# A value that contains one of these, in lower case, is no secret: placeholders, variables, paths.
PLACEHOLDERS = [_compiled(pattern) for pattern in _data["innocent"]]
# Matches what stands between punctuation in names and sentences, and hardly ever in random values.
WORD = _compiled(_data["word"])
# The names, in lower case, of variables and fields that hold secrets.
PASSWORD_NAME = _compiled(_data["passwordName"])
SECRET_NAME = _compiled(_data["secretName"])
