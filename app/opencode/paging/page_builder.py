"""Cuts a session into pages, message by message, and counts what every page says about the whole."""

from __future__ import annotations

from collections.abc import Sequence

from app.opencode.calls import Outcome, call_outcome
from app.opencode.changes.totals import (
    STRETCH,
    UNDONE,
    ChangeRecord,
    called_or_edited,
    calls_that_change,
    recorded_files,
)
from app.opencode.fields import bounded
from app.opencode.model import Step, Turn
from app.opencode.paging.pages import PAGE_BYTES, PAGE_STEPS
from app.opencode.paging.records import (
    ByteRange,
    MessageRecord,
    PageRecord,
    Prompt,
    State,
    TurnState,
    added,
    bounded_all,
    counts_of,
    decode_state,
    encode,
)
from app.opencode.paging.timeline import MAX_WORKING_PAUSE, StepRecord, record_of_step
from app.opencode.reading.conversation import tell_once
from app.opencode.titles import prompt_title

MAX_MODELS = 20
MAX_CHARACTERS = 10_000


class PageBuilder:
    """Makes `pages` of the messages of a session, of which those from the one `undone_from` on are undone.

    What calls edited is not read where a message has recorded that, unless this `reads_all`: as it has to if
    the first message that was undone `is_within` what such a message has recorded.

    A page that exists already can be taken over where it would come out the same.
    """

    def __init__(self, session_id: str, directory: str, undone_from: str, *, reads_all: bool = False) -> None:
        self.pages: list[PageRecord] = []
        self._session_id = session_id
        self._directory = directory
        self._undone_from = undone_from
        self._reads_all = reads_all
        self._state = State()
        self._page = _OpenPage(encode(self._state))
        self._is_taken_over = False

    def take_over(self, page: PageRecord, after: bytes) -> bool:
        """Adds a page as it is, with the State after it, if its messages would begin a page here as well.

        Returns whether they do; otherwise they have to be added.
        """
        if self._page.is_full(page.weight):
            self._close_page()
        if self._page.steps or self._page.before != page.before:
            return False
        self.pages.append(page)
        self._page, self._is_taken_over = _OpenPage(after), True
        return True

    def add(self, steps: Sequence[Step], place: ByteRange) -> None:
        """Adds a message, which may begin on one page and end on another."""
        self._read_state()
        for step in steps:
            if self._page.is_full(step.weight):
                self._close_page()
            begins_turn = step.piece == 0 and self._begin_message(steps, place.size)
            self._add_step(step, place, begins_turn=begins_turn)
            self._page.messages[-1].repeats_failure = steps[-1].repeats_failure

    def finish(self) -> bytes:
        """Ends the last page, of which there is at least one, and returns the State after it."""
        self._read_state()
        if self._page.steps or not self.pages:
            self._close_page()
        return self._encoded_state()

    def _read_state(self) -> None:
        """Goes on from the State after a page that was taken over; most are followed by another."""
        if self._is_taken_over:
            self._state, self._is_taken_over = decode_state(self._page.before), False

    def _begin_message(self, steps: Sequence[Step], size: int) -> bool:
        """Returns whether the message begins a turn."""
        state = self._state
        begins_turn = steps[0].role == "user" or not state.turns
        if begins_turn:
            self._begin_turn()
        state.is_undone |= steps[0].message_id == self._undone_from
        for step in steps:
            step.is_undone = state.is_undone
        state.told = tell_once(steps[-1], state.told)
        state.messages += 1
        state.size += size
        if begins_turn and steps[0].role == "user":
            state.prompts += 1
            self._page.prompts.append(
                Prompt(state.prompts, steps[0].id, prompt_title(Turn(list(steps))) or "")
            )
        return begins_turn

    def _begin_turn(self) -> None:
        state = self._state
        state.turn.tokens = bounded_all(state.turn.tokens)
        if self._page.messages:
            self._page.messages[-1].totals = state.turn
        state.cost += state.turn.cost
        state.tokens = added(state.tokens, state.turn.tokens)
        state.agent_milliseconds = bounded(state.agent_milliseconds + (state.turn.milliseconds or 0))
        state.turn, state.told = TurnState(), ()
        state.turns += 1

    def _add_step(self, step: Step, place: ByteRange, *, begins_turn: bool) -> None:
        state, page = self._state, self._page
        author = (step.role, step.agent[:MAX_CHARACTERS], step.model[:MAX_CHARACTERS])
        page.add_piece(
            step, place, state.messages - 1, state.turns, shows_author=begins_turn or author != state.author
        )
        is_prompt = begins_turn and step.role == "user"
        pause = self._pause_before(step) if is_prompt else 0
        outcomes = [call_outcome(part) for part in step.parts]
        page.steps.append(record_of_step(step, outcomes, state.prompts if is_prompt else 0, pause))
        self._add_changes(step, outcomes, begins_turn=begins_turn)
        page.weight += step.weight
        state.author = author
        state.steps += 1
        state.parts += len(step.parts)
        state.weight += step.weight
        state.agent = state.agent or author[1]
        if author[2] and author[2] not in state.models and len(state.models) < MAX_MODELS:
            state.models = [*state.models, author[2]]
        self._spend(step)

    def _add_changes(self, step: Step, outcomes: Sequence[Outcome | None], *, begins_turn: bool) -> None:
        state, page = self._state, self._page
        begins_stretch = begins_turn or (step.piece == 0 and not is_within(step))
        recorded = recorded_files(step, self._directory)
        state.is_recorded = bool(recorded) or (state.is_recorded and not begins_stretch)
        reads_edits = self._reads_all or not state.is_recorded
        calls = list(calls_that_change(step, outcomes, self._session_id, with_edits=reads_edits))
        page.called += [tool.child_id for tool in calls if tool.child_id]
        if begins_stretch:
            page.changes.append(ChangeRecord(STRETCH))
        if step.is_undone:
            page.changes.append(ChangeRecord(UNDONE))
        else:
            page.changes += [*recorded, *called_or_edited(calls, self._directory)]

    def _pause_before(self, step: Step) -> int:
        """How long nothing happened before a prompt; a short pause counts as work of a person."""
        state = self._state
        if not step.at or not state.active_until:
            return 0
        pause = max(0, bounded(step.at) - state.active_until)
        if pause <= MAX_WORKING_PAUSE:
            state.person_milliseconds = bounded(state.person_milliseconds + pause)
        return bounded(pause)

    def _spend(self, step: Step) -> None:
        """Adds what a step took to its turn."""
        state, turn = self._state, self._state.turn
        turn.tokens = added(turn.tokens, counts_of(step.tokens))
        turn.cost += step.cost
        if step.at is not None:
            end = bounded(step.at + (step.milliseconds or 0))
            # As for a turn: the span is that of the ends of its steps.
            turn.start = end if turn.start is None else min(turn.start, end)
            turn.end = end if turn.end is None else max(turn.end, end)
            if step.at:
                state.active_until = max(state.active_until, end)

    def _close_page(self) -> None:
        self.pages.append(self._page.done())
        self._page = _OpenPage(self._encoded_state())

    def _encoded_state(self) -> bytes:
        state = self._state
        state.tokens, state.turn.tokens = bounded_all(state.tokens), bounded_all(state.turn.tokens)
        return encode(state)


