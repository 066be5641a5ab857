"""Removes secrets from texts, by the same rules as the plugin; plain functions over data.

    redacted, count = redact_items(batch)

For sessions that OpenCode sends by itself, without the plugin: the server then is the first that can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from app.redaction.data_urls import attachment_in
from app.redaction.heuristics import looks_like_password, looks_random
from app.redaction.json_strings import Text, texts_of, with_texts
from app.redaction.known_secrets import KnownSecrets
from app.redaction.rules import PASSWORD_NAME
from app.redaction.scanner import Finding, find, merge_overlaps
from app.redaction.stripped_text import without_ansi
from app.redaction.variants import variants

__all__ = ["redact_items", "redact_text"]

# A batch may have any number of secrets; more than these are removed only where they were found.
MAX_KNOWN = 2_000


def redact_items(items: Sequence[Any]) -> tuple[list[Any], int]:
    """JSON values, like the items of a sync batch, without secrets, and the number of markers set.

    A secret found in one of them is removed from all. What is redacted already stays as it is. RecursionError
    where one is nested some hundred levels deep.
    """
    texts = list(dict.fromkeys(text for item in items for text in texts_of(item)))
    known: dict[str, str] = {}
    masked = {text: _masked(text, known) for text in texts}
    needles = KnownSecrets(known)
    redacted = {text: _without(masked[text], needles) for text in texts}
    count = 0

    def exchange(text: Text) -> str:
        nonlocal count
        result = redacted[text]
        count += result.count("[redacted:") - text.text.count("[redacted:")
        return result

    return [with_texts(item, exchange) for item in items], count


def redact_text(text: str) -> str:
    """One text without its secrets."""
    [redacted], _ = redact_items([text])
    return str(redacted)


def _masked(text: Text, known: dict[str, str]) -> str:
    """A text without what the rules find in it; what can be recognised elsewhere becomes known."""
    attachment = attachment_in(text.text)
    if attachment:
        if attachment.text is None:
            return text.text
        inside = _masked(Text(attachment.text), known)
        return text.text if inside == attachment.text else attachment.with_text(inside)
    styles = without_ansi(text.text)
    plain = styles.plain if styles else text.text
    findings = _find_named(text.name, plain) if text.name else find(plain)
    for finding in findings:
        for value in variants(plain[finding.start : finding.end]):
            if len(known) < MAX_KNOWN:
                known.setdefault(value, finding.kind)
    return _replaced(text.text, styles.restored(findings) if styles else findings)


def _find_named(name: str, text: str) -> list[Finding]:
    """As the rules would find it in a file: the name of a field tells what its value is."""
    head = f'"{name}": "'
    clipped = [
        Finding(max(0, start - len(head)), min(len(text), end - len(head)), kind)
        for start, end, kind in find(f'{head}{text}"')
        if start < len(head) + len(text) and end > len(head)
    ]
    is_secret = (looks_like_password if PASSWORD_NAME.search(name.lower()) else looks_random)(text)
    if is_secret and not re.search(r"[ \t\r\n]", text):
        return merge_overlaps([*clipped, Finding(0, len(text), "secret")])
    return clipped


def _without(text: str, needles: KnownSecrets) -> str:
    """The text without known secrets, also inside of attached text."""
    attachment = attachment_in(text)
    if attachment:
        if attachment.text is None:
            return text
        inside = _without(attachment.text, needles)
        return text if inside == attachment.text else attachment.with_text(inside)
    styles = without_ansi(text)
    findings = needles.search(styles.plain if styles else text)
    return _replaced(text, styles.restored(findings) if styles else findings)


def _replaced(text: str, findings: Iterable[Finding]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end, kind in findings:
        pieces += (text[position:start], f"[redacted:{kind}]")
        position = end
    return "".join([*pieces, text[position:]])
