"""Looks for small sessions that are expensive to show; whatever they contain, every answer stays bounded.

`FUZZ_SECONDS=3600 pytest tests/share/test_costs.py` searches for an hour, and replaces the documents in
EXPENSIVE, the worst that were found before, by those that it finds.
"""

from __future__ import annotations

import gzip
import heapq
import json
import os
import time
from itertools import chain
from typing import Any, NoReturn

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import strategies as st

from app.render import Renderer
from app.render.transcript import markdown
from app.services.container import services
from tests.support import hostile
from tests.support.client import create, renew, share, upload
from tests.support.hostile import Document
from tests.support.marks import without_rate_limits
from tests.support.paths import FIXTURES

# A time limit may end while Python frees an object; then it is raised again.
pytestmark = [
    without_rate_limits,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MAX_DOCUMENT_BYTES = 100 * 1024
MAX_ANSWER_BYTES = 4 * 1024 * 1024
SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
WORST = 20
ADDRESSES = ("", "/steps/1", ".md", "/changes", "/changes/1", "/block/prt_0", "/prompts")
# A document on each line.
EXPENSIVE = FIXTURES / "hostile" / "expensive.jsonl.gz"

# What Markdown, source code, diffs, terminals and the wrappers of tools give a meaning to.
PIECES = (
    *("> ", "- ", "* ", "1. ", "# ", "    ", "\t", "\n", "\n\n", "  \n", "a", "word ", "é", "中"),
    *("\\", "&amp;", "<", "`", "``", "```", "```js\n", "~~~", "*", "**", "***", "_", "__", "~~", "|", "|-"),
    *("| a | b |\n|---|---|\n", "[", "]", "(", ")", "![", "](", "[a](b)", "[a]: <x>\n", "[a]", "[^a]"),
    *("[^a]: ", "<http://a.b>", "<a", "</", "<!--", "http://a", "www.a.", "<details>", "<kbd>"),
    *("> [!NOTE]\n", "$", "$$", "\\(", "\\frac{", "{", "}", "^", "/*", "*/", "'", '"', '"""', "${", "{{"),
    *("<?php", "<%", "@@ -1 +1 @@\n", "+a\n", "-b\n", "--- a\n+++ b\n", "\x1b[31m", "\x1b[1;32m"),
    *("\r", "\b", "\x1b]8;;x\x07", "<think>", "</think>", "<file>\n", "00001| ", "/w/a:1:2: "),
)
texts = st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 3_000)), min_size=1, max_size=6).map(
    lambda runs: "".join(piece * count for piece, count in runs)[:60_000]
)
TOOLS = (
    *("bash", "edit", "multiedit", "write", "read", "grep", "glob", "list", "task", "todowrite"),
    *("apply_patch", "question", "webfetch", "batch", "mcp_thing"),
)
OTHER_TYPES = ("patch", "agent", "retry", "compaction", "snapshot", "unknown")
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
calls = st.builds(
    hostile.call,
    st.integers(0, 9),
    st.sampled_from(TOOLS),
    inputs,
    metadata,
    texts,
)
parts = st.one_of(
    st.builds(hostile.text, st.integers(0, 9), texts),
    calls,
    texts.map(lambda text: {"id": "prt_r", "type": "reasoning", "text": text}),
    st.just({}),
    st.sampled_from(OTHER_TYPES).map(lambda type: {"type": type}),
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


def read_everything(client: FlaskClient) -> None:
    for address in ADDRESSES:
        response = client.get(f"/share/GhIjKlMn{address}")
        assert response.status_code in (200, 404)
        assert len(response.data) <= MAX_ANSWER_BYTES, address


@pytest.mark.parametrize("number", range(WORST))
def test_what_was_expensive_is_bounded_and_costs_once(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    document = gzip.decompress(EXPENSIVE.read_bytes()).splitlines()[number]
    share(client, document)
    read_everything(client)

    def blocks(*_: object) -> NoReturn:
        raise AssertionError("a page was made twice")

    monkeypatch.setattr(Renderer, "blocks", blocks)
    monkeypatch.setattr(markdown, "transcript", blocks)
    read_everything(client)


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
        read_everything(client)
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
        worst = [encoded for _, encoded in sorted(found, reverse=True)]
        EXPENSIVE.write_bytes(gzip.compress("\n".join(worst).encode(), mtime=0))
