"""A real OpenCode, as a server in a profile of its own, and a small client for it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.end_to_end import model, old_releases
from tests.support.optional import OPENCODE, require
from tests.support.paths import ROOT
from tests.support.patience import patience
from tests.support.servers import free_ports, running
from tests.support.web import fetch, is_healthy

PROGRAM = Path(__file__).parent / "node_modules" / ".bin" / "opencode"
OLDER = Path(__file__).parent / "older" / "node_modules" / "opencode-linux-x64-baseline" / "bin" / "opencode"
# Nothing listens there: what the documentation has people set beside the plugin.
DEAD_END = "http://127.0.0.1:9"
# What OpenCode would fetch by itself, beside what the person at the keyboard asked for.
QUIET = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS", "EXTERNAL_SKILLS", "CLAUDE_CODE")
# Without these, OpenCode downloads the types of its plugin API at every first start.
LOCK = {"lockfileVersion": 3, "packages": {"": {"dependencies": {"@opencode-ai/plugin": "*"}}}}


class OpenCodeError(Exception):
    """OpenCode refused; the text has its status and answer."""


@dataclass(frozen=True)
class Setup:
    """How OpenCode is configured: the plugin (None: none), its options, the model, and what else there is."""

    url: str
    plugin: Path | None
    model: str = DEAD_END
    enterprise: str | None = DEAD_END
    environment: dict[str, str] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """What outlives the process: settings and data in `home`, and the `project` that is worked on."""

    home: Path
    project: Path
    environment: dict[str, str]

    def logs(self) -> str:
        """Everything that OpenCode wrote to its logs."""
        return "".join(path.read_text() for path in self.home.rglob("*.log"))

    def secret(self, session_id: str) -> str:
        """What OpenCode stores as the secret of a shared session."""
        [secret] = self._secrets(session_id)
        return secret

    def is_shared(self, session_id: str) -> bool:
        """Whether OpenCode sends the changes of the session to a share server."""
        return bool(self._secrets(session_id))

    def _secrets(self, session_id: str) -> list[str]:
        # Where releases before 1.2 have it.
        file = self.home / "data" / "opencode" / "storage" / "session_share" / f"{session_id}.json"
        if not (self.home / "data" / "opencode" / "opencode.db").exists():
            return [json.loads(file.read_text())["secret"]] if file.exists() else []
        query = "SELECT secret FROM session_share WHERE session_id = ?"
        with closing(sqlite3.connect(self.home / "data" / "opencode" / "opencode.db")) as database:
            return [str(secret) for [secret] in database.execute(query, [session_id])]


def import_session(profile: Profile, link: str, program: Path = PROGRAM) -> str:
    """What OpenCode says after `opencode import` of a link, in the profile's project."""
    command = [program, "import", link]
    with TemporaryDirectory(prefix="opencode-") as scratch:
        ran = subprocess.run(
            command,
            cwd=profile.project,
            env={**profile.environment, "TMPDIR": scratch},
            capture_output=True,
            text=True,
            timeout=patience(60),
        )
    return ran.stdout + ran.stderr


def copy_plugin(folder: Path) -> Path:
    """The plugin's sources in `folder`, as a checkout without packages has them."""
    rules = folder / "app" / "redaction" / "rules.json"
    rules.parent.mkdir(parents=True)
    shutil.copy(ROOT / "app" / "redaction" / "rules.json", rules)
    return shutil.copytree(ROOT / "plugin" / "src", folder / "plugin" / "src") / "index.ts"


def make_profile(folder: Path, setup: Setup) -> Profile:
    """A profile in `folder`, apart from that of whoever runs the tests."""
    require(OPENCODE)
    home, project = folder / "home", folder / "project"
    settings = home / "config" / "opencode"
    (settings / "node_modules").mkdir(parents=True)
    (settings / "package-lock.json").write_text(json.dumps(LOCK))
    (settings / "opencode.json").write_text(json.dumps(_config(setup)))
    _make_project(project)
    isolated = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        **{f"XDG_{kind.upper()}_HOME": str(home / kind) for kind in ("config", "data", "state", "cache")},
        **{f"OPENCODE_DISABLE_{what}": "1" for what in QUIET},
    }
    return Profile(home, project, isolated | setup.environment)


def through(proxy: str) -> dict[str, str]:
    """The environment that sends every request through a proxy."""
    return {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "http_proxy": proxy, "https_proxy": proxy}


