"""What redaction costs in each engine: ordinary text, and texts made to cost much, beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.redaction import redact_items
from benchmarks.processes import MB
from benchmarks.report import Row
from tests.redaction.attacks import attacks
from tests.support.optional import BUN, OPENCODE
from tests.support.paths import ROOT

# Python's own library is the ordinary text.
LIBRARY = Path(os.__file__).parent
HONEST_BYTES = 4 * MB
ATTACK_BYTES = 60_000
# What seems to cost so many times as much as ordinary text is measured again: the least of several figures
# has the least noise.
SUSPICIOUS = 3
ROUNDS = 3
# Of the texts made to cost much every so many are measured in a quick run.
QUICK_STEP = 500
SCRIPT = ROOT / "plugin/bench/attacks.ts"

Attack = tuple[str, str]


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU for ordinary text and for each attack, and the longest pause of an event loop."""

    engine: str
    honest: float
    attacks: Sequence[float]
    pause_ms: float | None


def measure_redaction(*, is_quick: bool) -> list[Row]:
    """A row for each engine that is here: Python, bun, and the bun inside OpenCode."""
    honest = _honest()
    texts = [(name, _repeated(unit)) for name, unit in list(attacks())[:: QUICK_STEP if is_quick else 1]]
    costs = [_in_python(honest, texts)]
    if BUN.is_present():
        costs.append(_in_bun("bun {}", [str(ROOT / "plugin/node_modules/.bin/bun")], {}, honest, texts))
    if OPENCODE.is_present():
        opencode = [str(ROOT / "tests/end_to_end/node_modules/.bin/opencode")]
        costs.append(_in_bun("bun {} in OpenCode", opencode, {"BUN_BE_BUN": "1"}, honest, texts))
    size = sum(map(len, honest))
    return [_row(cost, size, [name for name, _ in texts]) for cost in costs]


def _row(cost: Cost, size: int, names: Sequence[str]) -> Row:
    per_attack = cost.honest / size * ATTACK_BYTES
    worst, name = max(zip(cost.attacks, names, strict=True))
    return {
        "engine": cost.engine,
        "ms_per_mb": cost.honest / size * MB * 1_000,
        "worst": worst / per_attack,
        "over_four": sum(seconds > 4 * per_attack for seconds in cost.attacks),
        "texts": len(names),
        "worst_text": name.replace("\n", "\\n"),
        "pause_ms": cost.pause_ms,
    }


def _honest() -> list[str]:
    texts: list[str] = []
    size = 0
    for path in sorted(LIBRARY.glob("**/*.py")):
        if "site-packages" not in path.parts and size < HONEST_BYTES:
            texts.append(path.read_text(errors="replace"))
            size += len(texts[-1])
    return texts


def _repeated(unit: str) -> str:
    return (unit * (ATTACK_BYTES // len(unit) + 1))[:ATTACK_BYTES]


def _in_python(honest: Sequence[str], texts: Sequence[Attack]) -> Cost:
    _seconds(honest[:40])
    ordinary = _seconds(honest)
    limit = SUSPICIOUS * ordinary / sum(map(len, honest)) * ATTACK_BYTES
    costs = []
    for _, text in texts:
        cost = _seconds([text])
        costs.append(cost if cost < limit else min(cost, *(_seconds([text]) for _ in range(ROUNDS))))
    return Cost(f"Python {sys.version.split()[0]}", ordinary, costs, None)


def _seconds(texts: Sequence[str]) -> float:
    began = time.process_time()
    redact_items(texts)
    return time.process_time() - began


def _in_bun(
    engine: str, command: Sequence[str], env: dict[str, str], honest: Sequence[str], texts: Sequence[Attack]
) -> Cost:
    done = subprocess.run(  # noqa: S603
        [*command, str(SCRIPT)],
        input=json.dumps({"honest": honest, "attacks": texts, "suspicious": SUSPICIOUS, "rounds": ROUNDS}),
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(done.stdout)
    return Cost(engine.format(figures["version"]), figures["honest"], figures["attacks"], figures["pause"])
