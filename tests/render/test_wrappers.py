"""OpenCode's remarks to the model around outputs: readers get the output, and the remark as a note."""

from __future__ import annotations

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.lib.budget import Budget
from app.opencode import read_conversation
from app.render.tools.wrappers import without_wrappers
from app.render.transcript.markdown import transcript
from tests.support.client import share
from tests.support.recorded import with_parts

SAVED = "Full output saved to: /home/dev/.local/share/opencode/tool-output/tool_1"
HINT = "Use Grep to search the full content or Read with offset/limit to view specific sections."
ABORTED = "<shell_metadata>\nUser aborted the command\n</shell_metadata>"


@pytest.mark.parametrize(
    ("output", "text", "notes"),
    [
        (f"started\n\n{ABORTED}", "started", ["User aborted the command"]),
        (f"started\n\n{ABORTED.replace('shell', 'bash')}\n", "started", ["User aborted the command"]),
        ("done\n\n<task_metadata>\nsession_id: ses_1\n</task_metadata>", "done", ["session_id: ses_1"]),
        (
            f"...output truncated...\n\n{SAVED}\n\n1002\n1003\n\n{ABORTED}",
            "1002\n1003",
            ["User aborted the command", f"Output truncated. {SAVED}"],
        ),
        (
            "1\n2\n\n...998 lines truncated...\n\n"
            f"The tool call succeeded but the output was truncated. {SAVED}\n{HINT}",
            "1\n2",
            [f"998 lines truncated. {SAVED}"],
        ),
        ("<file>\n00001| a\n00002| \n\n(End of file - total 2 lines)\n</file>", "00001| a\n00002| ", []),
        (
            "<path>/a.py</path>\n<type>file</type>\n<content>\n1: a\n\n(Showing lines 1-1 of 9.)\n</content>"
            "\n\n<system-reminder>\nx\n</system-reminder>",
            "1: a",
            ["Showing lines 1-1 of 9."],
        ),
        (
            "<path>/src</path>\n<type>directory</type>\n<entries>\na.py\nb/\n\n(2 entries)\n</entries>",
            "a.py\nb/",
            [],
        ),
        (
            '<task id="ses_1" state="completed">\n<task_result>\nTwo routes.\n</task_result>\n</task>',
            "Two routes.",
            [],
        ),
    ],
)
def test_an_output_is_told_apart_from_what_opencode_says_about_it(
    output: str, text: str, notes: list[str]
) -> None:
    assert without_wrappers(output) == (text, notes)


@pytest.mark.parametrize(
    "output",
    [
        "",
        f"grep found:\n{ABORTED}\nin shell.ts",
        "<file>\n  <name>a</name>\n</file>",
        "<file>\n00001| never closed",
        "echo ...output truncated...",
        f"saved: {SAVED}",
        "<shell_metadata>" * 100_000 + "</shell_metadata>",
        "\n\n...1 lines truncated" * 100_000,
        "<path>" * 100_000,
    ],
)
def test_what_a_program_printed_itself_stays(output: str) -> None:
    assert without_wrappers(output) == (output, [])


CALLS = [
    {
        "type": "tool",
        "id": "prt_0",
        "tool": "bash",
        "state": {
            "status": "completed",
            "input": {"command": "make"},
            "output": f"...output truncated...\n\n{SAVED}\n\n1002\n\n{ABORTED}",
            "title": "",
            "metadata": {},
        },
    },
    {
        "type": "tool",
        "id": "prt_1",
        "tool": "bash",
        "state": {
            "status": "error",
            "input": {"command": "make"},
            "error": "aborted",
            "metadata": {"output": f"so far\n\n{ABORTED}"},
        },
    },
]


def test_a_page_says_it_in_notes_under_the_output(client: FlaskClient) -> None:
    share(client, with_parts(*CALLS))
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    assert [each.text_content() for each in root.xpath("//pre[contains(@class, 'screen')]")] == [
        "1002",
        "so far",
    ]
    notes = [each.text_content() for each in root.xpath("//div[@class='body']/p[@class='note'][@dir='auto']")]
    assert notes == ["User aborted the command", f"Output truncated. {SAVED}", "User aborted the command"]
    assert "shell_metadata" in client.get("/share/GhIjKlMn/full/prt_0/output").text


def test_markdown_says_it_in_lines_under_the_output() -> None:
    markdown = "".join(transcript(read_conversation(with_parts(CALLS[0])), "https://x.example", Budget()))
    assert f"```\n1002\n```\n\n*User aborted the command*\n\n*Output truncated. {SAVED}*\n" in markdown
