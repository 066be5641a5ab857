"""Embeds texts of a session in Markdown so that they keep their meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt

from app.lib.budget import Budget
from app.lib.time_limit import TimeLimitExceeded

# How much of one transcript, and of one text, is parsed to find out whether its last block is closed, and for
# how long. A fence around a text is always correct.
MAX_PARSED_CHARACTERS = 256 * 1024
MAX_PARSED_TEXT = 64 * 1024
MAX_PARSE_SECONDS = 0.3
MAX_EXCERPT_CHARACTERS = 20_000
MAX_SPAN_CHARACTERS = 200

# Terminal sequences (ECMA-48) and other control characters. No alternative backtracks, so the time is linear.
INVISIBLE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*+(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[()*+\-./#%&]?[0-~]?"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
OVERWRITTEN = re.compile(r"(?m)^.*\r")
BACKTICKS = re.compile(r"`+")

# A line that begins a block which only its own end closes: a fence at the margin, or something for which a
# parser is needed, because it is in a list or a quotation or is HTML.
FENCE = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})")
UNCERTAIN = re.compile(r"[ \t>*+\-\d.)]*(?:```|~~~|<)")

# Only blocks matter: inline markup cannot reach beyond its paragraph.
_blocks = MarkdownIt("commonmark").enable("table").disable("inline")


def without_control_characters(text: str) -> str:
    """`text` without terminal sequences and control characters, with \\n as line ends."""
    return INVISIBLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def on_one_line(text: str) -> str:
    return " ".join(without_control_characters(text[:MAX_EXCERPT_CHARACTERS]).split())


def in_prose(text: str) -> str:
    """`text` on one line of prose, without HTML tags that a renderer would interpret."""
    return on_one_line(text).replace("<", "\\<")


def blockquote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def code_span(text: str) -> str:
    """`text` as inline code, however many backticks it contains."""
    text = on_one_line(text)
    if len(text) > MAX_SPAN_CHARACTERS:
        text = text[:MAX_SPAN_CHARACTERS] + "…"
    marks = "`" * (_longest_run(text) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{space}{text}{space}{marks}" if text else ""


class BlockCloser:
    """Closes blocks that a text leaves open, so that they do not swallow what follows; one per transcript."""

    def __init__(self, budget: Budget) -> None:
        self.characters_left = MAX_PARSED_CHARACTERS
        self._budget = budget

    def close(self, text: str) -> str:
        """`text`, with the end of its last block if that is missing."""
        end = _missing_end(text)
        if end is None:
            self.characters_left -= len(text)
            if len(text) > MAX_PARSED_TEXT or self.characters_left < 0:
                return fenced(text, "markdown")
            end = self._parsed_end(text)
        return fenced(text, "markdown") if end is None else text + end

    def _parsed_end(self, text: str) -> str | None:
        try:
            with self._budget.time_limit(MAX_PARSE_SECONDS):
                return _parsed_end(text)
        except TimeLimitExceeded:
            return None


def fenced(text: str, language: str = "") -> str:
    """`text` as a code block, in a fence longer than any run of backticks inside."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def cut_fence(text: str, max_lines: int, language: str = "") -> str:
    """The first lines of a text in a fence, as a terminal would show them, and how many more there are."""
    whole = text.strip("\n")
    if not whole.strip():
        return ""
    lines = whole[:MAX_EXCERPT_CHARACTERS].split("\n", max_lines)[:max_lines]
    end = sum(len(line) + 1 for line in lines) - 1
    return _as_on_screen(lines, language) + _hidden(whole.count("\n", end), len(whole) - end)


def end_fence(text: str, max_lines: int, language: str = "") -> str:
    """As `cut_fence`, with the last lines of the text."""
    whole = text.strip("\n")
    if not whole.strip():
        return ""
    lines = whole[-MAX_EXCERPT_CHARACTERS:].rsplit("\n", max_lines)[-max_lines:]
    start = len(whole) - sum(len(line) + 1 for line in lines) + 1
    hidden = _hidden(whole.count("\n", 0, max(0, start)), start)
    return f"{hidden.lstrip()}\n\n{_as_on_screen(lines, language)}".lstrip()


def _as_on_screen(lines: Sequence[str], language: str) -> str:
    joined = "\n".join(line.removesuffix("\r") for line in lines)
    return fenced(without_control_characters(OVERWRITTEN.sub("", joined)), language)


def _hidden(lines: int, characters: int) -> str:
    """How much a fence leaves out: lines, or of a single line characters."""
    if lines:
        return f"\n\n... {lines:,} more line{'s'[: lines - 1]}"
    return f"\n\n... {characters:,} more characters" if characters > 0 else ""


def _longest_run(text: str) -> int:
    return max((len(run.group()) for run in BACKTICKS.finditer(text)), default=0)


def _missing_end(text: str) -> str | None:
    """What closes the last fence of a text, empty if it is closed; None if only a parser can tell."""
    fence = ""
    for line in text.split("\n"):
        if fence:
            marks = line.strip()
            is_end = marks.startswith(fence) and not marks.strip(fence[0]) and not line.startswith("    ")
            fence = "" if is_end else fence
        elif match := FENCE.match(line):
            fence = match.group()
        elif UNCERTAIN.match(line):
            return None
    return f"\n{fence}" if fence else ""


def _parsed_end(text: str) -> str | None:
    """As above, by parsing what becomes of a paragraph that follows; None if no fence would close it."""
    last = _blocks.parse(f"{text}\n\nx")[-1]
    if last.level != 0 or last.type not in ("paragraph_close", "fence"):
        return None
    return f"\n{last.markup}" if last.type == "fence" else ""
