"""A conversation as a short text: who speaks, what kinds of blocks there are, what each call did."""

from __future__ import annotations

from collections.abc import Iterator

from app.opencode import Conversation, Step
from app.opencode.model import Block, File, Notice, Text, Tool, Unknown
from app.render.tools.registry import tell

MAX_SUBJECT = 60


def outline(conversation: Conversation) -> str:
    lines = [f"# {conversation.title}"]
    for number, turn in enumerate(conversation.turns, start=1):
        lines.append(f"turn {number}")
        for step in turn.steps:
            lines.extend(_step(step))
    return "\n".join(lines) + "\n"


def _step(step: Step) -> Iterator[str]:
    undone = " undone" if step.is_undone else ""
    summary = " summary" if step.is_summary else ""
    yield f"  {step.role}{undone}{summary}"
    for block in step.blocks:
        yield f"    {_block(block)}"
    if step.failure:
        yield f"    ! {step.failure.name}"


def _block(block: Block) -> str:
    match block:
        case Tool():
            return _tool(block)
        case Text():
            return "text" + (" added by OpenCode" if block.synthetic else "")
        case Notice():
            return f"{block.kind}: {block.label}"
        case File():
            return f"file {block.name}"
        case Unknown():
            return f"unknown {block.label}"
    return type(block).__name__.lower()


def _tool(tool: Tool) -> str:
    form = tell(tool)
    where = [f"in {form.where}"] if form.where else []
    change = [f"+{form.change[0]} -{form.change[1]}"] if form.change else []
    line = " · ".join([f"{form.action} {form.subject[:MAX_SUBJECT]}".strip(), *where, *form.facts, *change])
    sections = ", ".join(type(section).__name__.lower() for section in form.sections)
    files = f" +{len(tool.files)} files" if tool.files else ""
    return f"[{tool.status}] {line} ({sections}){files}"
