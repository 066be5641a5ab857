"""What a form is made of: a line, and sections that each have a macro in sections.html."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.render.diff.model import FileDiff


@dataclass(frozen=True)
class Code:
    """A text in monospace, highlighted as `language`; numbered from `first_line` when that is given.

    Here and below `name` is the text's name in the block (`app.render.text.block_texts`), by which it is had
    in full.
    """

    name: str
    text: str
    language: str | None = None
    first_line: int | None = None
    label: str = ""


@dataclass(frozen=True)
class Terminal:
    """What a program printed, with its colours."""

    name: str
    text: str


@dataclass(frozen=True)
class Prose:
    """Markdown."""

    name: str
    text: str
    label: str = ""


@dataclass(frozen=True)
class Problem:
    """Why a call failed."""

    name: str
    text: str


@dataclass(frozen=True)
class Diffs:
    """What happened to files; `is_cut` where that is more than a page reads.

    `text` is all of what was read, where it is not among the texts of the block itself.
    """

    files: Sequence[FileDiff]
    is_cut: bool = False
    name: str = ""
    text: str = ""


@dataclass(frozen=True)
class Match:
    path: str
    lines: Sequence[tuple[int | None, str]] = ()


@dataclass(frozen=True)
class Matches:
    """Files, each with the lines that matched; `hidden` counts the lines of the answer after them."""

    files: Sequence[Match]
    hidden: int = 0


@dataclass(frozen=True)
class Todo:
    text: str
    status: str
    priority: str


@dataclass(frozen=True)
class Checklist:
    todos: Sequence[Todo]
    hidden: int = 0


@dataclass(frozen=True)
class Option:
    label: str
    description: str
    is_chosen: bool


@dataclass(frozen=True)
class Question:
    """A question with its options; `own_answers` are those that were no option."""

    header: str
    question: str
    options: Sequence[Option]
    own_answers: Sequence[str]


@dataclass(frozen=True)
class Questions:
    """`is_cut` where there are more questions, options or answers than these."""

    questions: Sequence[Question]
    is_cut: bool = False


@dataclass(frozen=True)
class Child:
    """The conversation of the sub-agent that the call started; its first and last words stand in for it."""

    child_id: str | None
    prompt: Prose
    result: Prose | None


Section = Code | Terminal | Prose | Problem | Diffs | Matches | Checklist | Questions | Child


@dataclass(frozen=True)
class Form:
    """`action` and `subject` say what the call did and `where` in which folder; `facts` how it went.

    `change` counts the lines added and removed.
    """

    action: str
    subject: str = ""
    where: str = ""
    facts: Sequence[str] = ()
    change: tuple[int, int] | None = None
    sections: Sequence[Section] = ()
