"""Texts without what may stand in the middle of a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.redaction.scanner import Finding

# Colours and the like, character sets, and the ends of links; also in the code of a program or of JSON.
_STYLE = re.compile(
    r"(?:\x1b|\\{1,3}(?:u001[bB]|x1[bB]|033|e))\[[0-9;:?]*[A-Za-z]"
    r"|\x1b(?:[()][A-Z0-9]|[78=>]|\]8;;(?:\x07|\x1b\\))"
)
_STYLE_HINTS = ("\x1b", "\\u001b[", "\\u001B[", "\\x1b[", "\\x1B[", "\\033[", "\\e[")
# The end of a full line of base64, which is never shorter.
_WRAP = re.compile(
    r"(?:\n(?<=[A-Za-z0-9+/]{60}\n)|\r\n(?<=[A-Za-z0-9+/]{60}\r\n)|\\n(?<=[A-Za-z0-9+/]{60}\\n))"
    r"[ \t]*(?=[A-Za-z0-9+/=])"
)


class StrippedText:
    """`plain` is the text without what matches `pattern`."""

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        pieces: list[str] = []
        # Where each match stood in the plain text, and the length of all matches up to it.
        self._matches: list[tuple[int, int]] = []
        position = size = length = 0
        for match in pattern.finditer(text):
            pieces.append(text[position : match.start()])
            size += match.start() - position
            length += len(match.group())
            position = match.end()
            self._matches.append((size, length))
        self.plain = "".join([*pieces, text[position:]])

    def restored(self, findings: Iterable[Finding]) -> list[Finding]:
        """Findings in the plain text, in their order, as findings in the text."""
        result: list[Finding] = []
        match = skipped = 0
        for finding in findings:
            places: list[int] = []
            for index in (finding.start, finding.end - 1):
                while match < len(self._matches) and self._matches[match][0] <= index:
                    skipped = self._matches[match][1]
                    match += 1
                places.append(index + skipped)
            result.append(Finding(places[0], places[1] + 1, finding.kind))
        return result


def without_ansi(text: str) -> StrippedText | None:
    """Without the codes that a terminal does not show; None for a text that has none."""
    return StrippedText(text, _STYLE) if any(hint in text for hint in _STYLE_HINTS) else None


def unwrapped(text: str) -> StrippedText | None:
    """With each base64 in one line; None for a text that has none in several."""
    return StrippedText(text, _WRAP) if _WRAP.search(text) else None
