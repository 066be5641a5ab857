"""Removes secrets from JSON values, by the same rules as the plugin.

    redacted, count = redact_items(batch)

Used for sessions that OpenCode sends without the plugin, whose secrets were not removed on the sender's
machine.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from app.redaction.data_urls import attachment_in
from app.redaction.finding import Finding, merge_overlaps
from app.redaction.heuristics import passes
from app.redaction.json_strings import Text, texts_of, with_texts
from app.redaction.known_secrets import KnownSecrets
from app.redaction.names import role_of
from app.redaction.scanner import SCANNER, Scanner
from app.redaction.stripped_text import without_ansi
from app.redaction.utf16 import from_units, to_units
from app.redaction.variants import variants

__all__ = ["redact_items", "redact_text"]

# The secrets of a batch that are searched in all of its texts; any more are removed only where a rule
# matched.
MAX_KNOWN = 2_000

_MARKER = re.compile(r"\[redacted:[a-z0-9-]+\]")


def redact_items(items: Sequence[Any], scanner: Scanner = SCANNER) -> tuple[list[Any], int]:
    """Return the items, JSON values, without secrets, and the number of `[redacted:kind]` markers added.

    A secret that a rule finds in one item is removed from all of them. Redacting twice changes nothing.
    Raises RecursionError for a value nested some hundred levels deep.
    """
    texts = list(dict.fromkeys(text for item in items for text in texts_of(item)))
    known: dict[str, str] = {}
    masked = {text: _masked(text, known, scanner) for text in texts}
    needles = KnownSecrets(known)
    redacted = {text: _without(masked[text], needles) for text in texts}
    count = 0

    def redacted_text(text: Text) -> str:
        nonlocal count
        result = redacted[text]
        count += result.count("[redacted:") - text.text.count("[redacted:")
        return result

    return [with_texts(item, redacted_text) for item in items], count


def redact_text(text: str) -> str:
    """Return `text` without its secrets."""
    [redacted], _ = redact_items([text])
    return str(redacted)


def _masked(text: Text, known: dict[str, str], scanner: Scanner) -> str:
    """Return the text without what the rules match, and add what can be recognised elsewhere to `known`."""
    attachment = attachment_in(text.text)
    if attachment:
        if attachment.text is None:
            return text.text
        inside = _masked_text(attachment.text, "", known, scanner)
        return text.text if inside == attachment.text else attachment.with_text(inside)
    return _masked_text(*text, known, scanner)


def _masked_text(text: str, name: str, known: dict[str, str], scanner: Scanner) -> str:
    text = to_units(text)
    styles = without_ansi(text)
    plain = styles.plain if styles else text
    findings = _find_named(name, plain, scanner) if name else scanner.find(plain)
    for finding in findings:
        for value in variants(plain[finding.start : finding.end]):
            if len(known) < MAX_KNOWN:
                known.setdefault(value, finding.kind)
    return from_units(_replaced(text, styles.restored(findings) if styles else findings))


def _find_named(name: str, text: str, scanner: Scanner) -> list[Finding]:
    """Search the value of a secret field with its name before it, as it would stand in a file."""
    head = f'"{name}": "'
    clipped = [
        Finding(max(0, start - len(head)), min(len(text), end - len(head)), kind)
        for start, end, kind in scanner.find(f'{head}{text}"')
        if start < len(head) + len(text) and end > len(head)
    ]
    role = role_of(name)
    if role and passes(role.check, text) and not re.search(r"[ \t\r\n]", text):
        return merge_overlaps([*clipped, Finding(0, len(text), "secret")])
    return clipped


def _without(text: str, needles: KnownSecrets) -> str:
    """Return the text without known secrets; the text of `data:` URLs is searched too."""
    attachment = attachment_in(text)
    if attachment:
        if attachment.text is None:
            return text
        inside = _without_known(attachment.text, needles)
        return text if inside == attachment.text else attachment.with_text(inside)
    return _without_known(text, needles)


def _without_known(text: str, needles: KnownSecrets) -> str:
    text = to_units(text)
    styles = without_ansi(text)
    findings = needles.search(styles.plain if styles else text)
    if styles:
        findings = styles.restored(findings)
    return from_units(_replaced(text, _outside_markers(text, findings)))


def _outside_markers(text: str, findings: Sequence[Finding]) -> Sequence[Finding]:
    """Leave out what is part of a marker: the words in it may be a secret elsewhere."""
    markers = [match.span() for match in _MARKER.finditer(text)] if findings else []
    ends = [end for _, end in markers]

    def is_outside(finding: Finding) -> bool:
        index = bisect_right(ends, finding.start)
        return index == len(markers) or markers[index][0] >= finding.end

    return list(filter(is_outside, findings))


def _replaced(text: str, findings: Iterable[Finding]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end, kind in findings:
        pieces += (text[position:start], f"[redacted:{kind}]")
        position = end
    return "".join([*pieces, text[position:]])
