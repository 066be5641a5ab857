"""Renders what people and models said to each other, for files that must not contain the rest."""

from __future__ import annotations

from collections.abc import Sequence

from app.opencode.model import Block, File, Step, Text
from app.render.renderer import Renderer
from app.render.text.thoughts import Passage


class ConversationRenderer(Renderer):
    """A Renderer of prompts, answers and their files alone: no calls, no thoughts, nothing of OpenCode's."""

    def shown_blocks(self, step: Step) -> Sequence[Block]:
        return [
            block
            for block in step.blocks
            if isinstance(block, File) or (isinstance(block, Text) and not block.synthetic)
        ]

    def passages(self, text: str) -> list[Passage]:
        return [passage for passage in super().passages(text) if not passage.is_thought]
