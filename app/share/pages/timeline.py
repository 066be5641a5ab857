"""The timeline in the head of a session: where each mark is drawn, and what it says in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import log2

from app.opencode.calls import OTHER
from app.opencode.paging.timeline import ANSWER, PROMPT, Mark, Timeline
from app.render.filters import duration, plural

# How marks of a kind look; those that are not named look like OTHER.
LOOKS: Mapping[str, str] = {
    "edit": "edit",
    "command": "command",
    "agent": "agent",
    "read": "lookup",
    "search": "lookup",
    "list": "lookup",
    "fetch": "lookup",
    "question": "question",
    "todos": "todos",
    ANSWER: "answer",
    PROMPT: "prompt",
}
# What calls of a look are called, in the order in which they are counted; lists of todos are not.
NOUNS: Mapping[str, str] = {
    "edit": "edit",
    "command": "command",
    "lookup": "lookup",
    "agent": "sub-agent",
    "question": "question",
    OTHER: "other call",
    ANSWER: "answer",
}
# A shorter timeline says nothing that the page does not.
MIN_MARKS = 3
# Milliseconds from which a pause is a gap, and from which its length is written into it.
MIN_GAP, MIN_LABELLED_GAP = 60_000, 30 * 60_000
# Percent of the width: two numbers of three digits are at least so far apart on a phone.
NUMBER_DISTANCE = 7


@dataclass(frozen=True)
class Segment:
    """A mark, drawn from `x` on, in percent of the width. The `label` says what it stands for."""

    x: float
    width: float
    url: str
    look: str
    is_failed: bool
    label: str


@dataclass(frozen=True)
class Gap:
    """A pause before a prompt; a short one has no `label`."""

    x: float
    width: float
    label: str


@dataclass(frozen=True)
class Number:
    """Where a prompt begins; without `text` where there is no room for its number."""

    x: float
    url: str
    text: str


@dataclass(frozen=True)
class Count:
    """How many calls of a look there were, in words, and how many of them failed."""

    look: str
    text: str
    failed: str


@dataclass
class TimelineView:
    """What is drawn, the `counts` of all calls, and `lines` with the same for each prompt."""

    segments: list[Segment] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    counts: Sequence[Count] = ()
    lines: Sequence[str] = ()


def timeline_view(timeline: Timeline, url_of: Callable[[Mark], str]) -> TimelineView:
    """The timeline laid out; the widths of marks and gaps grow with the logarithm of their times."""
    labels = [_label([mark]) for mark in timeline.marks]
    view = TimelineView(counts=list(_counts(timeline.marks)), lines=list(_lines(timeline.marks, labels)))
    if len(timeline.marks) < MIN_MARKS:
        return view
    scale = 100 / sum(_gap_width(mark) + _mark_width(mark) for mark in timeline.marks)
    x, last_number = 0.0, -float(NUMBER_DISTANCE)
    for mark, label_of_mark in zip(timeline.marks, labels, strict=True):
        if gap := _gap_width(mark) * scale:
            label = duration(mark.pause) if mark.pause >= MIN_LABELLED_GAP else ""
            view.gaps.append(Gap(x, gap, label))
            x += gap
        if mark.prompt:
            has_room = x - last_number >= NUMBER_DISTANCE
            view.numbers.append(Number(x, url_of(mark), str(mark.prompt) if has_room else ""))
            last_number = x if has_room else last_number
        look, width = LOOKS.get(mark.kind, OTHER), _mark_width(mark) * scale
        view.segments.append(Segment(x, width, url_of(mark), look, bool(mark.failed), label_of_mark))
        x += width
    return view


def _mark_width(mark: Mark) -> float:
    return 1 + min(5, log2(1 + mark.milliseconds / 5000))


def _gap_width(mark: Mark) -> float:
    return 0 if mark.pause < MIN_GAP else 2 + min(8, log2(mark.pause / MIN_GAP))


def _counts(marks: Sequence[Mark]) -> Iterator[Count]:
    calls = _by_look(mark.calls for mark in marks)
    failed = _by_look(mark.failed for mark in marks)
    if not calls and not failed:
        return
    for look, noun in NOUNS.items():
        number, failures = calls.get(look, 0), failed.get(look, 0)
        if look == ANSWER and failures:
            yield Count(look, "", f"{plural(failures, noun)} failed")
        elif number:
            yield Count(look, plural(number, noun), f"{failures:,} failed" if failures else "")


def _by_look(counts: Iterator[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for kind, count in each.items():
            look = LOOKS.get(kind, OTHER)
            total[look] = total.get(look, 0) + count
    return total


def _lines(marks: Sequence[Mark], labels: Sequence[str]) -> Iterator[str]:
    """What each prompt led to, up to the next one that has a mark of its own."""
    starts = [place for place, mark in enumerate(marks) if mark.prompt or place == 0]
    for start, end in pairwise([*starts, len(marks)]):
        first = marks[start]
        name = f"Prompt {first.prompt:,}" if first.prompt else "Before the first prompt"
        pause = f", after {duration(first.pause)}" if first.pause >= MIN_GAP else ""
        label = labels[start] if end == start + 1 else _label(marks[start:end])
        yield f"{name}{pause}: {label}"


def _label(marks: Sequence[Mark]) -> str:
    """`3 edits, 2 commands, 1 failed, 12.0 s`."""
    words = [word for count in _counts(marks) for word in (count.text, count.failed) if word]
    milliseconds = sum(mark.milliseconds for mark in marks)
    if not words:
        words = ["prompt" if all(mark.kind == PROMPT for mark in marks) else "answer"]
    return ", ".join([*words, *([duration(milliseconds)] if milliseconds else [])])
