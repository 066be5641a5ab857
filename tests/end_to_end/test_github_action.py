"""The GitHub action, after a real `opencode run`, without GitHub."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.model import Step, bash, scripted_model
from tests.end_to_end.opencode import Profile, Setup, make_profile, run_once, with_node
from tests.support.paths import ROOT
from tests.support.patience import patience
from tests.support.servers.gunicorn import gunicorn
from tests.support.web import fetch

ACTION = ROOT / "deploy" / "github-action"
# Nothing tells that it is one, but that the workflow has it as a secret.
SECRET = "plain-words-only"
SCRIPT = {"Deploy it": [bash(f"echo {SECRET}"), Step("It is deployed.")]}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with gunicorn(tmp_path_factory.mktemp("service"), WEB_CONCURRENCY="1") as url:
        yield url


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[Profile]:
    with scripted_model(SCRIPT) as model:
        yield make_profile(tmp_path, Setup("", None, model))


def run_action(profile: Profile, inputs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs the step of the action with these inputs, as a runner does."""
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    [step] = action["runs"]["steps"]
    values = {name: inputs.get(name, given.get("default", "")) for name, given in action["inputs"].items()}
    environment = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: values[found[1]], value)
        for name, value in step["env"].items()
    }
    files = {"GITHUB_OUTPUT": profile.home / "output", "GITHUB_STEP_SUMMARY": profile.home / "summary"}
    return subprocess.run(
        ["bash", "-c", step["run"]],
        cwd=profile.project / values["working-directory"],
        env={
            **with_node(profile.environment),
            **environment,
            "GITHUB_ACTION_PATH": str(ACTION),
            **{name: str(path) for name, path in files.items()},
        },
        capture_output=True,
        text=True,
        timeout=patience(120),
    )


def test_it_shares_the_last_run_without_the_secrets_of_the_workflow(profile: Profile, service: str) -> None:
    run_once(profile, "Deploy it")
    ran = run_action(profile, {"server": f"{service}/", "secrets": json.dumps({"DEPLOY": SECRET})})
    assert ran.returncode == 0, ran.stderr
    link, badge = ran.stdout.splitlines()
    assert badge == f"[![OpenCode session]({service}/static/badge.svg)]({link})"
    assert (profile.home / "output").read_text() == f"link={link}\nbadge={badge}\n"
    assert (profile.home / "summary").read_text() == f"{badge}\n"
    assert "given-secret" in ran.stderr

    assert b"It is deployed." in fetch("GET", link)[1]
    _, document = fetch("GET", link.replace("/share/", "/api/share/"))
    assert b"[redacted:given-secret]" in document
    assert SECRET.encode() not in document
    status, picture = fetch("GET", f"{service}/static/badge.svg")
    assert status == 200
    assert picture.startswith(b"<svg ")


def test_it_fails_where_there_is_nothing_to_share(profile: Profile, service: str) -> None:
    ran = run_action(profile, {"server": service, "secrets": "{}"})
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "OpenCode has no session of" in ran.stderr
    assert not (profile.home / "output").exists()


def test_it_fails_without_the_secrets_of_the_workflow(profile: Profile, service: str) -> None:
    run_once(profile, "Deploy it")
    ran = run_action(profile, {"server": service, "secrets": "not JSON"})
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "BETTER_SHARE_SECRETS must be a JSON object" in ran.stderr
