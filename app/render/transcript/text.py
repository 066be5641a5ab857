"""Texts of a session so that they stand in markdown and stay what they are."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

# What one transcript may parse to see whether its texts end properly, and the longest of them. Parsing
# takes up to 10 seconds for a megabyte of hostile markdown; a fence around a text is always right.
MAX_PARSED_CHARACTERS = 256 * 1024
MAX_PARSED_TEXT = 64 * 1024
MAX_EXCERPT_CHARACTERS = 20_000
MAX_SPAN_CHARACTERS = 200

# Terminal sequences and other control characters.
# Nothing here matches in two ways, so the time is proportional to the length.
INVISIBLE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*+(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[()*+\-./#%&]?[0-~]?"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
OVERWRITTEN = re.compile(r"(?m)^.*\r")
BACKTICKS = re.compile(r"`+")

# A line that begins a block which only its own end closes: a fence at the margin, or what takes a parser
# to tell, since it stands in a list or a quotation or is HTML.
FENCE = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})")
UNCERTAIN = re.compile(r"[ \t>*+\-\d.)]*(?:```|~~~|<)")

# Only the blocks: what is inside a line cannot reach beyond its paragraph.
_blocks = MarkdownIt("commonmark").enable("table").disable("inline")


def cleaned(text: str) -> str:
    """`text` without terminal sequences and control characters, its lines ending in newlines."""
    return INVISIBLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def on_one_line(text: str) -> str:
    return " ".join(cleaned(text[:MAX_EXCERPT_CHARACTERS]).split())


def in_prose(text: str) -> str:
    """`text` on one line of prose, without a tag that a renderer would obey."""
    return on_one_line(text).replace("<", "\\<")


def blockquote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def code_span(text: str) -> str:
    """`text` as code within a line, however many backticks it has."""
    text = on_one_line(text)
    if len(text) > MAX_SPAN_CHARACTERS:
        text = text[:MAX_SPAN_CHARACTERS] + "…"
    marks = "`" * (_longest_run(text) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{space}{text}{space}{marks}" if text else ""


class Closing:
    """Writes the markdown of others so that it ends where it ends; one for each transcript."""

    def __init__(self) -> None:
        self.characters_left = MAX_PARSED_CHARACTERS

    def closed(self, text: str) -> str:
        """`text` as it stands, and the end of its last block if that is missing."""
        end = _missing_end(text)
        if end is None:
            self.characters_left -= len(text)
            if len(text) > MAX_PARSED_TEXT or self.characters_left < 0:
                return fenced(text, "markdown")
            end = _parsed_end(text)
        return fenced(text, "markdown") if end is None else text + end


def fenced(text: str, language: str = "") -> str:
    """`text` as a block of code, in a fence longer than any run of backticks inside."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def cut_fence(text: str, max_lines: int, language: str = "") -> str:
    """The first lines of a text in a fence, as a terminal would leave them, and how many more there are."""
    whole = text.strip("\n")
    if not whole.strip():
        return ""
    lines = whole[:MAX_EXCERPT_CHARACTERS].split("\n", max_lines)[:max_lines]
    end = sum(len(line) + 1 for line in lines) - 1
    shown = cleaned(OVERWRITTEN.sub("", "\n".join(line.removesuffix("\r") for line in lines)))
    more_lines = whole.count("\n", end)
    hidden = f"{more_lines:,} more line{'s'[: more_lines - 1]}" if more_lines else ""
    if not hidden and end < len(whole):
        hidden = f"{len(whole) - end:,} more characters"
    return fenced(shown, language) + (f"\n\n... {hidden}" if hidden else "")


def _longest_run(text: str) -> int:
    return max((len(run.group()) for run in BACKTICKS.finditer(text)), default=0)


def _missing_end(text: str) -> str | None:
    """What closes the last fence of a text, nothing if it is closed; None if only a parser can tell."""
    fence = ""
    for line in text.split("\n"):
        if fence:
            marks = line.strip()
            is_end = marks.startswith(fence) and not marks.strip(fence[0]) and not line.startswith("    ")
            fence = "" if is_end else fence
        elif found := FENCE.match(line):
            fence = found.group()
        elif UNCERTAIN.match(line):
            return None
    return f"\n{fence}" if fence else ""


def _parsed_end(text: str) -> str | None:
    """As above, from seeing what becomes of a paragraph that follows; None if no fence will close it."""
    last = _blocks.parse(f"{text}\n\nx")[-1]
    if last.level != 0 or last.type not in ("paragraph_close", "fence"):
        return None
    return f"\n{last.markup}" if last.type == "fence" else ""
