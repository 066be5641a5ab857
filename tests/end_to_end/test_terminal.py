"""The command line of the plugin on a terminal, as a person sees it, and in a pipe."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.opencode import with_node
from tests.support.paths import ROOT

COMMAND = ["node", ROOT / "plugin" / "dist" / "cli.js", "doctor"]
ESCAPE = "\x1b["
RED, YELLOW = "\x1b[31m", "\x1b[33m"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """No server is named, so that one check fails, and the others are skipped."""
    return with_node({"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm-256color"})


def on_terminal(environment: dict[str, str]) -> str:
    """What `doctor` writes to a terminal."""
    ours, terminal = pty.openpty()
    with (
        os.fdopen(ours, "rb", buffering=0) as screen,
        subprocess.Popen(
            COMMAND, env=environment, stdin=terminal, stdout=terminal, stderr=terminal
        ) as process,
    ):
        os.close(terminal)
        seen = b""
        try:
            while piece := screen.read(4096):
                seen += piece
        except OSError:
            # Linux says so that nobody has the terminal open any more.
            pass
        assert process.wait() == 1
    return seen.decode()


def lines(text: str) -> list[str]:
    """The lines without colours."""
    for colour in (RED, YELLOW, "\x1b[39m"):
        text = text.replace(colour, "")
    return text.splitlines()


def test_doctor_colours_its_marks_on_a_terminal_alone(environment: dict[str, str]) -> None:
    in_pipe = subprocess.run(COMMAND, env=environment, capture_output=True, text=True)
    assert ESCAPE not in in_pipe.stdout + in_pipe.stderr
    seen = on_terminal(environment)
    first, *others = seen.splitlines()
    assert first.startswith(f"{RED}failed")
    assert all(line.startswith(f"{YELLOW}skipped") for line in others)
    assert lines(seen) == in_pipe.stdout.splitlines()


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"NO_COLOR": "true"}, {"TERM": "dumb"}])
def test_doctor_uses_no_colours_where_they_are_not_wanted(
    environment: dict[str, str], variable: dict[str, str]
) -> None:
    assert ESCAPE not in on_terminal(environment | variable)
