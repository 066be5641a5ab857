"""The manifests in deploy/kubernetes/, by the schemas of Kubernetes and against image and settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.lib.release import RELEASE
from config import Config, read_config
from tests.support.paths import ROOT

FOLDER = ROOT / "deploy/kubernetes"
VERSIONS = ("1.30", kubernetes_validate.latest_version())
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def manifests() -> Iterator[dict[str, Any]]:
    for name in kustomization()["resources"]:
        yield from yaml.safe_load_all((FOLDER / name).read_text())


def kustomization() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    return found


def pods() -> Iterator[dict[str, Any]]:
    for manifest in manifests():
        spec = manifest.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield spec["template"]["spec"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_follows_the_schema_of_its_kind(version: str) -> None:
    for manifest in manifests():
        kubernetes_validate.validate(manifest, version, strict=True)


def test_every_file_is_part_of_it() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization()["resources"]) == files


def test_what_manifests_name_exists() -> None:
    found = list(manifests())
    names = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in found}
    [deployment] = [manifest for manifest in found if manifest["kind"] == "Deployment"]
    [service] = [manifest for manifest in found if manifest["kind"] == "Service"]
    [budget] = [manifest for manifest in found if manifest["kind"] == "PodDisruptionBudget"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == budget["spec"]["selector"]["matchLabels"] == labels
    text = yaml.safe_dump(found)
    for claim in re.findall(r"claimName: (\S+)", text):
        assert ("PersistentVolumeClaim", claim) in names
    ports = {port["name"] for pod in pods() for each in pod["containers"] for port in each.get("ports", [])}
    assert set(re.findall(r"(?:port|targetPort): ([a-z]+)", text)) <= ports
    [image] = kustomization()["images"]
    assert {container["image"] for pod in pods() for container in pod["containers"]} == {image["name"]}
    assert image["newTag"] == RELEASE


def test_pods_have_no_more_rights_than_the_image_needs() -> None:
    [user] = re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)
    found = list(pods())
    assert len(found) == 3
    for pod in found:
        assert pod["securityContext"]["runAsUser"] == int(user)
        assert pod["automountServiceAccountToken"] is False
        [container] = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"/data", "/tmp"} <= {mount["mountPath"] for mount in container["volumeMounts"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            each["name"] for each in pod["volumes"]
        }


def test_the_settings_start_a_server(tmp_path: Path) -> None:
    [public] = kustomization()["configMapGenerator"]
    [secret] = kustomization()["secretGenerator"]
    lines = [*public["literals"], *(FOLDER / f"{secret['envs'][0]}.example").read_text().split()]
    settings = dict(line.split("=", 1) for line in lines)
    assert set(settings) <= set(Config.__struct_fields__)
    config = read_config({**settings, "DATA_DIR": str(tmp_path)})
    assert (config.TRUSTED_PROXIES, config.METRICS_ENABLED) == (1, True)
    references = {
        (kind, source[kind]["name"])
        for pod in pods()
        for container in pod["containers"]
        for source in container["envFrom"]
        for kind in source
    }
    assert references == {("configMapRef", public["name"]), ("secretRef", secret["name"])}
