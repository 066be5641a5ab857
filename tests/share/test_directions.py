"""Words of a session stand in the direction of their own script, wherever a page shows them."""

from __future__ import annotations

import json
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from tests.support import recorded
from tests.support.client import share

HEBREW = "שלום עולם"
DIFF = f"--- {HEBREW}\n+++ {HEBREW}\n@@ -1 +1 @@\n-a\n+b\n"


def tool(number: int, name: str, *, status: str = "completed", **state: object) -> dict[str, Any]:
    state = {"input": {}, "output": HEBREW, "title": HEBREW, "metadata": {}, **state, "status": status}
    return {"type": "tool", "id": f"prt_{number}", "tool": name, "state": state}


PARTS = [
    {"type": "text", "id": "prt_text", "text": HEBREW},
    {"type": "reasoning", "id": "prt_thought", "text": HEBREW},
    {"type": "text", "id": "prt_added", "text": HEBREW, "synthetic": True},
    {"type": "file", "id": "prt_file", "mime": "text/plain", "url": f"file:///{HEBREW}", "filename": HEBREW},
    {"type": "patch", "id": "prt_patch", "files": [HEBREW]},
    {"type": HEBREW, "id": "prt_unknown"},
    tool(0, "bash", input={"command": "ls", "workdir": f"/{HEBREW}"}),
    tool(1, "bash", status="error", input={"command": HEBREW}, error=HEBREW),
    tool(2, "edit", input={"filePath": f"/{HEBREW}"}, metadata={"diff": DIFF}),
    tool(3, "grep", input={"pattern": HEBREW, "include": HEBREW}, output=f"/{HEBREW}:\n  Line 1: a"),
    tool(4, "todowrite", input={"todos": [{"content": HEBREW, "status": "pending"}]}),
    tool(
        5,
        "question",
        input={
            "questions": [
                {
                    "question": HEBREW,
                    "header": HEBREW,
                    "options": [{"label": HEBREW, "description": HEBREW}],
                }
            ]
        },
        metadata={"answers": [["אחר"]]},
    ),
    tool(6, "task", input={"description": HEBREW, "prompt": HEBREW, "subagent_type": HEBREW}),
    tool(7, HEBREW, input={HEBREW: HEBREW * 20}),
    tool(8, "batch", input={"tool_calls": [{"tool": HEBREW, "parameters": {"query": HEBREW}}]}),
    tool(9, "bash", input={"command": "ls"}, output=f"a\n\n<shell_metadata>\n{HEBREW}\n</shell_metadata>"),
    tool(
        10,
        "write",
        input={"filePath": f"/{HEBREW}", "content": "a"},
        metadata={
            "diagnostics": {
                f"/{HEBREW}": [{"range": {"start": {"line": 0}}, "message": HEBREW, "severity": 1}]
            }
        },
    ),
]


@pytest.fixture
def session(client: FlaskClient) -> FlaskClient:
    session = recorded.document("single-message")
    session["session"] |= {"title": HEBREW, "directory": f"/home/{HEBREW}"}
    prompt, answer = session["messages"]
    prompt["info"].pop("summary", None)
    prompt["parts"] = [{"type": "text", "id": "prt_prompt", "text": HEBREW}]
    answer["info"] |= {"agent": HEBREW, "mode": HEBREW, "modelID": HEBREW}
    answer["info"]["error"] = {"name": HEBREW, "data": {"message": HEBREW * 2}}
    answer["parts"] = PARTS
    share(client, json.dumps(session).encode())
    return client


def is_hebrew(text: str | None) -> bool:
    return any("\u0590" <= character <= "\u05ff" for character in text or "")


@pytest.mark.parametrize("path", ["", "/changes", "/changes/1", "/prompts", "/block/prt_7"])
def test_it_is_told_for_every_label_and_list(session: FlaskClient, path: str) -> None:
    response = session.get(f"/share/GhIjKlMn{path}")
    assert response.status_code == 200
    root = lxml.html.fromstring(response.text)
    holders = [
        each.getparent() for each in root.xpath("//body//text()[normalize-space()]") if is_hebrew(each)
    ]
    assert holders
    # Code and the output of programs are written from the left in every script.
    undirected = [
        lxml.html.tostring(holder, encoding="unicode")
        for holder in holders
        if not holder.xpath("ancestor-or-self::*[@dir='auto' or contains(@class, 'code')]")
    ]
    assert undirected == []
