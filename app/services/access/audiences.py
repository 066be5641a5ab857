"""Which audiences a server offers, and who reads a share whose author did not say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from app.db.models import LINK
from config import Audience


@dataclass(frozen=True)
class Audiences:
    """The rule of a server: `default` where the author did not say, and the `choices` of those who do."""

    default: Audience = LINK
    choices: Collection[Audience] = (LINK,)

    def of(self, requested: Audience | None) -> Audience:
        """Who reads a share whose author asked for `requested`, maybe under another rule.

        No share is for more readers than the rule allows, and none is for more than its author wanted.
        """
        audience = requested or self.default
        return self.default if audience == LINK and LINK not in self.choices else audience
