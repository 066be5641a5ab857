"""Texts without the codes that colour them in a terminal, which may stand in the middle of a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.redaction.finding import Finding

_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Unstyled:
    """`plain` is the text without its codes."""

    def __init__(self, text: str) -> None:
        pieces: list[str] = []
        # Where each code stood in the plain text, and the length of all codes up to it.
        self._codes: list[tuple[int, int]] = []
        position = size = length = 0
        for code in _STYLE.finditer(text):
            pieces.append(text[position : code.start()])
            size += code.start() - position
            length += len(code.group())
            position = code.end()
            self._codes.append((size, length))
        self.plain = "".join([*pieces, text[position:]])

    def styled(self, findings: Iterable[Finding]) -> list[Finding]:
        """Findings in the plain text, in their order, as findings in the text."""
        result: list[Finding] = []
        code = skipped = 0
        for finding in findings:
            places: list[int] = []
            for index in (finding.start, finding.end - 1):
                while code < len(self._codes) and self._codes[code][0] <= index:
                    skipped = self._codes[code][1]
                    code += 1
                places.append(index + skipped)
            result.append(Finding(places[0], places[1] + 1, finding.kind))
        return result
