"""Sessions that are small and would cost far more than they weigh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]


def session(*parts: Document, messages: list[Document] | None = None, **fields: Any) -> Document:
    """A session with one answer of these parts, or with these messages."""
    head = {"id": "ses_1", "title": "t", "directory": "/w", "version": "1.18.33", "time": {"created": 1}}
    return {"session": head, "messages": messages or [message("msg_1", *parts)], **fields}


def message(id: str, *parts: Document) -> Document:
    info = {"id": id, "sessionID": "ses_1", "role": "assistant", "time": {"created": 1}}
    return {"info": info, "parts": list(parts)}


def text(number: int, text: str) -> Document:
    return {"id": f"prt_{number}", "type": "text", "text": text}


def call(
    number: int, tool: str, input: Document, metadata: Document | None = None, output: str = ""
) -> Document:
    state = {"status": "completed", "input": input, "output": output, "title": "", "metadata": metadata or {}}
    return {"id": f"prt_{number}", "type": "tool", "tool": tool, "callID": f"c{number}", "state": state}


def repeated_sub_agent(calls: int = 300, messages: int = 300) -> Document:
    """Every call shows the same conversation, whose messages are empty."""
    child = {"session": {"id": "k", "title": "k"}, "messages": [message(f"k{n}") for n in range(messages)]}
    return session(*(call(n, "task", {}, {"sessionId": "k"}) for n in range(calls)), children=[child])


def empty_parts(count: int = 40_000) -> Document:
    """Each part is two bytes, and a block on the page."""
    return session(*({} for _ in range(count)))


def empty_messages(count: int = 20_000) -> Document:
    return session(messages=[message(f"m{n}") for n in range(count)])


def nested_quotes(count: int = 8, size: int = 60_000) -> Document:
    """Lazy continuation lines, for which a Markdown parser takes quadratic time."""
    return session(*(text(n, "> " * 30 + "<a\n" + "b\n" * (size // 2)) for n in range(count)))


def open_brackets(count: int = 10) -> Document:
    return session(*(text(n, "[" * 60_000) for n in range(count)))


def nested_lists(count: int = 8) -> Document:
    return session(*(text(n, "- " * 100 + "x\n" + "* a\n  > b\n" * 5_000) for n in range(count)))


def scrambled_edits(calls: int = 8, edits: int = 30, lines: int = 1_000) -> Document:
    """Texts that have every second line in common, out of order."""
    old = "\n".join(line for n in range(lines // 2) for line in (chr(0x100 + n % 50), f"u{n}"))
    new = "\n".join(line for n in range(lines // 2) for line in (chr(0x100 + n * 7 % 50), f"v{n}"))
    edit = {"oldString": old, "newString": new}
    return session(*(call(n, "multiedit", {"filePath": "a", "edits": [edit] * edits}) for n in range(calls)))


def many_small_patches(count: int = 3_000) -> Document:
    patch = "@@ -1 +1 @@\n-b\n+c\n"
    parts = (call(n, "edit", {"filePath": f"/w/{n % 700}"}, {"diff": patch}) for n in range(count))
    return session(*parts)


def short_lines(calls: int = 10) -> Document:
    """The most lines for the fewest bytes."""
    patch = "@@ -1,100000 +1,100000 @@\n" + "+\n" * 100_000
    return session(*(call(n, "edit", {"filePath": "a"}, {"diff": patch}) for n in range(calls)))


def long_checklists(calls: int = 10, count: int = 2_000) -> Document:
    todos = [{"content": "x", "status": "pending", "priority": "high"}] * count
    return session(*(call(n, "todowrite", {"todos": todos}) for n in range(calls)))


def wide_tables(count: int = 8) -> Document:
    head = "|" + "a|" * 500 + "\n|" + "-|" * 500 + "\n"
    return session(*(text(n, head + "||\n" * 10_000) for n in range(count)))


def many_references(count: int = 8) -> Document:
    return session(*(text(n, "[a]: <#>\n\n" + "[a] " * 14_000) for n in range(count)))


def many_fences(count: int = 8) -> Document:
    return session(*(text(n, "```js\n/*\n```\n" * 4_500) for n in range(count)))


def colour_changes(calls: int = 10) -> Document:
    return session(*(call(n, "bash", {}, output="\x1b[31ma\x1b[32mb" * 12_000) for n in range(calls)))


DOCUMENTS: dict[str, Callable[[], Document]] = {
    each.__name__: each
    for each in (
        repeated_sub_agent,
        empty_parts,
        empty_messages,
        nested_quotes,
        open_brackets,
        nested_lists,
        scrambled_edits,
        many_small_patches,
        short_lines,
        long_checklists,
        wide_tables,
        many_references,
        many_fences,
        colour_changes,
    )
}
