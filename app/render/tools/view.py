"""The parts of a tool's view: one line, and sections that each have a macro in blocks/sections.html."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.render.diff.model import FileDiff


@dataclass(frozen=True)
class CodeSection:
    """A text in monospace, highlighted as `language`, with line numbers from `first_line` if that is known.

    Here and below, `name` is the name of the text in its block (`app.render.text.block_texts`), by which the
    whole text can be fetched.
    """

    name: str
    text: str
    language: str | None = None
    first_line: int | None = None
    label: str = ""


@dataclass(frozen=True)
class TerminalSection:
    """The output of a program, with its colours; `from_end` if its end matters most."""

    name: str
    text: str
    from_end: bool = False


@dataclass(frozen=True)
class MarkdownSection:
    """Markdown."""

    name: str
    text: str
    label: str = ""


@dataclass(frozen=True)
class ErrorSection:
    """Why a call failed."""

    name: str
    text: str


@dataclass(frozen=True)
class NoteSection:
    """What OpenCode remarked on a call's output, for the model."""

    text: str


@dataclass(frozen=True)
class DiffsSection:
    """The diffs of files; `is_cut` if there is more than a page reads.

    `text` is all that was read, if it is not among the texts of the block itself.
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
class MatchesSection:
    """Files with the lines that matched; `hidden` counts the lines of output after them."""

    files: Sequence[Match]
    hidden: int = 0


@dataclass(frozen=True)
class Diagnostic:
    """What a language server said about a place in a file; `line` and `column` count from 1.

    `severity` is `error`, `warning`, `information` or `hint`.
    """

    path: str
    line: int
    column: int
    severity: str
    message: str


@dataclass(frozen=True)
class DiagnosticsSection:
    """Diagnostics without the `hidden` last ones; `text` has all of them."""

    diagnostics: Sequence[Diagnostic]
    hidden: int = 0
    name: str = ""
    text: str = ""


@dataclass(frozen=True)
class Call:
    """A call that another call made; `subject` is what it is about."""

    tool: str
    subject: str
    status: str


@dataclass(frozen=True)
class CallsSection:
    calls: Sequence[Call]
    hidden: int = 0


@dataclass(frozen=True)
class Todo:
    text: str
    status: str
    priority: str


@dataclass(frozen=True)
class ChecklistSection:
    todos: Sequence[Todo]
    hidden: int = 0


@dataclass(frozen=True)
class Option:
    label: str
    description: str
    is_chosen: bool


@dataclass(frozen=True)
class Question:
    """A question with its options; `own_answers` are answers that were not among them."""

    header: str
    question: str
    options: Sequence[Option]
    own_answers: Sequence[str]


@dataclass(frozen=True)
class QuestionsSection:
    """`is_cut` if there are more questions, options or answers than these."""

    questions: Sequence[Question]
    is_cut: bool = False


@dataclass(frozen=True)
class SubagentSection:
    """The conversation of the sub-agent that was started; if it is absent, its prompt and result.

    Without a `prompt`, a call that only names a session, which may be none of a sub-agent.
    """

    child_id: str | None
    prompt: MarkdownSection | None
    result: MarkdownSection | None


Section = (
    CodeSection
    | TerminalSection
    | MarkdownSection
    | ErrorSection
    | NoteSection
    | DiffsSection
    | MatchesSection
    | ChecklistSection
    | QuestionsSection
    | SubagentSection
    | DiagnosticsSection
    | CallsSection
)


@dataclass(frozen=True)
class ToolView:
    """How a call is shown: its line, and sections to open.

    The line says `action`, `subject`, the folder `where`, and `facts` about the outcome. `change` counts the
    lines added and removed. `is_failure`: the call was made, and what it ran failed.
    """

    action: str
    subject: str = ""
    where: str = ""
    facts: Sequence[str] = ()
    change: tuple[int, int] | None = None
    sections: Sequence[Section] = ()
    is_failure: bool = False
