"""The two that apply the rules: the plugin, in bun, and the server."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from app.redaction import redact_items
from tests.support import optional
from tests.support.paths import ROOT

PLUGIN = ROOT / "plugin"
BUN = PLUGIN / "node_modules" / ".bin" / "bun"


def by_plugin(items: list[Any]) -> list[Any]:
    """What the plugin makes of each text, or other item, by itself."""
    optional.require(optional.BUN)
    command = [BUN, PLUGIN / "test" / "support" / "redact.ts"]
    done = subprocess.run(command, input=json.dumps(items), capture_output=True, text=True, check=True)
    redacted: list[Any] = json.loads(done.stdout)
    return redacted


def by_server(items: list[Any]) -> list[Any]:
    """What the server makes of each."""
    return [redact_items([item])[0][0] for item in items]
