"""A session as markdown: everything that was said is in it, and every block ends where it should."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.lib.budget import Budget
from app.opencode import read_conversation
from app.opencode.model import Notice, Tool
from app.render.tools.wrappers import without_wrappers
from app.render.transcript.blocks import WRITERS
from app.render.transcript.markdown import transcript
from app.render.transcript.text import cut_fence, without_control_characters
from app.render.transcript.tools import MAX_OUTPUT_LINES
from tests.support import recorded
from tests.support.recorded import document_bytes, with_parts

URL = "https://share.example.com/share/GhIjKlMn"


def written(document: bytes) -> str:
    return "".join(transcript(read_conversation(document), URL, Budget()))


def blocks(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(markdown)


def fences(markdown: str) -> list[str]:
    return [token.content for token in blocks(markdown) if token.type == "fence"]


def text(content: str, **more: object) -> dict[str, Any]:
    return {"type": "text", "id": "prt_text", "text": content, **more}


def call(name: str = "bash", **state: object) -> dict[str, Any]:
    state = {"status": "completed", "input": {}, "output": "", "title": "", "metadata": {}, **state}
    return {"type": "tool", "id": "prt_tool", "tool": name, "state": state}


def plain(content: str) -> str:
    """A text as it must be found: visible, and without the marks of a quotation."""
    return "\n".join(
        re.sub(r"^> ?", "", line).rstrip()
        for line in without_control_characters(content).strip("\n").split("\n")
    )


def in_order(needles: list[str], haystack: str) -> bool:
    place = 0
    for needle in needles:
        place = haystack.find(needle, place)
        if place < 0:
            return False
        place += len(needle)
    return True


@pytest.mark.parametrize("name", recorded.NAMES)
def test_every_prompt_and_answer_is_there_in_order(name: str) -> None:
    said = [part for part in recorded.parts(name) if part["type"] == "text" and not part.get("synthetic")]
    texts = [plain(part["text"]) for part in said if part["text"].strip()]
    assert in_order(texts, plain(written(document_bytes(name))))


@pytest.mark.parametrize("name", recorded.NAMES)
def test_what_opencode_added_and_what_was_thought_is_not(name: str) -> None:
    markdown = plain(written(document_bytes(name)))
    tools = json.dumps([part for part in recorded.parts(name) if part["type"] == "tool"])
    for part in recorded.parts(name):
        hidden = part["type"] == "reasoning" or part.get("synthetic")
        if hidden and part["text"].strip() and json.dumps(part["text"])[1:40] not in tools:
            assert plain(part["text"]) not in markdown


@pytest.mark.parametrize("name", recorded.NAMES)
def test_every_call_is_named_and_its_output_stands_in_a_block_of_its_own(name: str) -> None:
    markdown = written(document_bytes(name))
    found = fences(markdown)
    for part in recorded.parts(name):
        if part["type"] != "tool":
            continue
        assert f"**{part['tool']}**" in markdown
        output = part["state"].get("output") or part["state"].get("error") or ""
        if part["tool"] == "todowrite" or output.endswith(" successfully.") or not output.strip():
            continue
        (expected,) = fences(cut_fence(without_wrappers(output)[0], MAX_OUTPUT_LINES))
        assert expected in found


@pytest.mark.parametrize("name", recorded.NAMES)
def test_every_block_ends_before_the_next_begins(name: str) -> None:
    markdown = written(document_bytes(name))
    tokens = blocks(markdown + "The end")
    assert (tokens[-2].content, tokens[-2].level) == ("The end", 1)
    headings = [line for line in markdown.split("\n") if re.match(r"## (Prompt|Answer) \d", line)]
    parsed = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"]
    assert [heading.removeprefix("## ") for heading in headings] == [
        heading for heading in parsed if re.match(r"(Prompt|Answer) \d", heading)
    ]


@pytest.mark.parametrize("name", recorded.NAMES)
def test_nothing_invisible_and_no_file_is_written_out(name: str) -> None:
    markdown = written(document_bytes(name))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", markdown)
    for part in recorded.parts(name):
        if part["type"] == "file" and part["url"].startswith("data:"):
            assert part["url"][:60] not in markdown
            assert f"Attached: `{part['filename']}`" in markdown


def test_it_begins_with_title_model_date_and_link() -> None:
    head = written(document_bytes("rate-limit-feature")).split("\n\n")
    assert head[0] == "# Add per-client rate limiting to the order API"
    assert head[1] == f"`lab/acme-coder-1` · 2026-11-22 07:01 UTC · <{URL}>"
    assert head[3:5] == [
        "## Prompt 1",
        f"> {recorded.document('rate-limit-feature')['messages'][0]['parts'][0]['text']}",
    ]


def test_an_empty_session_is_a_title() -> None:
    assert written(document_bytes("empty")).startswith("# Untitled session")


@pytest.mark.parametrize(
    "content",
    [
        "```python\nnever closed",
        "~~~~\nnever closed",
        "````\n```\ninner",
        "- item\n\n  ```\n  in a list",
        "<!-- open",
    ],
)
def test_a_block_left_open_ends_with_its_answer(content: str) -> None:
    markdown = written(with_parts(text(content), call(input={"command": "ls"}, output="a\nb")))
    assert fences(markdown)[-2:] == ["ls\n", "a\nb\n"]
    assert content in markdown


def test_an_answer_that_ends_well_is_written_as_it_is() -> None:
    content = "# Heading\n\n- list\n  ```js\n  code\n  ```\n\n<details>\n\nmore\n\n</details>"
    assert f"\n\n{content}\n\n" in written(with_parts(text(content)))


def test_hostile_markdown_in_every_answer_takes_seconds_at_most() -> None:
    nested = text("<b>\n" + "- a\n" * 10_000)
    markdown = written(with_parts(*[nested] * 100))
    assert markdown.count("```markdown") > 90


def test_backticks_inside_cannot_close_a_fence_or_a_span() -> None:
    output = "```\n`````\n~~~"
    markdown = written(with_parts(call("read", title="a`b``c", output=output)))
    assert fences(markdown) == [output + "\n"]
    assert "```a`b``c```" in markdown


def test_a_long_output_says_how_many_lines_are_missing() -> None:
    output = "\n".join(str(number) for number in range(1, 1041))
    markdown = written(with_parts(call(output=output + "\n", input={"command": "seq 1040"})))
    assert fences(markdown)[1].split("\n")[-2] == str(MAX_OUTPUT_LINES)
    assert "\n\n... 1,000 more lines\n" in markdown


def test_one_endless_line_is_cut_too() -> None:
    markdown = written(with_parts(call(output="x" * 100_000)))
    assert "... 80,000 more characters" in markdown


def test_an_output_is_left_as_a_terminal_leaves_it() -> None:
    output = "\x1b[31mred\x1b[0m \x1b]8;;https://example.com\x07link\x1b]8;;\x07\r\n10%\r50%\rdone\x9b2K\x00"
    markdown = written(with_parts(call(output=output)))
    assert fences(markdown)[-1] == "red link\ndone\n"


def test_a_change_is_a_diff_and_not_said_twice() -> None:
    markdown = written(document_bytes("rate-limit-feature"))
    assert "**edit** `acme_api/app.py`\n\n```diff\n--- " in markdown
    assert "oldString" not in markdown
    assert "Edit applied successfully" not in markdown


def test_a_command_says_how_it_ended() -> None:
    markdown = written(
        with_parts(call(input={"command": "make", "description": "Build"}, metadata={"exit": 2}, output="oh"))
    )
    assert "**bash** Build · exit 2\n\n```sh\nmake\n```\n\n```\noh\n```" in markdown


def test_a_list_of_todos_is_a_checklist() -> None:
    assert "- [x] Read the request path in app.py\n- [ ] Write the limiter" in written(
        document_bytes("rate-limit-feature")
    )


def test_errors_and_aborts_are_marked() -> None:
    markdown = written(document_bytes("errors-and-abort"))
    assert "**Error (APIError):**\n\n```\nIncorrect API key provided: lab***.\n```" in markdown
    assert "**Aborted**\n" in markdown


def test_what_was_undone_is_marked() -> None:
    markdown = written(document_bytes("reverted"))
    undone = markdown.index("*Undone: what follows was reverted")
    assert markdown.index("Written.") < undone < markdown.index("## Prompt 2 (undone)")
    assert markdown.count("*Undone") == 1


def test_the_response_of_a_provider_is_nowhere() -> None:
    session = recorded.document("single-message")
    failure = {
        "name": "APIError",
        "data": {"message": "No", "responseBody": "BODY", "responseHeaders": {"x": "HEADER"}},
    }
    session["messages"][1]["info"]["error"] = failure
    # An unreadable message is shown as unknown, and its JSON has the response too.
    session["messages"].append({"info": {"id": 1, "error": failure}, "parts": []})
    markdown = written(json.dumps(session).encode())
    assert "**Error (APIError):**" in markdown
    assert "*Left out: a part of unknown kind,* `message`" in markdown
    assert "BODY" not in markdown
    assert "HEADER" not in markdown


def test_names_cannot_smuggle_in_a_tag() -> None:
    session = json.loads(with_parts(call("<b>", title="`<b>`"), {"type": "<b>", "id": "prt_x"}))
    session["session"]["title"] = "<b>\n## Prompt 9"
    tokens = blocks(written(json.dumps(session).encode()))
    inside = [child.type for token in tokens for child in token.children or []]
    assert "html_inline" not in inside
    assert not any(token.type == "html_block" for token in tokens)
    assert sum(token.type == "heading_open" for token in tokens) == 3


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("system", ""),
        ("agent", ""),
        ("skill", "*Skill \\<x>*"),
        ("idle", "*Skill \\<x>*"),
        ("subtask", "*Skill \\<x>*\n\n> one\n> two"),
        ("compaction", "*Skill \\<x>*\n\n> one\n> two"),
    ],
)
def test_what_happened_is_a_line_without_what_opencode_told_the_model(kind: Any, expected: str) -> None:
    conversation = read_conversation(with_parts(text("replaced")))
    notice = Notice(id="n", kind=kind, label="Skill <x>", detail="one\ntwo")
    step = conversation.turns[0].steps[-1]
    step.role, step.read_part = "opencode", lambda part, index: notice
    markdown = "".join(transcript(conversation, URL, Budget()))
    assert markdown.endswith(f"## Note 1\n\n{expected}\n\n") == bool(expected)
    assert ("two" in markdown) == ("two" in expected)


def test_a_block_whose_writer_fails_leaves_the_rest_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delitem(WRITERS, Tool)
    markdown = written(with_parts(call(), text("still here")))
    assert "could not be written" in markdown
    assert "still here" in markdown
    assert "could not be written: Tool" in caplog.text


def test_a_session_is_written_in_pieces() -> None:
    pieces = transcript(read_conversation(document_bytes("large-output")), URL, Budget())
    assert max(len(piece) for piece in pieces) < 50_000


def test_the_texts_of_a_session_are_not_kept() -> None:
    conversation = read_conversation(document_bytes("tools-gallery"))
    assert "".join(transcript(conversation, URL, Budget()))
    assert not any("blocks" in vars(step) for step in conversation.steps)
