"""Writes `docs/configuration.md` from `config.py`: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

from config import Config

PAGE = Path(__file__).with_name("configuration.md")
HEAD = """\
# Configuration

All settings are environment variables; an empty variable counts as unset. If a setting is invalid, or one
that belongs to it is missing, the server does not start and prints which one. This page is generated from
`config.py` with `make docs`.

| Variable | Default | Meaning |
|---|---|---|
"""


def configuration() -> str:
    """Return the reference of all settings, in the order of `config.py`."""
    hints = get_type_hints(Config, include_extras=True)
    return HEAD + "".join(_row(name, hints[name]) for name in Config.__struct_fields__)


def _row(name: str, hint: object) -> str:
    kind, meta = get_args(hint)
    choices = " or ".join(f"`{choice}`" for choice in get_args(kind)) if get_origin(kind) is Literal else ""
    meaning = f"{meta.description} Either {choices}." if choices else meta.description
    return f"| `{name}` | {_default(getattr(Config(), name))} | {meaning} |\n"


def _default(default: object) -> str:
    if default == "":
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


if __name__ == "__main__":
    PAGE.write_text(configuration())
