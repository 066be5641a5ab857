"""Caches the HTML of steps by their content, so that a growing session is rendered only where it grew."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec
from markupsafe import Markup

from app.opencode import Step
from app.opencode.children import names_child
from app.opencode.paging.pages import PageTurn
from app.render import Renderer
from app.render.activity import Activity, Outcome, activity_of_step, outcome_of_step
from app.services.documents.cache import DocumentCache
from app.services.documents.service import DocumentVersion
from app.share.pages.responses import page_version

# How a todo list begins in the HTML, in which the texts of a session are escaped.
TODOS = '<details class="block tool completed todos"'


class RenderedStep(msgspec.Struct, frozen=True):
    """The HTML of a step, what came of it, and what it did if there is nothing else to see in it."""

    html: str
    outcome: Outcome
    activity: Activity | None = None


@dataclass(frozen=True)
class RenderedTurn:
    """The steps of a turn that are on a page, and what came of them."""

    html: Markup
    outcome: Outcome


class StepCache:
    """Renders the steps of the page `name`, reusing those of an earlier version of the document."""

    def __init__(self, cache: DocumentCache, version: DocumentVersion, name: str, renderer: Renderer) -> None:
        self._cache = cache
        self._version = version
        self._name = f"{page_version()}.{name}"
        self._renderer = renderer
        self._cached = self._load()
        self._used: dict[str, RenderedStep] = {}

    def render_turn(self, turn: PageTurn) -> RenderedTurn:
        """The steps of a turn that are on the page, in runs; the last todo list is open."""
        began_at = None if turn.is_continued else turn.steps[0].step.at
        html, outcome = Markup(), Outcome()
        steps: list[tuple[Markup, Activity | None]] = []
        rendered = _with_open_todos([self._render(each.step) for each in turn.steps])
        for each, step in zip(turn.steps, rendered, strict=True):
            if each.shows_author:
                html += self._renderer.join(steps) + self._renderer.author(each.step, began_at)
                steps = []
            # Our own renderer made it, now or before.
            steps.append((Markup(step.html), step.activity))  # noqa: S704
            outcome += step.outcome
        return RenderedTurn(html + self._renderer.join(steps), outcome)

    @property
    def is_complete(self) -> bool:
        """Whether the budget cut nothing short."""
        return not self._renderer.budget.is_cut

    def save(self) -> None:
        """Saves the steps that the page consists of, if they are complete and others than before."""
        if self.is_complete and self._used.keys() != self._cached.keys():
            self._cache.pages.write_steps(self._version.share, self._name, msgspec.json.encode(self._used))

    def _render(self, step: Step) -> RenderedStep:
        digest = self._digest(step)
        rendered = self._cached.get(digest)
        if rendered is None:
            html = str(self._renderer.step(step))
            rendered = RenderedStep(
                html, outcome_of_step(step, self._renderer.conversation.directory), activity_of_step(step)
            )
        else:
            self._renderer.budget.write(len(rendered.html))
        self._used[digest] = rendered
        return rendered

    def _load(self) -> dict[str, RenderedStep]:
        try:
            steps = self._cache.pages.read_steps(self._version.share, self._name)
            return msgspec.json.decode(steps, type=dict[str, RenderedStep]) if steps else {}
        except msgspec.DecodeError:
            return {}

    def _digest(self, step: Step) -> str:
        """A hash of everything that the HTML of a step depends on."""
        conversation = self._renderer.conversation
        author = (step.id, step.role)
        outcome = (step.failure, step.finish, step.milliseconds)
        state = (step.is_summary, step.is_undone, step.first_part, conversation.directory)
        digest = hashlib.blake2b(repr((author, outcome, state)).encode(errors="replace"), digest_size=16)
        for part in step.parts:
            encoded = memoryview(part)
            digest.update(len(encoded).to_bytes(8, "big"))
            digest.update(encoded)
            # A call may show the conversation of a sub-agent, which is not in its step.
            if conversation.children and names_child(part, conversation):
                digest.update(self._version.short_id.encode())
        return digest.hexdigest()


def _with_open_todos(steps: list[RenderedStep]) -> list[RenderedStep]:
    """The steps of a turn, the last of their todo lists being open."""
    for place in reversed(range(len(steps))):
        before, todos, after = steps[place].html.rpartition(TODOS)
        if todos:
            opened = msgspec.structs.replace(steps[place], html=f"{before}{todos} open{after}")
            return [*steps[:place], opened, *steps[place + 1 :]]
    return steps
