"""Removes what may interrupt a secret, terminal codes and line breaks, and maps findings back."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.redaction.finding import Finding
from app.redaction.words import Word

# ANSI escapes: CSI sequences, also escaped in source code or JSON, character sets, and the end of a
# hyperlink.
_STYLE = re.compile(
    r"(?:(?:\x1b|\\{1,3}(?:u001[bB]|x1[bB]|033|e))\[[0-9;:?]*[A-Za-z]"
    r"|\x1b(?:[()][A-Z0-9]|[78=>]|\]8;;(?:\x07|\x1b\\))){1,1000}"
)
_STYLE_HINTS = ("\x1b", "\\u001b[", "\\u001B[", "\\x1b[", "\\x1B[", "\\033[", "\\e[")
# The line break after a full line of base64; PEM and MIME lines have 64 or 76 characters, OpenSSH 70.
_WRAP = re.compile(r"(?:\r?\n|\\n)[ \t]*(?=[A-Za-z0-9+/=])")
_LINE_LENGTH = 60
_LINE = re.compile(f"[A-Za-z0-9+/]{{{_LINE_LENGTH}}}")


class StrippedText:
    """A text without some matches, which are given in order, as `plain`."""

    def __init__(self, text: str, matches: Iterable[re.Match[str]]) -> None:
        pieces: list[str] = []
        # For each match its offset in the plain text, and the length of all matches up to it.
        self._matches: list[tuple[int, int]] = []
        position = size = length = 0
        for match in matches:
            pieces.append(text[position : match.start()])
            size += match.start() - position
            length += len(match.group())
            position = match.end()
            self._matches.append((size, length))
        self.plain = "".join([*pieces, text[position:]])

    def restored(self, findings: Iterable[Finding]) -> list[Finding]:
        """Map findings in the plain text, given in order, to findings in the original text."""
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
    """Remove ANSI escapes; None if the text has none."""
    has_styles = any(hint in text for hint in _STYLE_HINTS)
    return StrippedText(text, _STYLE.finditer(text)) if has_styles else None


def unwrapped(text: str, words: Iterable[Word]) -> StrippedText | None:
    """Remove the line breaks inside base64, which follow some of the long words; None if there are none."""
    lines = (word for word in words if word.end - word.start >= _LINE_LENGTH)
    ends = (word.end for word in lines if _LINE.match(text, word.end - _LINE_LENGTH))
    wraps = [wrap for end in ends if (wrap := _WRAP.match(text, end))]
    return StrippedText(text, wraps) if wraps else None