@contextmanager
def opencode(profile: Profile, program: Path = PROGRAM) -> Iterator[OpenCode]:
    """A running OpenCode; the next one on the same profile goes on where this one ends."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [program, "serve", "--hostname", "127.0.0.1", "--port", str(port), "--print-logs"]
    if old_releases.is_old(program):
        old_releases.prepare(profile.home, program)
    # Only an answer counts: a connection made while OpenCode begins to listen may stay without one.
    ready = partial(is_healthy, url + ("/config" if old_releases.is_old(program) else "/global/health"))
    # At each start OpenCode unpacks a library into its temporary folder and leaves it there.
    with TemporaryDirectory(prefix="opencode-") as scratch:
        environment = {**profile.environment, "TMPDIR": scratch}
        with running(
            command, profile.home / f"{port}.log", ready, cwd=profile.project, env=environment
        ) as process:
            yield OpenCode(url, process.pid)


def run_once(profile: Profile, *arguments: str) -> str:
    """What `opencode run` with these arguments prints, with its complaints at the end."""
    with TemporaryDirectory(prefix="opencode-") as scratch:
        done = subprocess.run(
            [PROGRAM, "run", *arguments],
            cwd=profile.project,
            env={**profile.environment, "TMPDIR": scratch},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience(120),
            check=True,
        )
    return done.stdout + done.stderr


def with_node(environment: dict[str, str]) -> dict[str, str]:
    """The environment with the Node.js of the development packages, which reads SQLite."""
    return {**environment, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"}


@dataclass(frozen=True)
class OpenCode:
    """What the tests ask of OpenCode's API, and the id of its process."""

    url: str
    pid: int

    def create_session(self) -> str:
        session = self._call("POST", "/session", {})
        return str(session["id"])

    def prompt(self, session_id: str, text: str) -> None:
        """Returns when the answer is complete."""
        self._call("POST", f"/session/{session_id}/message", {"parts": [{"type": "text", "text": text}]})

    def share(self, session_id: str) -> str:
        """The link."""
        return str(self._call("POST", f"/session/{session_id}/share")["share"]["url"])

    def abort(self, session_id: str) -> None:
        """Stops the answer that is being given."""
        self._call("POST", f"/session/{session_id}/abort")

    def undo(self, session_id: str, message_id: str) -> None:
        """Undoes a message and all after it."""
        self._call("POST", f"/session/{session_id}/revert", {"messageID": message_id})

    def redo(self, session_id: str) -> None:
        """Restores what was undone."""
        self._call("POST", f"/session/{session_id}/unrevert", {})

    def session(self, session_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._call("GET", f"/session/{session_id}")
        return found

    def messages(self, session_id: str) -> list[dict[str, Any]]:
        """Every message, `{info, parts}`."""
        found: list[dict[str, Any]] = self._call("GET", f"/session/{session_id}/message")
        return found

    def unshare(self, session_id: str) -> None:
        self._call("DELETE", f"/session/{session_id}/share")

    def delete_session(self, session_id: str) -> None:
        self._call("DELETE", f"/session/{session_id}")

    def share_server(self) -> str | None:
        """Where OpenCode sends its share calls; None for its vendor's server."""
        url: str | None = self._call("GET", "/config").get("enterprise", {}).get("url")
        return url

    def quit(self) -> None:
        """What OpenCode does before it exits by itself."""
        self._call("POST", "/global/dispose")

    def _call(self, method: str, path: str, body: object = None) -> Any:
        status, answer = fetch(method, self.url + path, body)
        if status != 200:
            raise OpenCodeError(f"{method} {path}: {status} {answer.decode()}")
        return json.loads(answer)


def _config(setup: Setup) -> dict[str, object]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": setup.model, "apiKey": "none"},
        "models": {model.NAME: {"reasoning": True, "tool_call": True}},
    }
    return {
        "model": f"test/{model.NAME}",
        "small_model": f"test/{model.NAME}",
        "enabled_providers": ["test"],
        "provider": {"test": provider},
        "permission": "allow",
        "lsp": False,
        "formatter": False,
        "plugin": [[setup.plugin.as_uri(), {"url": setup.url, **setup.options}]] if setup.plugin else [],
        "enterprise": {"url": setup.enterprise} if setup.enterprise else {},
        **setup.settings,
    }


def _make_project(folder: Path) -> None:
    folder.mkdir()
    (folder / "names.txt").write_text("Ada\nGrace\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    for words in (["init", "--quiet"], ["add", "."], [*author, "commit", "--quiet", "--message", "Begin"]):
        subprocess.run(["git", *words], cwd=folder, env=environment, check=True)
