"""Releases of OpenCode that would download something before they answer a prompt, and can do without."""

from __future__ import annotations

import json
from pathlib import Path

# Which version of their cache they write; they empty one of another version.
CACHE_VERSIONS = {"1.0.185": "14", "1.1.34": "18"}
# They wait for a list of models, and for ripgrep to list the files of the project.
MODELS = {"opencode": {"id": "opencode", "name": "OpenCode", "env": [], "models": {}}}
RIPGREP = "#!/bin/sh\nexec find . -type f -not -path './.git/*'\n"


def is_old(program: Path) -> bool:
    """Whether it is one of these releases, by the folder that it is installed in."""
    return _release(program) in CACHE_VERSIONS


def prepare(home: Path, program: Path) -> None:
    """Puts into a profile what an old release would download, and removes the setting that it refuses."""
    cache = home / "cache" / "opencode"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "version").write_text(CACHE_VERSIONS[_release(program)])
    (cache / "models.json").write_text(json.dumps(MODELS))
    ripgrep = home / "data" / "opencode" / "bin" / "rg"
    ripgrep.parent.mkdir(parents=True, exist_ok=True)
    ripgrep.write_text(RIPGREP)
    ripgrep.chmod(0o755)
    file = home / "config" / "opencode" / "opencode.json"
    settings = json.loads(file.read_text())
    settings.pop("permission", None)
    file.write_text(json.dumps(settings))


def _release(program: Path) -> str:
    return program.parents[3].name
