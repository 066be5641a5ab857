"""The README's walk-through, typed as it stands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.servers.gunicorn import environment, gunicorn
from tests.support.walkthrough import require_programs


def test_the_walk_through_works_as_written(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    [script] = [block for block in re.findall(r"```sh\n(.*?)```", readme, re.DOTALL) if "presign" in block]
    require_programs(script)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    with gunicorn(tmp_path) as address:
        script = script.replace("http://127.0.0.1:8000", address)
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=environment({}),
            capture_output=True,
            text=True,
        )
    assert ran.returncode == 0, ran.stderr
    uploaded, link, title, deleted, status = ran.stdout.splitlines()
    assert uploaded == '{"ok":true}'
    assert link.startswith(f"{address}/share/walkthru")
    assert "Add per-client rate limiting to the order API" in title
    assert deleted == '{"ok":true}'
    assert status == "404"
    assert not list(tmp_path.glob("s*.json"))
