"""Documents of sessions of any size, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from benchmarks.messages import FOLDER, LONGEST_OUTPUT_LINES, START_MILLISECONDS, MessageParts

# Many short turns, or one prompt that everything else answers.
Shape = Literal["turns", "prompt"]
SHAPES: tuple[Shape, ...] = ("turns", "prompt")
# Stands at the end of the last message, so that a browser can tell when that can be read.
LAST_WORDS = "This is where the session ends."
NEW_WORDS = "And this is one step more."
# Files whose diffs OpenCode keeps with a prompt.
PROMPT_DIFFS = {"turns": 1, "prompt": 40}
MODEL = {"providerID": "lab", "modelID": "acme-coder-1"}
# What stays free for the message that makes the size come out.
ENDING_BYTES = 2_500
CLOSING = b"]}"
# All that stands before the messages is in here.
HEAD_BYTES = 1_000

Message = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """A document of `size` bytes; `last_id` is its last message, `prompts` and `messages` are counts."""

    path: Path
    size: int
    last_id: str
    prompts: int
    messages: int


@dataclass(frozen=True)
class Growth:
    """One answer more, with the id `new_id`, as changes to a document."""

    new_id: str
    changes: bytes


def write_session(path: Path, size: int, shape: Shape, seed: int = 1) -> Written:
    """Writes a document of about `size` bytes of JSON."""
    parts = MessageParts(f"{seed}-{size}-{shape}")
    longest = min(LONGEST_OUTPUT_LINES, size // 1000)
    written = prompts = count = 0
    with path.open("wb") as file:
        written += file.write(_head(parts, size, shape))
        for message in _messages(parts, shape, longest, min(size // 20_000, PROMPT_DIFFS[shape])):
            encoded = msgspec.json.encode(message)
            if written + len(encoded) + ENDING_BYTES > size:
                break
            written += file.write(b"," * bool(count) + encoded)
            prompts += message["info"]["role"] == "user"
            count, parent = count + 1, _parent(message)
        # Answers of prose alone fill what is left.
        while size - written > 2 * ENDING_BYTES:
            written += file.write(b"," + _said(parts, parent, parts.samples.prose(15))[1])
            count += 1
        room = size - written - len(_said(parts, parent, LAST_WORDS)[1]) - len(CLOSING) - 3
        prose = parts.samples.prose(ENDING_BYTES // 20)[: max(0, room)]
        last_id, encoded = _said(parts, parent, f"{prose}\n\n{LAST_WORDS}")
        written += file.write(b"," + encoded + CLOSING)
    return Written(path, written, last_id, prompts, count + 1)


def grow(session: Written) -> Growth:
    """What makes the document one answer longer, with a command and its output."""
    document = session.path.read_bytes()
    parts = MessageParts(f"growth of {session.last_id}")
    parts.session_id = session_id_of(document)
    parent = document.rpartition(b'"parentID":"')[2].partition(b'"')[0].decode()
    parts.now = int(document.rpartition(b'"completed":')[2].partition(b"}")[0])
    new_id, encoded = _said(parts, parent, f"{parts.samples.markdown()}\n\n{NEW_WORDS}", with_tool=True)
    return Growth(new_id, b'[{"type":"put_message","data":%b}]' % encoded)


def session_id_of(document: bytes) -> str:
    found: str = msgspec.json.decode(document[:HEAD_BYTES].partition(b'"sessionId":')[2].partition(b",")[0])
    return found


def as_snapshot(document: bytes, created_at: int) -> bytes:
    """The document as the first one of a share that was made then (epoch milliseconds)."""
    head = document[:HEAD_BYTES].replace(
        b'"createdAt":%d' % START_MILLISECONDS, b'"revision":1,"createdAt":%d' % created_at, 1
    )
    return head + document[HEAD_BYTES:]


def _head(parts: MessageParts, size: int, shape: Shape) -> bytes:
    head = {
        "shareId": "benchmark",
        "sessionId": parts.session_id,
        "createdAt": START_MILLISECONDS,
        "updatedAt": START_MILLISECONDS,
        "session": {
            "id": parts.session_id,
            "directory": FOLDER,
            "title": f"A session of {size:,} bytes ({shape})",
            "agent": "build",
            "model": {"id": MODEL["modelID"], "providerID": MODEL["providerID"]},
            "version": "1.18.33",
            "time": {"created": START_MILLISECONDS, "updated": START_MILLISECONDS},
        },
        "messages": [],
    }
    return msgspec.json.encode(head).removesuffix(CLOSING)


def _messages(parts: MessageParts, shape: Shape, longest: int, diffs: int) -> Iterator[Message]:
    """Prompts and answers without end."""
    while True:
        prompt = _prompt(parts, diffs)
        yield prompt
        parent = prompt["info"]["id"]
        while True:
            is_last = shape == "turns" and parts.rng.random() < 0.5
            yield _answer(parts, parent, _work(parts, longest, is_last), "stop" if is_last else "tool-calls")
            if is_last:
                break


def _prompt(parts: MessageParts, diffs: int) -> Message:
    id = parts.id("msg")
    changes = []
    for _ in range(diffs):
        file, _old, _new, patch, counts = parts.change()
        changes.append({"file": file, "patch": patch, **counts, "status": "modified"})
    info = {
        "id": id,
        "sessionID": parts.session_id,
        "role": "user",
        "time": {"created": parts.later()},
        "summary": {"diffs": changes},
        "agent": "build",
        "model": MODEL,
    }
    return {"info": info, "parts": [parts.text(id, parts.samples.prose(parts.rng.randint(1, 4)))]}


def _answer(parts: MessageParts, parent: str, work: Callable[[str], list[Any]], finish: str) -> Message:
    """An answer between the marks that OpenCode puts around each step of a model."""
    id, created = parts.id("msg"), parts.later()
    snapshot = f"{parts.rng.getrandbits(160):040x}"
    tokens = {
        "total": 42_000,
        "input": parts.rng.randint(200, 9000),
        "output": parts.rng.randint(20, 2000),
        "reasoning": parts.rng.randint(0, 400),
        "cache": {"read": parts.rng.randint(0, 40_000), "write": 0},
    }
    spent = {"cost": round(parts.rng.random() / 50, 7), "tokens": tokens}
    made = [
        parts.part(id, "step-start", snapshot=snapshot),
        *work(id),
        parts.part(id, "step-finish", reason=finish, snapshot=snapshot, **spent),
    ]
    edited = [part["state"]["title"] for part in made if part.get("tool") in ("edit", "write")]
    if edited:
        made.append(parts.part(id, "patch", hash=snapshot, files=[f"{FOLDER}/{path}" for path in edited]))
    info = {
        "id": id,
        "sessionID": parts.session_id,
        "role": "assistant",
        "time": {"created": created, "completed": parts.later()},
        "parentID": parent,
        **MODEL,
        "mode": "build",
        "agent": "build",
        "path": {"cwd": FOLDER, "root": FOLDER},
        **spent,
        "finish": finish,
    }
    return {"info": info, "parts": made}


def _work(parts: MessageParts, longest: int, is_last: bool) -> Callable[[str], list[Any]]:
    def make(id: str) -> list[Any]:
        thought = [parts.reasoning(id)] if parts.rng.random() < 0.4 else []
        said = [parts.text(id, parts.samples.markdown())] if is_last or parts.rng.random() < 0.5 else []
        tools = (
            [] if is_last else [parts.any_tool(id, longest) for _ in range(parts.rng.choice((1, 1, 2, 3)))]
        )
        return thought + said + tools

    return make


def _said(parts: MessageParts, parent: str, text: str, with_tool: bool = False) -> tuple[str, bytes]:
    """An answer of a text alone, or of a command and a text: its id and its JSON."""

    def make(id: str) -> list[Any]:
        return [parts.bash(id, 40)] * with_tool + [parts.text(id, text)]

    message = _answer(parts, parent, make, "stop")
    return message["info"]["id"], msgspec.json.encode(message)


def _parent(message: Message) -> str:
    info = message["info"]
    found: str = info.get("parentID") or info["id"]
    return found
