"""Jinja filters: numbers, times and names as pages show them."""

from __future__ import annotations

from datetime import UTC, datetime

from app.opencode.model import Tokens

MAX_LABEL = 300


def duration(milliseconds: int | None) -> str:
    """`850 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`; nothing when unknown or negative."""
    if milliseconds is None or milliseconds < 0:
        return ""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds_left = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {seconds_left} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(milliseconds: int | None) -> str:
    """An epoch time as `2026-11-22 10:30 UTC`; nothing when unknown or beyond the calendar."""
    return _format(milliseconds, "%Y-%m-%d %H:%M UTC")


def machine_time(milliseconds: int | None) -> str:
    """An epoch time for the `datetime` attribute of `<time>`."""
    return _format(milliseconds, "%Y-%m-%dT%H:%M:%SZ")


def day(time: datetime | None) -> str:
    """A time as `2026-11-22`, in UTC; nothing without one."""
    return f"{time.astimezone(UTC):%Y-%m-%d}" if time else ""


def size(amount: int) -> str:
    """An amount of bytes or characters: `812 B`, `3.4 kB`, `1.2 MB`."""
    if amount < 1000:
        return f"{amount} B"
    if amount < 1_000_000:
        return f"{amount / 1000:.1f} kB"
    return f"{amount / 1_000_000:.1f} MB"


def money(dollars: float) -> str:
    return f"${dollars:.2f}" if dollars >= 0.01 or dollars == 0 else f"${dollars:.4f}"


def count(amount: int) -> str:
    return f"{amount:,}"


def tokens(amounts: Tokens) -> str:
    """`1.2 M tokens in, 97 % cached, 8,120 out`; tokens of reasoning are among those that came out."""
    cached = f", {amounts.cached_percent} % cached" if amounts.cached_percent else ""
    return f"{_rounded(amounts.all_input)} tokens in{cached}, {_rounded(amounts.output)} out"


def _rounded(amount: int) -> str:
    return f"{amount / 1_000_000:,.1f} M" if amount >= 1_000_000 else count(amount)


def plural(amount: int, noun: str, nouns: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{amount:,} {noun if amount == 1 else nouns or noun + 's'}"


def words(text: str) -> int:
    return len(text.split())


def visible(text: str) -> str:
    """Control characters replaced by their symbols (U+2400 and following)."""
    return text.translate(CONTROL_PICTURES)


def short(text: str, length: int = MAX_LABEL) -> str:
    """`text` as visible characters, at most `length` of them."""
    return visible(text if len(text) <= length else text[:length] + "…")


CONTROL_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}


def _format(milliseconds: int | None, pattern: str) -> str:
    if milliseconds is None:
        return ""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime(pattern)
    except (ValueError, OverflowError, OSError):
        return ""


FILTERS = {
    "count": count,
    "day": day,
    "duration": duration,
    "machine_time": machine_time,
    "moment": moment,
    "money": money,
    "plural": plural,
    "short": short,
    "size": size,
    "tokens": tokens,
    "words": words,
}
