"""Highlights code with Pygments, line by line and within budgets."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import PurePosixPath

from markupsafe import Markup, escape
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, _TokenType

from app.lib.budget import Budget
from app.lib.time_limit import TimeLimitExceeded
from app.render.filters import visible

# Some lexers take seconds for one long line, so longer lines stay plain.
MAX_LINE_CHARACTERS = 500
MAX_SECONDS = 0.5

# The lexers that were tested with hostile input (tests/render/test_highlighting.py), with the names used in
# fences and the suffixes of files. Pygments has others that hang on 64 characters.
LEXERS: dict[str, Sequence[str]] = {
    "bash": ("sh", "shell", "zsh", "console", "bashrc"),
    "c": ("h",),
    "cpp": ("c++", "cc", "hpp", "cxx"),
    "csharp": ("cs", "c#"),
    "css": ("scss", "less"),
    "diff": ("patch",),
    "docker": ("dockerfile",),
    "go": ("golang",),
    "html": ("htm", "vue", "svelte"),
    "ini": ("cfg", "conf", "editorconfig"),
    "java": (),
    "javascript": ("js", "jsx", "mjs", "cjs", "node"),
    "json": ("jsonc", "json5", "jsonl"),
    "kotlin": ("kt", "kts"),
    "lua": (),
    "makefile": ("make", "mk"),
    "php": (),
    "python": ("py", "pyi", "python3", "py3"),
    "ruby": ("rb", "gemfile", "rakefile"),
    "rust": ("rs",),
    "sql": ("postgresql", "sqlite"),
    "swift": (),
    "toml": (),
    "typescript": ("ts", "tsx", "mts", "cts"),
    "xml": ("svg", "xsd"),
    "yaml": ("yml",),
}
ALIASES = {alias: name for name, aliases in LEXERS.items() for alias in (name, *aliases)}


def language_of_file(path: str) -> str | None:
    """The language of a file by its name, if it is one that is highlighted."""
    name = PurePosixPath(path).name.lower()
    return ALIASES.get(name.rpartition(".")[2])


def highlight(code: str, language: str | None, budget: Budget) -> list[Markup]:
    """`code` as lines of HTML; plain if the language is unknown or the budget is spent."""
    name = ALIASES.get((language or "").lower())
    lines = visible(code).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if name is None or not budget.take_code(len(code)):
        return [escape(line) for line in lines]
    short = [line if len(line) <= MAX_LINE_CHARACTERS else "" for line in lines]
    try:
        with budget.time_limit(MAX_SECONDS):
            highlighted = _tokens_to_lines(lexer(name), "\n".join(short))
    except (TimeLimitExceeded, Exception):  # whatever a lexer does, the reader gets the text
        return [escape(line) for line in lines]
    if len(highlighted) != len(lines):
        return [escape(line) for line in lines]
    return [
        code_html if len(line) <= MAX_LINE_CHARACTERS else escape(line)
        for line, code_html in zip(lines, highlighted, strict=True)
    ]


def warm_lexers() -> None:
    """Compiles the lexers before their first use, which takes half a second in all."""
    for name in LEXERS:
        lexer(name)


@cache
def lexer(name: str) -> Lexer:
    """The lexer with its regular expressions compiled, which a time limit must not interrupt."""
    lexer: Lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
    for _ in lexer.get_tokens(" "):
        pass
    return lexer


def _tokens_to_lines(lexer: Lexer, code: str) -> list[Markup]:
    """The tokens of `code` as spans that end with their line; neighbours of one class share a span."""
    lines = [""]
    # Not `get_tokens`, which goes over the text and every token once more.
    tokens = ((_css_class(kind), text) for _, kind, text in lexer.get_tokens_unprocessed(code))
    for css_class, run in groupby(tokens, key=itemgetter(0)):
        # Markup would do the same and take a third of the time of a page.
        text = html.escape("".join(map(itemgetter(1), run)), quote=False)
        for number, piece in enumerate(text.split("\n")):
            if number:
                lines.append("")
            if piece:
                lines[-1] += f'<span class="{css_class}">{piece}</span>' if css_class else piece
    # Every piece is escaped, or one of Pygments' own class names.
    return list(map(Markup, lines))


@cache
def _css_class(kind: _TokenType) -> str:
    """Pygments' CSS class of a kind of token, or of its nearest parent that has one."""
    return STANDARD_TYPES.get(kind) or (_css_class(kind.parent) if kind.parent else "")
