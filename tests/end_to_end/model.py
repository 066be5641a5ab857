"""A scripted model behind OpenAI's streaming API: what it says is decided by the prompt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.web import listening

Message = dict[str, Any]

NAME = "scripted"
TITLE = "A scripted session"
PIECE = 24


@dataclass(frozen=True)
class Call:
    """One use of a tool."""

    tool: str
    arguments: dict[str, object]


@dataclass(frozen=True)
class Step:
    """One answer of the model; after its tools have run, it is asked for the next one."""

    text: str = ""
    reasoning: str = ""
    calls: Sequence[Call] = ()


def bash(command: str) -> Step:
    return Step(calls=[Call("bash", {"command": command, "description": "Try it"})])


Script = Mapping[str, Sequence[Step]]


@contextmanager
def scripted_model(script: Script) -> Iterator[str]:
    """The base URL of a model that answers the prompts of `script`."""

    class Model(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            # Only to name a session, OpenCode asks without offering tools.
            step = _next_step(script, request["messages"]) if request.get("tools") else Step(TITLE)
            for chunk in _chunks(step):
                self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *_: object) -> None:
            pass

    with listening(Model) as address:
        yield f"{address}/v1"


def _next_step(script: Script, messages: Sequence[Message]) -> Step:
    """Which turn, the newest known prompt tells; which of its steps, the number of answers since."""
    answers = 0
    for message in reversed(messages):
        if message["role"] == "assistant":
            answers += 1
        elif message["role"] == "user" and (steps := _turn(script, message["content"])):
            return steps[min(answers, len(steps) - 1)]
    return Step("Nothing is scripted for this prompt.")


def _turn(script: Script, content: str | list[dict[str, Any]]) -> Sequence[Step]:
    """The steps of the prompt that stands in a message's content, a text or a list of parts."""
    texts = [content] if isinstance(content, str) else [part.get("text", "") for part in content]
    return next((steps for prompt, steps in script.items() if any(prompt in text for text in texts)), ())


def _chunks(step: Step) -> Iterator[dict[str, object]]:
    for field, text in (("reasoning_content", step.reasoning), ("content", step.text)):
        for start in range(0, len(text), PIECE):
            yield _chunk({field: text[start : start + PIECE]})
    for index, call in enumerate(step.calls):
        function = {"name": call.tool, "arguments": json.dumps(call.arguments)}
        use = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
        yield _chunk({"tool_calls": [use]})
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    yield _chunk({}, "tool_calls" if step.calls else "stop") | {"usage": usage}


def _chunk(delta: dict[str, object], finish: str | None = None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": NAME, "choices": [choice]}
