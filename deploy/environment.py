#!/usr/bin/env python3
"""Prints the settings of an environment file as lines for a shell: eval "$(deploy/environment.py FILE)".

A value means the same as to systemd, whose rules for EnvironmentFile= are in systemd.exec(5): quotes and
backslashes as in a shell, but nothing is substituted, so `&`, `$` and spaces are themselves.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

ASSIGNMENT = re.compile(r"[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*=")
# Quoted, or unquoted up to the end of the line; a backslash at that end continues it.
PIECE = re.compile(r"""[ \t]*(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|((?:[^\\\n]|\\.)+))""", re.DOTALL)
LINE = re.compile(r"(?:[^\\\n]|\\.)*(?:\n|$)", re.DOTALL)


def read_settings(text: str) -> Iterator[tuple[str, str]]:
    """The names and values of an environment file; lines that assign nothing are passed over."""
    position = 0
    while position < len(text):
        if assignment := ASSIGNMENT.match(text, position):
            value, position = _read_value(text, assignment.end())
            yield assignment[1], value
        line = LINE.match(text, position)
        position = max(line.end() if line else 0, position + 1)


def _read_value(text: str, position: int) -> tuple[str, int]:
    """The value that begins at a position, and where it ends."""
    value = ""
    while piece := PIECE.match(text, position):
        single, double, plain = piece.groups()
        if single is not None:
            value += single
        elif double is not None:
            value += re.sub(r'\\(["\\`$])', r"\1", double.replace("\\\n", ""))
        else:
            value += re.sub(r"\\(.)", r"\1", plain.replace("\\\n", "").rstrip(), flags=re.DOTALL)
        position = piece.end()
    return value, position


if __name__ == "__main__":
    for name, value in read_settings(Path(sys.argv[1]).read_text()):
        print(f"export {name}={shlex.quote(value)}")  # noqa: T201 - its purpose
