"""The calls that changed files, and what was said before each."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Raw

from app.opencode.calls import EDITING_TOOLS
from app.opencode.changes.file_diffs import FileDiff, tool_diffs
from app.opencode.children import names_child
from app.opencode.model import MAX_PART_BYTES, Conversation, Role, Step, Text, Tool
from app.opencode.paths import canonical_path

# Of one file in one turn.
MAX_EDITS = 200
MAX_SAID_CHARACTERS = 4_000
# How many parts before a call are looked through for words.
MAX_PARTS_BEFORE = 20

# As they are in the JSON of a call.
EDITING_NAMES = [f'"{name}"'.encode() for name in EDITING_TOOLS]


@dataclass(frozen=True)
class Edit:
    """A call that changed a file.

    `said` is what the prompt or the answer (`said_by`) says last before it, cut to MAX_SAID_CHARACTERS.
    `text` is what it changed as a unified diff; None where that is the whole patch that it is an edit of.
    `old_path` is canonical, and empty unless the call moved the file.
    """

    message_id: str
    part_id: str
    said: str = ""
    said_by: Role = "assistant"
    text: str | None = None
    old_path: str = ""

    @property
    def characters(self) -> int:
        return len(self.said) + len(self.text or "")


@dataclass(frozen=True)
class EditingCall:
    """A call of an editing tool, or one that started a sub-agent, and the words before it."""

    step: Step
    tool: Tool
    said: str = ""
    said_by: Role = "assistant"

    def edit(self, diff: FileDiff, directory: str, *, is_all: bool = False) -> Edit:
        """The call as an edit of one file in the session of a folder; `is_all` of a patch."""
        return Edit(
            self.step.message_id,
            self.tool.id,
            self.said,
            self.said_by,
            None if is_all else diff.patch,
            canonical_path(diff.old_path, directory),
        )


def editing_calls(steps: Iterable[Step], conversation: Conversation) -> Iterator[EditingCall]:
    """The calls of editing tools that were not undone, and those that lead to a sub-agent.

    Of other parts, only the texts before a call are read, which are told with it.
    """
    words: tuple[str, Role] = ("", "assistant")
    before: deque[tuple[Step, Raw, int]] = deque(maxlen=MAX_PARTS_BEFORE)
    for step in steps:
        if step.is_undone:
            continue
        for index, part in enumerate(step.parts, start=step.first_part):
            if len(memoryview(part)) > MAX_PART_BYTES:
                continue
            encoded = bytes(part)
            if any(name in encoded for name in EDITING_NAMES) or names_child(part, conversation):
                block = step.read_part(part, index)
                if isinstance(block, Tool) and (block.name in EDITING_TOOLS or block.child_id):
                    words = _last_words(before) or words
                    before.clear()
                    yield EditingCall(step, block, *words)
                    continue
            before.append((step, part, index))


def edits_by_path(steps: Iterable[Step], conversation: Conversation) -> Mapping[str, Sequence[Edit]]:
    """What calls changed, also those of sub-agents that were started, by the canonical path of the file."""
    found: dict[str, list[Edit]] = defaultdict(list)
    seen = {conversation.id}
    waiting: list[tuple[Iterable[Step], Conversation]] = [(steps, conversation)]
    for its_steps, session in waiting:
        for call in editing_calls(its_steps, session):
            child = conversation.children.get(call.tool.child_id or "")
            if child and child.id not in seen:
                seen.add(child.id)
                waiting.append((child.steps, child))
            if call.tool.name not in EDITING_TOOLS or call.tool.status != "completed":
                continue
            for diff in tool_diffs(call.tool):
                for path in filter(None, (diff.path, diff.old_path)):
                    edits = found[canonical_path(path, session.directory)]
                    if len(edits) < MAX_EDITS:
                        edits.append(call.edit(diff, session.directory))
    return found


def _last_words(before: Sequence[tuple[Step, Raw, int]]) -> tuple[str, Role] | None:
    """The last text among some parts, and whose it is; None without one."""
    for step, part, index in reversed(before):
        block = step.read_part(part, index)
        if isinstance(block, Text) and not block.synthetic and block.text.strip():
            return block.text[:MAX_SAID_CHARACTERS], step.role
    return None
