"""Sessions of OpenCode 2, of both generations: each type of message, content and state in its own form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from msgspec import Raw

from app.opencode.model import Block, Failure, File, Notice, Reasoning, Text, Tokens, Tool, Unknown
from tests.support import constructed
from tests.support.client import share
from tests.support.constructed import answer, read, steps, tool, with_messages


@pytest.fixture(scope="module")
def first() -> dict[str, list[Block]]:
    return {id: step.blocks for id, step in steps(read(constructed.document("v2a"))).items()}


@pytest.fixture(scope="module")
def second() -> dict[str, list[Block]]:
    return {id: step.blocks for id, step in steps(read(constructed.document("v2b"))).items()}


def tools(blocks: list[Block]) -> list[Tool]:
    return [block for block in blocks if isinstance(block, Tool)]


def told(block: Block) -> tuple[str, str, str]:
    assert isinstance(block, Notice)
    return block.kind, block.label, block.detail


def test_a_prompt_begins_a_turn_and_an_answer_tells_its_agent_model_time_cost_and_tokens() -> None:
    conversation = read(constructed.document("v2b"))
    assert [turn.id for turn in conversation.turns] == ["msg_b01", "msg_b18"]
    step = steps(conversation)["msg_b05"]
    assert (step.role, step.agent, step.model, step.finish) == (
        "assistant",
        "build",
        "lab/acme-coder-2",
        "stop",
    )
    assert (step.milliseconds, step.cost) == (16_000, 0.05)
    assert step.tokens == Tokens(input=100, output=10, reasoning=1, cache_read=10, cache_write=5)
    assert conversation.tokens.input == 300
    assert conversation.cost == 0.2


def test_a_session_may_be_without_title_version_and_directory() -> None:
    conversation = read(constructed.document("v2b"))
    # The first prompt stands for the title.
    assert (conversation.title, conversation.version) == ("Rename the function and show me the picture.", "")
    assert conversation.directory == "/home/dev/projects/acme-api"
    assert conversation.models == ["lab/acme-coder-2"]


def test_costs_and_tokens_are_added_up_where_the_session_has_none() -> None:
    document = constructed.document("v2b")
    del document["info"]["cost"], document["info"]["tokens"]
    conversation = read(document)
    assert conversation.cost == pytest.approx(0.1)
    assert conversation.tokens.input == 200


@pytest.mark.parametrize("name", constructed.NAMES)
def test_a_prompt_has_its_text_files_and_agents(name: str) -> None:
    text, picture, other, agent = steps(read(constructed.document(name)))[f"msg_{name[-1]}01"].blocks[:4]
    assert isinstance(text, Text)
    assert not text.synthetic
    assert isinstance(picture, File)
    assert picture.url.startswith("data:image/png;base64,iVBOR")
    assert isinstance(other, File)
    assert other.mime == "text/plain"
    assert told(agent) == ("agent", "@explore", "")


def test_a_file_without_contents_names_its_place(first: dict[str, list[Block]]) -> None:
    url = "file:///home/dev/projects/acme-api/notes.txt"
    assert File(id="msg_a01-2", url=url, mime="text/plain", name="notes.txt") in first["msg_a01"]
    only_source = {"mime": "text/plain", "source": {"type": "uri", "uri": "file:///x"}}
    prompt = {"id": "m", "type": "user", "text": "", "files": [only_source]}
    assert read(with_messages(prompt)).steps[0].blocks == [
        File(id="m-1", url="file:///x", mime="text/plain", name="")
    ]


def test_what_the_model_was_told_besides_the_prompt_is_folded(
    first: dict[str, list[Block]], second: dict[str, list[Block]]
) -> None:
    assert first["msg_a02"] == [Text(id="msg_a02-0", text="The user attached two files.", synthetic=True)]
    assert told(first["msg_a03"][0]) == ("system", "System message", "Answer in English.")
    assert told(second["msg_b02"][0]) == ("system", "Reminder", "A reminder for the model.")
    assert told(second["msg_b03"][0])[1] == "Instructions changed"
    assert told(second["msg_b04"][0]) == ("skill", "Skill release", "Tag, build, upload.")
    assert told(second["msg_b01"][4]) == ("skill", "Skill release", "How to release.")


def test_thoughts_are_shown_unless_they_are_encrypted(
    first: dict[str, list[Block]], second: dict[str, list[Block]]
) -> None:
    assert first["msg_a04"][0] == Reasoning(id="msg_a04-0", text="First the logo.", milliseconds=700)
    assert second["msg_b05"][0] == Reasoning(id="msg_b05-1", text="Find it first.", milliseconds=1200)


def test_the_calls_of_the_first_generation(first: dict[str, list[Block]]) -> None:
    shell, picture, search, pending, running, failed = tools(first["msg_a04"])
    assert (shell.status, shell.output, shell.milliseconds) == ("completed", "logo.png\nnotes.txt", 500)
    assert json.loads(bytes(shell.metadata)) == {"exit": 0}
    assert [file.name for file in picture.files] == ["logo.png", "note.txt"]
    assert picture.cleared
    assert not shell.cleared
    assert search.output == "Anvils are heavy."
    assert (pending.status, bytes(pending.input)) == ("pending", b'"{\\"path\\": \\"src/a"')
    assert (running.status, running.output) == ("running", "so far")
    assert (failed.status, failed.error) == ("error", "File not found: gone.txt")


def test_the_calls_of_the_second_generation(second: dict[str, list[Block]]) -> None:
    edit, write, task, streaming, begun, running, failed = tools(second["msg_b05"])
    assert (edit.status, edit.output, edit.milliseconds) == ("completed", "Edited.", 500)
    assert b"files" in bytes(edit.metadata)
    assert bytes(write.metadata) == b"{}"
    assert task.child_id == "ses_v2bchild00000000000000001"
    assert (streaming.status, begun.status) == ("pending", "pending")
    assert bytes(streaming.input) == b'"{\\"command\\": \\"py"'
    assert bytes(begun.input) == b"{}"
    assert (running.status, json.loads(bytes(running.input))) == ("running", {"command": "pytest"})
    assert (failed.error, failed.output) == ("The shell could not start", "make: nothing")
    assert json.loads(bytes(failed.metadata)) == {"exit": 2}


@pytest.mark.parametrize(
    ("id", "status", "output", "error", "exit", "milliseconds"),
    [
        ("msg_a05", "completed", "nothing to commit", "", None, 250),
        ("msg_b06", "completed", "1 failed", "", 1, 3000),
        ("msg_b07", "error", "", "The command ran out of time.", None, 1000),
        ("msg_b08", "error", "", "The command was stopped.", None, 1000),
        ("msg_b09", "running", "", "", None, None),
    ],
)
def test_a_command_that_the_user_ran_is_a_call_of_the_shell(
    id: str, status: str, output: str, error: str, exit: int | None, milliseconds: int | None
) -> None:
    name = "v2a" if id.startswith("msg_a") else "v2b"
    [shell] = tools(steps(read(constructed.document(name)))[id].blocks)
    assert shell.name == "shell"
    assert (shell.status, shell.output, shell.error, shell.milliseconds) == (
        status,
        output,
        error,
        milliseconds,
    )
    assert json.loads(bytes(shell.metadata))["exit"] == exit
    [message] = [message for message in constructed.document(name)["messages"] if message["id"] == id]
    assert json.loads(bytes(shell.input)) == {"command": message["command"]}


def test_what_happened_between_messages_is_one_line_each(
    first: dict[str, list[Block]], second: dict[str, list[Block]]
) -> None:
    lines = [told(block) for id in list(second)[9:16] for block in second[id]]
    assert lines == [
        ("compaction", "Compacting the context", "So far"),
        ("compaction", "Context compacted automatically", "A function was renamed."),
        ("compaction", "Compacting the context failed", ""),
        ("switch", "Switched to agent plan (before: build)", ""),
        ("switch", "Switched to model lab/acme-thinker (before: lab/acme-coder-2)", ""),
        (
            "switch",
            "Switched to folder /home/dev/projects/other/web (before: /home/dev/projects/acme-api)",
            "",
        ),
        ("idle", "Finished", ""),
    ]
    assert told(second["msg_b05"][-1]) == ("retry", "Retry 2: Too many requests", "")
    assert told(first["msg_a04"][-1]) == ("patch", "Changed 2 files", "src/app.py\nREADME.md")
    assert told(first["msg_a06"][0])[1] == "Switched to agent plan"
    assert told(first["msg_a08"][0]) == ("compaction", "Context compacted by hand", "The logo was looked at.")


def test_failures_and_aborts_are_told() -> None:
    failed = steps(read(constructed.document("v2a")))["msg_a10"]
    assert failed.failure == Failure("unknown", "The provider is overloaded.")
    aborted = steps(read(constructed.document("v2b")))["msg_b19"]
    assert aborted.failure == Failure("aborted", "Stopped by the user", aborted=True)


def test_what_no_reader_knows_is_json_under_its_type(second: dict[str, list[Block]]) -> None:
    unknown = [block for blocks in second.values() for block in blocks if isinstance(block, Unknown)]
    assert [block.label for block in unknown] == ["tool", "hologram", "telepathy"]
    assert b"dreaming" in bytes(unknown[0].json)
    assert b"anvil" in bytes(unknown[1].json)
    assert b"from the future" in bytes(unknown[2].json)


@pytest.mark.parametrize("name", constructed.NAMES)
def test_what_belongs_to_the_provider_is_never_kept(name: str) -> None:
    assert "OPAQUE-PROVIDER-BLOB" in json.dumps(constructed.document(name))
    for step in steps(read(constructed.document(name))).values():
        for block in step.blocks:
            kept = [bytes(value) if isinstance(value, Raw) else value for value in vars(block).values()]
            assert "OPAQUE" not in repr(kept) + repr(step.failure)


def test_a_large_unknown_with_something_of_the_providers_is_left_out() -> None:
    odd = {"type": "hologram", "native": "OPAQUE", "shape": "x" * 2_000_000}
    [block] = read(with_messages(answer(odd))).steps[0].blocks
    assert isinstance(block, Unknown)
    assert bytes(block.json) == b'"This is too large to be shown."'


ODD_CONTENT: list[Any] = [
    None,
    5,
    "text",
    [],
    {},
    {"type": None},
    {"type": "text"},
    {"type": "text", "text": 5},
    {"type": "tool"},
    {"type": "tool", "name": "shell", "state": None},
    {"type": "tool", "name": "shell", "state": {"status": None}},
    tool(content=5),
    tool(content=[5]),
    tool(content=[{}]),
    tool(content=[{"type": "file", "uri": 5}]),
    tool(content=[{"type": "text", "text": "x"}] * 201),
    tool(content=[{"type": "text", "text": "x"}] * 5_000),
    tool(attachments={"a": 1}),
]


@pytest.mark.parametrize("content", ODD_CONTENT, ids=lambda content: str(content)[:80])
def test_odd_content_stays_json_and_its_neighbours_as_they_are(content: object) -> None:
    before, after = {"type": "text", "text": "before"}, {"type": "text", "text": "after"}
    cut = read(with_messages(answer(before, content, after))).steps
    blocks = [block for step in cut for block in step.blocks]
    assert [type(block) for block in blocks] == [Text, Unknown, Text]
    assert isinstance(blocks[1], Unknown)
    assert json.loads(bytes(blocks[1].json)) == content


@pytest.mark.parametrize(
    "state",
    [
        {"metadata": 7, "content": [{"type": "text", "text": "seen"}]},
        {"metadata": None, "structured": {"a": 1}, "content": [{"type": "text", "text": "seen"}]},
        {"error": 5, "content": [{"type": "text", "text": "seen"}, {"type": "smell"}]},
        {"content": None, "result": "seen"},
        {"content": [], "result": {"value": "seen"}},
    ],
    ids=str,
)
def test_odd_details_do_not_hide_the_output_of_a_call(state: dict[str, Any]) -> None:
    [block] = read(with_messages(answer(tool(**state)))).steps[0].blocks
    assert isinstance(block, Tool)
    assert block.output == "seen"


@pytest.mark.parametrize(
    "fields",
    [
        {"time": None},
        {"time": {"created": "now"}},
        {"model": 5},
        {"tokens": {"input": "many"}},
        {"cost": "much"},
        {"error": 5},
        {"error": None},
        {"snapshot": "abc"},
        {"retry": []},
        {"agent": None},
        {"id": 5},
        {"id": "../etc"},
    ],
    ids=str,
)
def test_odd_details_do_not_hide_what_an_answer_says(fields: dict[str, Any]) -> None:
    [step] = read(with_messages(answer({"type": "text", "text": "said"}, **fields))).steps
    assert isinstance(step.blocks[0], Text)
    assert step.blocks[0].text == "said"
    assert "/" not in step.id


@pytest.mark.parametrize(
    "message",
    [
        {"type": "user", "text": 5},
        {"type": "user", "text": "", "files": {"a": 1}},
        {"type": "user", "text": "", "files": [{"uri": 5}]},
        {"type": "user", "text": "", "files": [{}] * 201},
        {"type": "assistant", "content": "text"},
        {"type": "synthetic"},
        {"type": "shell", "command": None},
        {"type": "compaction", "summary": 5},
        {"type": "model-switched"},
        {"type": "location-switched", "location": "here"},
        {"type": "skill", "name": 5},
        {"type": "idle", "outcome": []},
    ],
    ids=lambda message: str(message)[:80],
)
def test_an_odd_message_stays_json(message: dict[str, Any]) -> None:
    [step] = read(with_messages(message)).steps
    assert [type(block) for block in step.blocks] == [Unknown]


def test_a_long_answer_is_cut_and_its_failure_time_and_cost_stand_once_at_its_end() -> None:
    texts = [{"type": "text", "text": f"{number} " + "x" * 40_000} for number in range(4)]
    document = with_messages(
        answer(*texts, cost=1, tokens={"input": 3}, error={"type": "unknown", "message": "Oh"})
    )
    pieces = read(document).steps
    assert [step.id for step in pieces] == ["msg_1", "msg_1.1", "msg_1.2", "msg_1.3"]
    assert {step.message_id for step in pieces} == {"msg_1"}
    assert [block.id for step in pieces for block in step.blocks] == [
        f"msg_1-{number}" for number in range(4)
    ]
    assert [step.cost for step in pieces] == [0, 0, 0, 1]
    assert [step.tokens.input for step in pieces] == [0, 0, 0, 3]
    assert [step.failure is None for step in pieces] == [True, True, True, False]


def test_undone_messages_are_marked() -> None:
    document = constructed.document("v2b")
    document["info"]["revert"] = {"messageID": "msg_b18"}
    undone = [step.id for step in read(document).steps if step.is_undone]
    assert undone == ["msg_b18", "msg_b19", "msg_b20", "msg_b21"]


@pytest.mark.parametrize("name", constructed.NAMES)
def test_a_constructed_session_is_a_page(client: FlaskClient, name: str) -> None:
    document = constructed.document(name)
    share(client, json.dumps(document).encode())
    page = client.get("/share/GhIjKlMn")
    assert page.status_code == 200
    assert document["messages"][0]["text"] in page.text


def test_the_newer_name_of_metadata_counts_where_a_call_has_both() -> None:
    [block] = read(with_messages(answer(tool(metadata={"exit": 1}, structured={"exit": 2})))).steps[0].blocks
    assert isinstance(block, Tool)
    assert json.loads(bytes(block.metadata)) == {"exit": 1}
