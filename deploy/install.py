"""Installs what a lock file names into .venv: python3 deploy/install.py requirements.txt

An environment that a Python upgrade or a moved folder broke is made again. If it is as the lock file says,
nothing happens.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import time
import venv
from pathlib import Path

VENV = Path(".venv")
PYTHON = VENV / "bin/python"
# What pip writes when it looks at a package, and when it has all of them.
LOOKED_AT = re.compile(r"(Collecting|Processing|Requirement already satisfied:) ")
INSTALLING = re.compile(r"Installing collected packages")
# Where nobody looks at a terminal, a line so often is enough.
SECONDS_PER_LINE = 10


def main() -> None:
    lock_file = Path(sys.argv[1])
    content = lock_file.read_text()
    stamp = VENV / f"{lock_file.stem}.sha256"
    digest = hashlib.sha256(content.encode()).hexdigest()
    if not is_usable():
        if VENV.exists():
            say(f"{VENV} is of another Python or another folder; making it again\n")
        venv.create(VENV, clear=True, with_pip=True)
    elif stamp.exists() and stamp.read_text() == digest:
        return
    install(lock_file, total=len(re.findall(r"^\S+==", content, re.MULTILINE)))
    stamp.write_text(digest)


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def is_usable() -> bool:
    """Whether the environment's Python finds its packages, and its programs find that Python."""
    try:
        subprocess.run([PYTHON, "-c", "import pip"], check=True, capture_output=True)  # noqa: S603 - ours
        # Of a path that is too long for the first line of a script, the second one tells.
        return f"{VENV.resolve()}/bin/" in "".join((VENV / "bin/pip").read_text().splitlines()[:2])
    except (OSError, subprocess.CalledProcessError):
        return False


def install(lock_file: Path, total: int) -> None:
    command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    command += ["--require-hashes", "--requirement", lock_file]
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    count = 0
    output = []
    show = Progress()
    for line in pip.stdout or ():
        output.append(line)
        if LOOKED_AT.match(line):
            count += 1
            show(f"Installing into {VENV}: {min(count, total)} of {total} packages fetched")
        elif INSTALLING.match(line):
            show(f"Installing into {VENV}: {total} packages fetched, unpacking them", now=True)
    show.end()
    if pip.wait():
        sys.exit("".join(output[-20:]))


class Progress:
    """One line that changes on a terminal, and elsewhere a line now and then."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._shown_at = 0.0

    def __call__(self, text: str, now: bool = False) -> None:
        if self._is_terminal:
            say(f"\r\033[K{text}")
        elif now or time.monotonic() > self._shown_at + SECONDS_PER_LINE:
            self._shown_at = time.monotonic()
            say(f"{text}\n")

    def end(self) -> None:
        if self._is_terminal:
            say("\n")


if __name__ == "__main__":
    main()