class _OpenPage:
    """A page to which steps are added; `before` is the encoded State at its beginning."""

    def __init__(self, before: bytes) -> None:
        self.before = before
        self.weight = 0
        self.messages: list[MessageRecord] = []
        self.steps: list[StepRecord] = []
        self.prompts: list[Prompt] = []
        self.changes: list[ChangeRecord] = []
        self.called: list[str] = []
        self._first_weight = 0

    def is_full(self, weight: int) -> bool:
        """Whether a step of this weight goes on the next page."""
        return bool(self.steps) and (self.weight + weight > PAGE_BYTES or len(self.steps) == PAGE_STEPS)

    def add_piece(self, step: Step, place: ByteRange, number: int, turn: int, *, shows_author: bool) -> None:
        if not self.steps:
            self._first_weight = 0 if step.piece else step.weight
        if not self.messages or self.messages[-1].number != number:
            self.messages.append(
                MessageRecord(
                    id=step.message_id,
                    number=number,
                    place=place,
                    at=bounded(step.at or 0),
                    turn=turn,
                    pieces=(step.piece, step.piece),
                    shows_author=shows_author,
                    is_undone=step.is_undone,
                )
            )
        message = self.messages[-1]
        message.pieces = (message.pieces[0], step.piece)

    def done(self) -> PageRecord:
        return PageRecord(
            before=self.before,
            turn=self.messages[0].turn if self.messages else 0,
            weight=self._first_weight,
            step_count=len(self.steps),
            prompt_count=len(self.prompts),
            messages=encode(self.messages),
            steps=encode(self.steps),
            prompts=encode(self.prompts),
            changes=encode(self.changes),
            called=list(dict.fromkeys(self.called)),
        )


def is_within(step: Step) -> bool:
    """Whether what a step changed is recorded by a message before it, if by any."""
    return step.role == "assistant"
