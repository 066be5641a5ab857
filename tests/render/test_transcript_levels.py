"""The levels of detail of a session as Markdown, and its pages."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from app.lib.budget import Budget
from app.opencode import read_conversation
from app.render.transcript.markdown import transcript
from tests.support import recorded
from tests.support.constructed import index
from tests.support.recorded import document_bytes, with_parts

URL = "https://share.example.com/share/GhIjKlMn"


def written(document: bytes, level: str) -> str:
    return "".join(transcript(read_conversation(document), URL, Budget(), level))


def part(tool: str, number: int, **state: object) -> dict[str, Any]:
    state = {"status": "completed", "input": {}, "output": "", "title": "", "metadata": {}, **state}
    return {"type": "tool", "id": f"prt_{number}", "tool": tool, "state": state}


def highlights(*parts: dict[str, Any]) -> list[str]:
    """What is written of an answer with these parts."""
    return written(with_parts(*parts), "highlights").partition("## Answer 1\n\n")[2].strip().split("\n\n")


@pytest.mark.parametrize("name", recorded.NAMES)
@pytest.mark.parametrize("level", ["conversation", "highlights", "everything"])
def test_every_level_has_every_prompt_and_answer(name: str, level: str) -> None:
    whole, markdown = written(document_bytes(name), "everything"), written(document_bytes(name), level)
    for part in recorded.parts(name):
        if part["type"] == "text" and not part.get("synthetic") and "\n" not in part["text"].strip():
            assert (part["text"].strip() in whole) == (part["text"].strip() in markdown)


def test_the_conversation_has_no_calls() -> None:
    markdown = written(document_bytes("rate-limit-feature"), "conversation")
    assert not re.search(r"(?m)^\*\*\w+\*\* ", markdown)
    assert "Only prompts and answers" in markdown


def test_highlights_have_every_change_and_failure_and_a_line_for_each_run() -> None:
    whole = written(document_bytes("rate-limit-feature"), "everything")
    markdown = written(document_bytes("rate-limit-feature"), "highlights")
    assert "*Read 2 files, 2 searches, 1 thought · 434 ms*" in markdown
    assert "**grep**" not in markdown
    assert markdown.count("**edit**") == whole.count("**edit**") > 0
    assert "FAILED (failures=1)" in markdown
    assert len(markdown) < len(whole)


def test_a_command_that_succeeded_is_a_line_with_what_it_said_last() -> None:
    command = part("bash", 0, input={"command": "make test"}, output="a\nb\n7 passed in 0.1s\n")
    assert highlights(command) == ["**$** `make test` · 7 passed in 0.1s"]


def test_a_command_that_failed_ends_with_the_end_of_its_output() -> None:
    output = "".join(f"step {number}\n" for number in range(500)) + "No space left on device\n"
    said = highlights(part("bash", 0, input={"command": "make"}, output=output, metadata={"exit": 2}))
    assert said[0] == "**bash** · exit 2"
    assert said[2] == "... 481 more lines"
    assert said[3].startswith("```\nstep 481\n")
    assert said[3].endswith("No space left on device\n```")


def test_one_endless_line_that_failed_is_cut_at_its_beginning() -> None:
    said = highlights(part("bash", 0, input={"command": "x"}, output="x" * 30_000, metadata={"exit": 1}))
    assert said[2] == "... 10,000 more characters"


def test_a_long_change_is_cut_to_its_first_lines() -> None:
    diff = "@@ -0,0 +1,60 @@\n" + "".join(f"+line {number}\n" for number in range(60))
    said = highlights(part("edit", 0, input={"filePath": "a.py"}, metadata={"diff": diff}))
    assert said[1].count("\n+line") == 19
    assert said[2] == "... 41 more lines"


def test_only_the_last_list_of_todos_of_a_turn_is_whole() -> None:
    todos = [{"content": "Write tests", "status": "pending", "priority": "high"}]
    said = highlights(*(part("todowrite", number, input={"todos": todos}) for number in range(3)))
    assert [line for line in said if "Write tests" in line] == ["- [ ] Write tests"]
    assert said[-1] == "- [ ] Write tests"


def test_an_error_ends_a_run_and_stays_in_sight() -> None:
    said = highlights(
        part("read", 0, input={"filePath": "a"}, milliseconds=1),
        part("grep", 1, input={"pattern": "x"}),
        part("read", 2, input={"filePath": "b"}, status="error", error="File not found"),
        part("read", 3, input={"filePath": "c"}),
    )
    assert said[0] == "*Read 1 file, 1 search*"
    assert "File not found" in "".join(said)
    assert said[-1] == "**Read** `c`"


def test_the_pages_of_a_session_have_together_what_the_whole_has() -> None:
    session = recorded.document("single-message")
    prompt, answer = session["messages"]
    session["messages"] = [
        {
            "info": {**message["info"], "id": f"msg_{number}"},
            "parts": [{"type": "text", "text": f"<{number}>"}],
        }
        for number in range(400)
        for message in [prompt if number % 100 == 0 else answer]
    ]
    document = json.dumps(session).encode()
    conversation, pages = read_conversation(document), index(document).session.pages
    texts = ["".join(transcript(conversation, URL, Budget(), page=pages.get(n))) for n in (1, 2, 3)]
    assert len(pages) == 3
    assert [f"page {n} of 3" in text for n, text in enumerate(texts, 1)] == [True] * 3
    found = [next(n for n, text in enumerate(texts) if f"<{number}>" in text) for number in range(400)]
    assert found == sorted(found)
    assert "## Answer 2\n" in texts[1]
