"""Searches a document from any of its places on, one page of results at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.lib.budget import Budget
from app.lib.time_limit import TimeLimitExceeded
from app.opencode import DocumentIndex, IndexedSession, Step
from app.opencode.model import Block
from app.opencode.paging.records import MessageRecord
from app.render.search.blocks import Match, match_block, match_failure
from app.render.search.prefilter import Prefilter
from app.render.search.query import Query

PAGE_RESULTS = 20
# Of processor time: half of what opening the document takes, and more than going through it without a result.
MIN_SEARCH_SECONDS, MAX_SEARCH_SECONDS = 0.1, 0.4
SEARCH_SECONDS_PER_MB = 0.006

logger = logging.getLogger(__name__)


class Position(NamedTuple):
    """A place in a document, all from 0: a session, a message of it, a step of that, and a block of that.

    What ended a step early counts as its last block.
    """

    session: int
    message: int
    step: int = 0
    block: int = 0

    def __str__(self) -> str:
        return ".".join(map(str, self))


class NoSuchPosition(Exception):
    """There is no such place in the document."""


@dataclass(frozen=True)
class Result:
    """A block, or what ended a step, that matches; `turn` counts from 1, `part_id` is its anchor."""

    session: IndexedSession
    turn: int
    step: Step
    part_id: str
    match: Match


@dataclass(frozen=True)
class Results:
    """A page of results; the search goes on at `following` if it is not at its end.

    `is_stopped`: it took too long, and there may be no more.
    """

    found: Sequence[Result]
    following: Position | None
    is_stopped: bool = False


def search(index: DocumentIndex, query: Query, start: Position, budget: Budget) -> Results:
    """The first PAGE_RESULTS from `start` on. Raises NoSuchPosition."""
    scan = _Scan(index, query, start)
    found: list[Result] = []
    try:
        with budget.time_limit(_seconds(index)):
            for result in scan.results():
                if len(found) == PAGE_RESULTS:
                    return Results(found, scan.position)
                found.append(result)
    except TimeLimitExceeded:
        # Whatever takes longer than a whole search is left out.
        following = scan.next_step() if scan.position == start else scan.position
        return Results(found, following, is_stopped=True)
    return Results(found, None)


def _seconds(index: DocumentIndex) -> float:
    return min(MAX_SEARCH_SECONDS, max(MIN_SEARCH_SECONDS, index.size / 1e6 * SEARCH_SECONDS_PER_MB))


class _Scan:
    """Goes through a document from `start`; `position` is the place that it is at."""

    def __init__(self, index: DocumentIndex, query: Query, start: Position) -> None:
        self._sessions = index.sessions
        self._query = query
        self._prefilter = Prefilter(query)
        self._start = start
        self._step_count = 0
        self.position = start
        if start.session >= len(self._sessions):
            raise NoSuchPosition
        if start.message >= max(1, self._sessions[start.session].message_count):
            raise NoSuchPosition

    def results(self) -> Iterator[Result]:
        for session, message, json in self._messages():
            is_start = self.position[:2] == self._start[:2] and self._start[2:] != (0, 0)
            if not is_start and not self._prefilter.may_match(json):
                continue
            steps = session.pages.steps_of(message)
            self._step_count = len(steps)
            first_step = self._start.step if is_start else 0
            if first_step >= len(steps):
                raise NoSuchPosition
            for number in range(first_step, len(steps)):
                self.position = Position(*self.position[:2], number)
                yield from self._step_results(session, message, steps[number])
                # Its blocks have been read, and may be long.
                vars(steps[number]).pop("blocks", None)

    def next_step(self) -> Position | None:
        """The place after the step or message at which the scan is."""
        session, message, step, _ = self.position
        if step + 1 < self._step_count:
            return Position(session, message, step + 1)
        if message + 1 < self._sessions[session].message_count:
            return Position(session, message + 1)
        return Position(session + 1, 0) if session + 1 < len(self._sessions) else None

    def _messages(self) -> Iterator[tuple[IndexedSession, MessageRecord, memoryview]]:
        for number, session in enumerate(self._sessions[self._start.session :], self._start.session):
            first = self._start.message if number == self._start.session else 0
            for message, json in session.pages.messages(first):
                self._step_count = 0
                if (number, message.number) != self._start[:2]:
                    self.position = Position(number, message.number)
                yield session, message, json

    def _step_results(self, session: IndexedSession, message: MessageRecord, step: Step) -> Iterator[Result]:
        here = self.position
        first = self._start.block if here[:3] == self._start[:3] else 0
        may_match = any(self._prefilter.may_match(memoryview(part)) for part in step.parts)
        failure = match_failure(step.failure, self._query) if step.failure else None
        if not (first or may_match or failure):
            return
        blocks = step.blocks
        end = len(blocks) + (step.failure is not None)
        if first > end:
            raise NoSuchPosition
        for number in range(first, len(blocks) if may_match else 0):
            self.position = here._replace(block=number)
            if match := self._match(blocks[number], step, session):
                yield Result(session, message.turn, step, blocks[number].id, match)
        if failure and first <= len(blocks):
            self.position = here._replace(block=len(blocks))
            yield Result(session, message.turn, step, step.id, failure)
        self.position = here._replace(block=end)

    def _match(self, block: Block, step: Step, session: IndexedSession) -> Match | None:
        """The match of a block; one that cannot be read has none."""
        try:
            return match_block(block, step, self._query, session.conversation.directory)
        except Exception:
            logger.exception("a block could not be searched: %s", type(block).__name__)
            return None
