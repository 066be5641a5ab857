"""Secrets that were once missed, and texts that were once changed without a reason, in both engines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.redaction.engines import by_plugin, by_server
from tests.support.paths import FIXTURES

# As much of a secret as may be left over.
PIECE = 16

both_engines = pytest.mark.parametrize("redact", [by_plugin, by_server], ids=["plugin", "server"])
Redact = Callable[[list[Any]], list[Any]]


def reported(name: str) -> list[dict[str, str]]:
    lines = (FIXTURES / "redaction" / f"{name}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def item(text: str) -> Any:
    """A text that is a JSON list stands for the texts of one document."""
    return json.loads(text) if text.startswith('["') else text


def is_left(secret: str, redacted: Any) -> bool:
    text = redacted if isinstance(redacted, str) else json.dumps(redacted, ensure_ascii=False)
    size = min(PIECE, len(secret))
    return any(secret[start : start + size] in text for start in range(len(secret) - size + 1))


@both_engines
def test_secrets_that_were_missed_are_removed(redact: Redact) -> None:
    cases = reported("missed")
    redacted = redact([item(case["text"]) for case in cases])
    missed = [
        case["text"] for case, text in zip(cases, redacted, strict=True) if is_left(case["secret"], text)
    ]
    assert len(missed) <= 0.01 * len(cases), missed


@both_engines
def test_texts_that_were_changed_without_a_reason_stay(redact: Redact) -> None:
    cases = reported("false")
    texts = [case["text"] for case in cases]
    changed = [text for before, text in zip(texts, redact(texts), strict=True) if before != text]
    assert len(changed) <= 0.1 * len(cases), changed
