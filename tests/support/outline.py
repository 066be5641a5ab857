"""A conversation as a short text: who speaks, what kinds of blocks there are, what each call did."""

from __future__ import annotations

from collections.abc import Iterator

from app.opencode import Conversation, Step
from app.opencode.model import Block, File, Notice, Text, Tool, Unknown
from app.render.tools.registry import view_of
from app.render.tools.view import Section

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
    view = view_of(tool)
    where = [f"in {view.where}"] if view.where else []
    change = [f"+{view.change[0]} -{view.change[1]}"] if view.change else []
    line = " · ".join([f"{view.action} {view.subject[:MAX_SUBJECT]}".strip(), *where, *view.facts, *change])
    sections = ", ".join(_name(section) for section in view.sections)
    files = f" +{len(tool.files)} files" if tool.files else ""
    return f"[{tool.status}] {line} ({sections}){files}"


def _name(section: Section) -> str:
    return type(section).__name__.removesuffix("Section").lower()
