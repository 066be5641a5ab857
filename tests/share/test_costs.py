"""Looks for small sessions that are expensive to show; whatever they contain, every answer stays bounded.

`FUZZ_SECONDS=3600 pytest -s tests/share/test_costs.py` searches for an hour, and prints the worst.
"""

from __future__ import annotations

import heapq
import json
import os
import sys
import time
from itertools import chain
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import strategies as st

from app.services.container import services
from tests.support import hostile
from tests.support.client import create, renew, upload
from tests.support.hostile import Document
from tests.support.marks import without_rate_limits

# A time limit may end while Python frees an object; then it is raised again.
pytestmark = [
    without_rate_limits,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MAX_DOCUMENT_BYTES = 100 * 1024
MAX_ANSWER_BYTES = 4 * 1024 * 1024
SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
WORST = 20

PIECES = (
    *(
        "> ",
        "- ",
        "* ",
        "1. ",
        "# ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "  \n",
        "a",
        "word ",
        "é",
        "中",
    ),
    *(
        "\\",
        "&amp;",
        "<",
        "`",
        "``",
        "```",
        "```js\n",
        "~~~",
        "*",
        "**",
        "***",
        "_",
        "__",
        "~~",
        "|",
    ),
    *(
        "|-",
        "| a | b |\n|---|---|\n",
        "[",
        "]",
        "(",
        ")",
        "![",
        "](",
        "[a](b)",
        "[a]: <x>\n",
        "[a]",
    ),
    *(
        "<http://a.b>",
        "<a",
        "</",
        "<!--",
        "http://a",
        "/*",
        "*/",
        "'",
        '"',
        '"""',
        "${",
        "{{",
    ),
    *(
        "<?php",
        "<%",
        "@@ -1 +1 @@\n",
        "+a\n",
        "-b\n",
        "--- a\n+++ b\n",
        "\x1b[31m",
        "\x1b[1;32m",
    ),
    *(
        "\r",
        "\b",
        "\x1b]8;;x\x07",
        "<think>",
        "</think>",
        "<file>\n",
        "00001| ",
        "/w/a:1:2: ",
    ),
)
texts = st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 3_000)), min_size=1, max_size=6).map(
    lambda runs: "".join(piece * count for piece, count in runs)[:60_000]
)
QUESTION = {"question": "q", "options": [{"label": "l"}] * 9}
DIAGNOSTIC = {"message": "m", "severity": 1}
TOOLS = ("bash", "edit", "multiedit", "write", "read", "grep", "glob", "list", "task", "todowrite")
OTHER_TOOLS = ("apply_patch", "question", "webfetch", "batch", "mcp_thing")
OTHER_PARTS = ("patch", "agent", "retry", "compaction", "snapshot", "unknown")
inputs = st.fixed_dictionaries(
    {},
    optional={
        "filePath": st.sampled_from(("/w/a.py", "a.js", "x.html", "b")),
        "content": texts,
        "oldString": texts,
        "newString": texts,
        "command": texts,
        "patchText": texts.map(lambda text: f"*** Begin Patch\n*** Update File: a\n@@\n{text}"),
        "edits": st.lists(st.fixed_dictionaries({"oldString": texts, "newString": texts}), max_size=40),
        "todos": st.integers(0, 900).map(lambda count: [{"content": "x", "status": "pending"}] * count),
        "questions": st.integers(0, 300).map(
            lambda count: [{"question": "q", "options": [{"label": "l"}] * 9}] * count
        ),
    },
)
metadata = st.fixed_dictionaries(
    {},
    optional={
        "diff": texts,
        "sessionId": st.sampled_from(("ses_2", "ses_3")),
        "files": st.lists(st.fixed_dictionaries({"filePath": st.just("a"), "patch": texts}), max_size=20),
        "diagnostics": st.integers(0, 900).map(
            lambda count: {"a": [{"message": "m", "severity": 1}] * count}
        ),
    },
)
TOOLS = (
    "bash",
    "edit",
    "multiedit",
    "write",
    "read",
    "grep",
    "glob",
    "list",
    "task",
    "todowrite",
    "apply_patch",
)
calls = st.builds(
    hostile.call,
    st.integers(0, 9),
    st.sampled_from(TOOLS + OTHER_TOOLS),
    inputs,
    metadata,
    texts,
)
parts = st.one_of(
    st.builds(hostile.text, st.integers(0, 9), texts),
    calls,
    texts.map(lambda text: {"id": "prt_r", "type": "reasoning", "text": text}),
    st.just({}),
    st.sampled_from(("patch", "agent", "retry", "compaction", "snapshot", "unknown")).map(
        lambda type: {"type": type}
    ),
)


def repeated(item: Document, count: int) -> list[Document]:
    """The item as often as it fits into a document."""
    return [item] * min(count, max(1, MAX_DOCUMENT_BYTES // len(json.dumps(item))))


def run_of(items: st.SearchStrategy[Document], max_count: int) -> st.SearchStrategy[list[Document]]:
    runs = st.lists(st.builds(repeated, items, st.integers(1, max_count)), min_size=1, max_size=4)
    return runs.map(lambda runs: list(chain(*runs)))


messages = run_of(run_of(parts, 400).map(lambda parts: hostile.message("m", *parts)), 300)
children = st.builds(
    lambda id, messages: {"session": {"id": id, "title": "k"}, "messages": messages},
    st.sampled_from(("ses_2", "ses_3")),
    messages,
)
documents = st.builds(
    lambda messages, children: hostile.session(messages=messages, children=children),
    messages,
    st.lists(children, max_size=2),
)


class TimeIsUp(Exception):
    """Ends a long search."""


@pytest.fixture
def found() -> list[tuple[float, str]]:
    """The most expensive documents so far, with the seconds of CPU that they cost."""
    return []


def test_no_small_session_is_expensive(client: FlaskClient, found: list[tuple[float, str]]) -> None:
    link: dict[str, Any] = create(client).get_json()
    secret = link["secret"]
    with client.application.app_context():
        # Each document replaces the one before at once.
        services().freshness.fresh_seconds = -1
    ends_at = time.monotonic() + SECONDS
    search = settings(
        max_examples=1_000_000 if SECONDS else 25,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.target],
        suppress_health_check=list(HealthCheck),
    )

    @search
    @given(document=documents)
    def show(document: dict[str, Any]) -> None:
        encoded = json.dumps(document).encode()
        if SECONDS and time.monotonic() > ends_at:
            raise TimeIsUp
        if len(encoded) > MAX_DOCUMENT_BYTES:
            return
        fresh = renew(client, "GhIjKlMn", secret, size=len(encoded)).get_json()
        assert upload(client, fresh, encoded).status_code == 200
        started_at = time.process_time()
        for address in ("", "/steps/1", ".md", "/changes", "/changes/1", "/block/prt_0"):
            response = client.get(f"/share/GhIjKlMn{address}")
            assert response.status_code in (200, 404)
            assert len(response.data) <= MAX_ANSWER_BYTES, address
        cost = time.process_time() - started_at
        target(cost)
        heapq.heappush(found, (cost, encoded.decode()))
        if len(found) > WORST:
            heapq.heappop(found)

    try:
        show()
    except* TimeIsUp:
        pass
    if SECONDS:
        for cost, encoded in sorted(found, reverse=True):
            sys.stdout.write(f"{cost:.2f} s, {len(encoded):,} bytes: {encoded[:400]}\n")
