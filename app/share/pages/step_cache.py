"""The HTML of steps by what they were made from, so that a growing session is rendered only where it grew."""

from __future__ import annotations

import hashlib

import msgspec
from markupsafe import Markup

from app.opencode import Step
from app.render import Renderer
from app.services.documents.cache import Cache
from app.services.documents.service import Edition
from app.share.pages.responses import made_by

# The calls whose form holds something from outside their step: a sub-agent's conversation.
DELEGATING = (b'"task"', b'"subagent"')


class KeptSteps:
    """Renders the steps of the page `name`, taking those that an earlier edition had on it from `cache`."""

    def __init__(self, cache: Cache, edition: Edition, name: str, renderer: Renderer) -> None:
        self._cache = cache
        self._edition = edition
        self._file = f"steps.{made_by()}.{name}"
        self._renderer = renderer
        self._kept = self._load()
        self._used: dict[str, str] = {}

    def step(self, step: Step, *, shows_who: bool) -> Markup:
        """The HTML of a step."""
        digest = self._digest(step, shows_who)
        html = self._kept.get(digest)
        if html is None:
            html = str(self._renderer.step(step, shows_who=shows_who))
        self._used[digest] = html
        # Our own renderer made it, now or before.
        return Markup(html)  # noqa: S704

    @property
    def is_complete(self) -> bool:
        """Whether nothing was cut short by a timer."""
        return not self._renderer.budget.timed_out

    def save(self) -> None:
        """Keeps what the page is made of, if it is worth it."""
        if self.is_complete and self._used.keys() != self._kept.keys():
            self._cache.put(self._edition.life.name, self._file, msgspec.json.encode(self._used))

    def _load(self) -> dict[str, str]:
        try:
            kept = self._cache.get(self._edition.life.name, self._file)
            return msgspec.json.decode(kept, type=dict[str, str]) if kept else {}
        except msgspec.DecodeError:
            return {}

    def _digest(self, step: Step, shows_who: bool) -> str:
        conversation = self._renderer.conversation
        told = (step.id, step.role, step.at, step.agent, step.model)
        ended = (step.failure, step.finish, step.milliseconds)
        shown = (step.is_summary, step.is_undone, step.first_part, shows_who, conversation.directory)
        facts = (told, ended, shown)
        digest = hashlib.blake2b(repr(facts).encode(errors="replace"), digest_size=16)
        for part in step.parts:
            encoded = memoryview(part)
            digest.update(len(encoded).to_bytes(8, "big"))
            digest.update(encoded)
            if conversation.children and any(needle in bytes(encoded) for needle in DELEGATING):
                digest.update(self._edition.version.encode())
        return digest.hexdigest()
