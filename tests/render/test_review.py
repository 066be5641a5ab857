"""Diffs as a reviewer reads them: unchanged lines folded, and both sides beside each other."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from app.render.diff.folding import fold_context
from app.render.diff.html import DiffLine
from app.render.diff.split import split_groups


def lines(kinds: str, first: int = 1) -> list[DiffLine]:
    """Lines of these kinds, each with its number in both files as far as it has one."""
    names = {"=": "context", "-": "removed", "+": "added", "@": "hunk"}
    made, old, new = [], first, first
    for place, kind in enumerate(kinds):
        made.append(
            DiffLine(
                names[kind],  # type: ignore[arg-type]
                old if kind in "=-" else None,
                new if kind in "=+" else None,
                Markup(str(place)),
            )
        )
        old, new = old + (kind in "=-"), new + (kind in "=+")
    return made


def folded(kinds: str, first: int = 1) -> str:
    """The kinds with folded lines in brackets."""
    signs = {"context": "=", "removed": "-", "added": "+", "hunk": "@"}
    pieces = fold_context(lines(kinds, first))
    return "".join(
        f"[{text}]" if piece.is_folded else text
        for piece in pieces
        for text in ["".join(signs[line.kind] for line in piece.lines)]
    )


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("@=======-+=======", "[====]===-+===[====]"),
        ("@======-+======", "======-+======"),
        ("@===+==========-===", "===+===[====]===-==="),
        ("@===+=========-===", "===+=========-==="),
        ("@+++", "+++"),
        ("@" + "=" * 8, "[========]"),
        ("", ""),
    ],
)
def test_unchanged_lines_are_folded_where_nothing_changed_nearby(kinds: str, expected: str) -> None:
    assert folded(kinds) == expected


def test_the_header_of_a_hunk_stays_where_lines_are_missing_before_it() -> None:
    assert folded("@===-===@===-===", first=5) == "@===-===@===-==="
    assert folded("@===-===@===-===") == "===-===@===-==="


def sides(kinds: str) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (group.kind, [tuple(str(side.html) if side else "" for side in row) for row in group.rows])  # type: ignore[misc]
        for group in split_groups(lines(kinds))
    ]


@pytest.mark.parametrize(
    ("kinds", "rows"),
    [
        ("--++", [("0", "2"), ("1", "3")]),
        ("--+", [("0", "2"), ("1", "")]),
        ("-++", [("0", "1"), ("", "2")]),
        ("++", [("", "0"), ("", "1")]),
        ("--", [("0", ""), ("1", "")]),
        ("+-", [("", "0"), ("1", "")]),
        ("-+-+", [("0", "1"), ("2", "3")]),
    ],
)
def test_removed_lines_stand_beside_those_that_replaced_them(kinds: str, rows: list[tuple[str, str]]) -> None:
    assert sides(kinds) == [("change", rows)]


def test_unchanged_lines_are_on_both_sides() -> None:
    assert sides("@=-=") == [
        ("hunk", [("0", "0")]),
        ("context", [("1", "1")]),
        ("change", [("2", "")]),
        ("context", [("3", "3")]),
    ]
