"""The benchmark runs, its sessions are what they are said to be, and it judges its own figures rightly."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.opencode import DocumentHeader, merge_batches, read_conversation
from benchmarks.day import report as day
from benchmarks.hostile import QUICK_STEP
from benchmarks.report import (
    API_COLUMNS,
    COLUMNS,
    GROWTH_COLUMNS,
    HOSTILE_COLUMNS,
    OPENCODE_COLUMNS,
    PARTS,
    PRIVATE_COLUMNS,
    Results,
    as_json,
    tables,
)
from benchmarks.sessions import (
    LAST_WORDS,
    NEW_WORDS,
    SHAPES,
    Shape,
    as_snapshot,
    grow,
    session_id_of,
    write_session,
)
from benchmarks.targets import (
    GROWTH_TARGETS,
    HOSTILE_TARGETS,
    OPENCODE_TARGETS,
    PRIVATE_TARGETS,
    REDACTION_TARGETS,
    TARGETS,
    check_targets,
)
from tests.support import hostile
from tests.support.paths import ROOT

WORDS = ("size", "shape", "store", "database")
# A short session leaves nothing for later.
OF_FRAGMENTS = ("fragment_ms", "fragment_again_ms")
OF_BROWSERS = ("first_paint_ms", "last_turn_ms", "blocking_ms", "browser_mb", "heap_mb")
NOTHING: Results = {part: [] for part in PARTS}
KINDS = [(size, shape) for size in (60_000, 1_500_000) for shape in SHAPES]


def test_it_measures_every_column_it_promises(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    options = ["--sizes", "60K", "--quick", "--without-servers", "--without-browser", "--results", results]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *options], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads(results.read_text())
    assert [row["shape"] for row in measured["sessions"]] == list(SHAPES)
    for row in measured["sessions"]:
        left_out = (*WORDS, *OF_BROWSERS, *(OF_FRAGMENTS if row["fragments"] == 0 else ()))
        assert [name for name in COLUMNS if name not in left_out and not is_number(row[name])] == []
    for row in measured["api"]:
        assert [name for name in API_COLUMNS if name not in WORDS and not is_number(row[name])] == []
    assert [row["audience"] for row in measured["private"]] == ["members", "password"]
    for row in measured["private"]:
        left_out = ("audience", *WORDS)
        assert [name for name in PRIVATE_COLUMNS if name not in left_out and not is_number(row[name])] == []
    for row in measured["growth"]:
        assert [name for name in GROWTH_COLUMNS if name != "engine" and not is_number(row[name])] == []
        assert row["uploaded"] < 2
    for row in measured["opencode"]:
        assert [name for name in OPENCODE_COLUMNS if not is_number(row[name])] == []
    assert [row["document"] for row in measured["hostile"]] == list(hostile.DOCUMENTS)[::QUICK_STEP]
    for row in measured["hostile"]:
        assert [name for name in HOSTILE_COLUMNS if name != "document" and not is_number(row[name])] == []
    assert measured["redaction"][0]["engine"].startswith("Python ")
    for row in measured["redaction"]:
        assert is_number(row["ms_per_mb"])
        assert 1 < row["worst"] < 100
        assert is_number(row["pause_ms"]) or row["engine"].startswith("Python ")
    judged = (*TARGETS, *PRIVATE_TARGETS, *GROWTH_TARGETS, *OPENCODE_TARGETS)
    judged += (*HOSTILE_TARGETS, *REDACTION_TARGETS)
    assert [target["target"] for target in measured["targets"]] == [target.name for target in judged]
    assert all(target["target"] in done.stdout for target in measured["targets"])


def is_number(value: object) -> bool:
    return isinstance(value, int | float)


def test_a_day_ends_with_a_table_and_without_wrong_answers() -> None:
    options = ["--seconds", "12", "--sessions", "4", "--interval", "0.5"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.day", *options], cwd=ROOT, capture_output=True, text=True
    )
    lines = done.stdout.splitlines()
    assert [row.split(" ")[1] for row in lines if row.startswith("| ")][1:] == list(day.COLUMNS), done.stderr
    assert len(re.findall("^ ?[0-9]+ h: ", done.stderr, re.MULTILINE)) == 24
    assert not [row for row in lines if "answered" in row or "Error" in row or "did not see" in row]


def test_what_a_day_piles_up_is_named() -> None:
    samples = [dict.fromkeys(day.COLUMNS, 10.0) | {"files": 10.0 + hour} for hour in range(24)]
    assert day.misses(samples, max_cache_bytes=10) == ["files grew from 19 to 32"]
    assert day.misses(samples, max_cache_bytes=9)[1:] == ["the cache was larger than 0 MB"]


@pytest.mark.parametrize(("size", "shape"), KINDS)
def test_a_session_has_its_size_and_its_shape(tmp_path: Path, size: int, shape: Shape) -> None:
    session = write_session(tmp_path / "session.json", size, shape)
    document = session.path.read_bytes()
    assert len(document) == session.size == pytest.approx(size, rel=0.02)
    conversation = read_conversation(document)
    assert len(conversation.turns) == session.prompts
    assert (len(conversation.turns) == 1) == (shape == "prompt")
    ids = [step.message_id for step in conversation.steps]
    assert len(set(ids)) == session.messages
    assert ids == sorted(ids)
    assert ids[-1] == session.last_id
    assert conversation.steps[-1].blocks[-1].text.endswith(LAST_WORDS)


def test_the_same_seed_makes_the_same_session(tmp_path: Path) -> None:
    first, again, other = (
        write_session(tmp_path / str(number), 60_000, "turns", seed).path.read_bytes()
        for number, seed in enumerate((1, 1, 2))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("shape", SHAPES)
def test_a_grown_session_has_one_step_more(tmp_path: Path, shape: Shape) -> None:
    session = write_session(tmp_path / "before.json", 60_000, shape)
    document, growth = session.path.read_bytes(), grow(session)
    header = DocumentHeader("benchmark", session_id_of(document), 1, 2, 2)
    grown = b"".join(merge_batches(as_snapshot(document, 1), [growth.changes], header))
    before, after = map(read_conversation, (document, grown))
    assert [step.id for step in after.steps] == [*(step.id for step in before.steps), growth.new_id]
    assert len(after.turns) == len(before.turns)
    assert after.steps[-1].blocks[-1].text.endswith(NEW_WORDS)


def test_a_snapshot_is_the_first_of_its_share(tmp_path: Path) -> None:
    session = write_session(tmp_path / "session.json", 60_000, "turns")
    snapshot = json.loads(as_snapshot(session.path.read_bytes(), 1_700_000_000_000))
    assert (snapshot["createdAt"], snapshot["revision"]) == (1_700_000_000_000, 1)


def test_the_worst_of_several_figures_counts() -> None:
    rows = [
        row(cold_page_ms=100.0, decode_ms=100.0, store="S3"),
        row(cold_page_ms=401.0, decode_ms=100.0, store="S3", shape="prompt"),
    ]
    target = checked(rows, "cold page, 15 MB, S3")
    assert (target["measured"], target["reached"]) == (4.01, False)


def test_a_ratio_compares_the_same_shape_in_the_same_surroundings() -> None:
    rows = [
        row(size="60K", warm_first_byte_ms=2.0),
        row(size="60K", warm_first_byte_ms=4.0, shape="prompt"),
        row(size="100M", warm_first_byte_ms=3.0),
        row(size="100M", warm_first_byte_ms=4.0, shape="prompt"),
    ]
    target = checked(rows, "warm first byte, 100 MB")
    assert (target["measured"], target["reached"]) == (1.5, True)


def test_a_target_that_a_least_is_set_for_is_missed_below_it() -> None:
    rows = [row(requests_per_second=59.0, bare_per_second=100.0)]
    target = checked(rows, "warm page, 15 MB, SQLite")
    assert (target["measured"], target["reached"]) == (pytest.approx(59), False)


def test_what_was_not_measured_is_said_to_be_missing() -> None:
    targets = check_targets(NOTHING)
    assert {target["reached"] for target in targets} == {None}
    results = {**NOTHING, "sessions": [row()]}
    assert tables(results, targets).count("n/a") > len(targets)
    json.loads(as_json(results, targets))


def row(**figures: Any) -> dict[str, Any]:
    return {"size": "15M", "shape": "turns", "store": "disk", "database": "SQLite", **figures}


def checked(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    [target] = [target for target in check_targets({**NOTHING, "sessions": rows}) if target["target"] == name]
    return target
