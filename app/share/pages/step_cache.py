"""Caches the HTML of steps by their content, so that a growing session is rendered only where it grew."""

from __future__ import annotations

import hashlib

import msgspec
from markupsafe import Markup

from app.opencode import Step
from app.opencode.children import names_child
from app.render import Renderer
from app.services.documents.cache import DocumentCache
from app.services.documents.service import DocumentVersion
from app.share.pages.responses import page_version


class StepCache:
    """Renders the steps of the page `name`, reusing those of an earlier version of the document."""

    def __init__(self, cache: DocumentCache, version: DocumentVersion, name: str, renderer: Renderer) -> None:
        self._cache = cache
        self._version = version
        self._name = f"{page_version()}.{name}"
        self._renderer = renderer
        self._cached = self._load()
        self._used: dict[str, str] = {}

    def render_step(self, step: Step, *, shows_author: bool) -> Markup:
        digest = self._digest(step, shows_author)
        html = self._cached.get(digest)
        if html is None:
            html = str(self._renderer.step(step, shows_author=shows_author))
        else:
            self._renderer.budget.write(len(html))
        self._used[digest] = html
        # Our own renderer made it, now or before.
        return Markup(html)  # noqa: S704

    @property
    def is_complete(self) -> bool:
        """Whether the budget cut nothing short."""
        return not self._renderer.budget.is_cut

    def save(self) -> None:
        """Saves the steps that the page consists of, if they are complete and others than before."""
        if self.is_complete and self._used.keys() != self._cached.keys():
            self._cache.write_steps(self._version.share, self._name, msgspec.json.encode(self._used))

    def _load(self) -> dict[str, str]:
        try:
            steps = self._cache.steps(self._version.share, self._name)
            return msgspec.json.decode(steps, type=dict[str, str]) if steps else {}
        except msgspec.DecodeError:
            return {}

    def _digest(self, step: Step, shows_author: bool) -> str:
        """A hash of everything that the HTML of a step depends on."""
        conversation = self._renderer.conversation
        author = (step.id, step.role, step.at, step.agent, step.model)
        outcome = (step.failure, step.finish, step.milliseconds)
        state = (step.is_summary, step.is_undone, step.first_part, shows_author, conversation.directory)
        digest = hashlib.blake2b(repr((author, outcome, state)).encode(errors="replace"), digest_size=16)
        for part in step.parts:
            encoded = memoryview(part)
            digest.update(len(encoded).to_bytes(8, "big"))
            digest.update(encoded)
            # A call may show the conversation of a sub-agent, which is not in its step.
            if conversation.children and names_child(part, conversation):
                digest.update(self._version.short_id.encode())
        return digest.hexdigest()
