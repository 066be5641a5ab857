"""The results as tables to read and as JSON to compare."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]
# The rows of each part of a run.
Results = Mapping[str, Sequence[Row]]

# Names of the figures, with their units, as they stand above the columns.
COLUMNS = {
    "size": "size",
    "shape": "shape",
    "store": "store",
    "database": "database",
    "decode_ms": "gunzip, decode ms",
    "cold_first_byte_ms": "cold first byte ms",
    "cold_page_ms": "cold page ms",
    "warm_first_byte_ms": "warm first byte ms",
    "warm_page_ms": "warm page ms",
    "fragments": "frag- ments left",
    "fragment_ms": "frag- ment ms",
    "fragment_again_ms": "frag- ment again ms",
    "html_file_ms": "HTML file ms",
    "search_ms": "search ms",
    "page_wire_kb": "page on wire KB",
    "cpu_ms": "CPU per request ms",
    "bare_cpu_ms": "bare CPU ms",
    "requests_per_second": "pages per s",
    "bare_per_second": "bare pages per s",
    "reserved_ms": "changed page ms",
    "new_step_ms": "new step ms",
    "change_served_s": "change served after s",
    "change_cpu_ms": "CPU per change ms",
    "peak_mb": "worker peak MB",
    "held_mb": "worker after MB",
    "first_paint_ms": "first paint ms",
    "last_turn_ms": "last turn ms",
    "blocking_ms": "block- ing ms",
    "browser_mb": "browser MB",
    "heap_mb": "heap MB",
}
API_COLUMNS = {
    "store": "store",
    "database": "database",
    "presign_per_second": "upload links per s",
    "presign_cpu_ms": "CPU per link ms",
    "bare_cpu_ms": "bare CPU ms",
    "sync_ms": "sync ms",
    "commit_ms": "bare commit ms",
}
PRIVATE_COLUMNS = {
    "audience": "private page for",
    "store": "store",
    "database": "database",
    "cpu_ms": "CPU per request ms",
    "flask_cpu_ms": "public, past the cache of responses ms",
    "public_cpu_ms": "public ms",
    "requests_per_second": "pages per s",
}
HOSTILE_COLUMNS = {
    "document": "hostile session",
    "document_kb": "KB",
    "get": "worst GET, cold pages",
    "repeated": "again, cold pages",
    "page_mb": "largest page MB",
    "cache_mb": "cache beyond 3 x MB",
    "peak_mb": "worker peak MB",
}
REDACTION_COLUMNS = {
    "engine": "redaction in",
    "ms_per_mb": "CPU ms per MB",
    "worst": "worst text, ordinary ones",
    "over_four": "texts over 4 x",
    "texts": "of",
    "pause_ms": "longest pause ms",
    "worst_text": "worst text",
}
GROWTH_COLUMNS = {
    "engine": "growth in",
    "size_mb": "MB",
    "changes": "changes",
    "uploaded": "uploaded, sessions",
    "cpu_ms_per_mb": "CPU ms per MB",
    "pause_ms": "longest pause ms",
    "first_returned_ms": "shared at once: link ms",
    "first_page_ms": "its page ms",
    "first_cpu_ms_per_mb": "its CPU ms per MB",
}
OPENCODE_COLUMNS = {
    "steps": "steps in OpenCode",
    "unshared_s": "CPU s unshared",
    "own_s": "shared by itself",
    "plugin_s": "with the plugin",
}
# The parts of a run, in the order in which they are shown.
PARTS = {
    "sessions": COLUMNS,
    "api": API_COLUMNS,
    "private": PRIVATE_COLUMNS,
    "growth": GROWTH_COLUMNS,
    "opencode": OPENCODE_COLUMNS,
    "hostile": HOSTILE_COLUMNS,
    "redaction": REDACTION_COLUMNS,
}
TARGET_COLUMNS = {
    "target": "target",
    "measured": "measured",
    "limit": "limit",
    "yardstick": "yardstick",
    "reached": "reached",
    "miss": "a miss means",
}
ANSWERS = {True: "yes", False: "no", None: "n/a"}
MISSING = "n/a"


def tables(results: Results, targets: Sequence[Row]) -> str:
    """All figures, and then the targets."""
    checked = [
        {**row, "measured": _with_unit(row["measured"], row["unit"]), "reached": ANSWERS[row["reached"]]}
        for row in targets
    ]
    parts = [*((columns, results[part]) for part, columns in PARTS.items()), (TARGET_COLUMNS, checked)]
    return "\n".join(table(columns, lines) for columns, lines in parts if lines)


def table(columns: Mapping[str, str], rows: Sequence[Row]) -> str:
    """Rows in columns no wider than they must be: the words of a heading stand below each other."""
    headings = [heading.split() for heading in columns.values()]
    height = max(len(words) for words in headings)
    lines = [[""] * (height - len(words)) + words for words in headings]
    cells = [[_shown(row.get(key)) for key in columns] for row in rows]
    grid = [list(line) for line in zip(*lines, strict=True)] + cells
    widths = [max(len(line[column]) for line in grid) for column in range(len(headings))]
    is_text = [all(isinstance(row.get(key), str) for row in rows) for key in columns]

    def line(values: Sequence[str]) -> str:
        placed = zip(values, widths, is_text, strict=True)
        return "  ".join(v.ljust(width) if text else v.rjust(width) for v, width, text in placed).rstrip()

    ruler = "  ".join("-" * width for width in widths)
    return "\n".join([*(line(head) for head in grid[:height]), ruler, *(line(row) for row in cells), ""])


def as_json(results: Results, targets: Sequence[Row]) -> str:
    """The figures, to three digits: more would differ from run to run."""
    return json.dumps(_rounded({**results, "targets": targets}), indent=1) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return _three_digits(value) if isinstance(value, float) else value


def _three_digits(value: float) -> float:
    rounded = float(f"{value:.3g}")
    return int(rounded) if rounded.is_integer() else rounded


def _shown(value: Any) -> str:
    if value is None:
        return MISSING
    return f"{_three_digits(value):,}" if isinstance(value, float) else str(value)


def _with_unit(value: float | None, unit: str) -> str:
    return MISSING if value is None else _shown(float(value)) + unit
