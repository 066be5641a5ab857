"""The parts of a machine that some tests need and that may be missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import features

from tests.support.paths import ROOT, TESTS
from tests.support.servers.chromium import CHROMIUM

NGINX_MODULES = Path("/etc/nginx/modules-enabled")
SBIN_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


@dataclass(frozen=True)
class Part:
    """A program or a library; it counts as present only if all that tests use of it is there."""

    name: str
    how_to_install: str
    is_present: Callable[[], bool]

    @property
    def reason(self) -> str:
        return f"{self.name}: {self.how_to_install}"


def _has_nginx() -> bool:
    has_brotli = any(NGINX_MODULES.glob("*brotli*"))
    return bool(shutil.which("nginx", path=SBIN_PATH) and shutil.which("openssl") and has_brotli)


CHROMIUM_BROWSER = Part("Chromium", "apt-get install chromium", lambda: bool(shutil.which(CHROMIUM)))
CURL = Part("curl", "apt-get install curl", lambda: bool(shutil.which("curl")))
FRIBIDI = Part("FriBiDi", "apt-get install libfribidi0", lambda: features.check("fribidi"))
NGINX = Part("nginx with Brotli", "apt-get install nginx libnginx-mod-http-brotli-filter openssl", _has_nginx)
PROMTOOL = Part("promtool", "apt-get install prometheus", lambda: bool(shutil.which("promtool")))
REDIS = Part("Redis", "apt-get install redis-server", lambda: bool(shutil.which("redis-server")))
ROOT_USER = Part("root", "run the tests as root", lambda: os.geteuid() == 0)
SYSTEMD = Part("systemd", "apt-get install systemd", lambda: bool(shutil.which("systemd-analyze")))
AXE = Part("axe-core", "npm ci in tests/browser", (TESTS / "browser/node_modules/axe-core").exists)
BUN = Part("bun", "npm ci in plugin", (ROOT / "plugin/node_modules/.bin/bun").exists)
COMMONMARK_SPEC = Part(
    "CommonMark's specification",
    "npm ci in tests/render",
    (TESTS / "render/node_modules/commonmark-spec").exists,
)
OPENCODE = Part(
    "OpenCode", "npm ci in tests/end_to_end", (TESTS / "end_to_end/node_modules/.bin/opencode").exists
)
OLDER_OPENCODE = Part(
    "OpenCode 1.2 for Linux on x64",
    "npm ci in tests/end_to_end/older",
    (TESTS / "end_to_end/older/node_modules/opencode-linux-x64-baseline").exists,
)


def require(part: Part) -> None:
    """Skips the test if a part is missing; in CI, where everything must be there, fails it."""
    if part.is_present():
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing {part.reason}")
    pytest.skip(part.reason)
