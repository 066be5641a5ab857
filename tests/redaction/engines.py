"""The two that apply the rules: the plugin, in bun, and the server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from app.redaction import redact_text
from tests.servers import missing

PLUGIN = Path(__file__).parents[2] / "plugin"
BUN = PLUGIN / "node_modules" / ".bin" / "bun"


def by_plugin(texts: list[str]) -> list[str]:
    """What the plugin makes of each text."""
    if not BUN.exists():
        missing("bun (npm ci in plugin)")
    command = [BUN, PLUGIN / "test" / "support" / "redact.ts"]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    redacted: list[str] = json.loads(done.stdout)
    return redacted


def by_server(texts: list[str]) -> list[str]:
    """What the server makes of each text."""
    return [redact_text(text) for text in texts]
