"""Answers as JSON."""

from __future__ import annotations

from typing import Any

import msgspec


def json_of(answer: msgspec.Struct) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(answer)
    return built
