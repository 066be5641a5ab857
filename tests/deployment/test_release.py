"""The number of the release, wherever it stands."""

from __future__ import annotations

import re
import tomllib

import yaml

from app.lib.release import RELEASE
from tests.support.paths import ROOT


def test_every_file_names_the_same_release() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    kustomization = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text())
    [image] = kustomization["images"]
    assert project["version"] == image["newTag"] == RELEASE


def test_the_newest_release_has_its_changes_and_its_upgrade_described() -> None:
    changes = re.findall(
        r"^## \[(\S+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    upgrades = re.findall(r"^## To (\S+)$", (ROOT / "docs/upgrading.md").read_text(), re.MULTILINE)
    assert changes[0] == upgrades[0] == RELEASE
