"""The outline of every recorded session: which blocks it becomes, and the line that tells of each call."""

from __future__ import annotations

import os

import pytest

from app.opencode import read_conversation
from tests.support import recorded
from tests.support.outline import outline
from tests.support.paths import FIXTURES

FOLDER = FIXTURES / "outlines"


@pytest.mark.parametrize("name", recorded.NAMES)
def test_a_session_has_the_outline_on_record(name: str) -> None:
    """After a change that is meant, `UPDATE_OUTLINES=1` writes the new outlines; read the difference."""
    found = outline(read_conversation(recorded.document_bytes(name)))
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_OUTLINES"):
        path.write_text(found)
    assert found == path.read_text()
