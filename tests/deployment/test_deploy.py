"""What is in deploy/, as far as it can be tried without the machine that it is for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from config import Config, read_config
from tests.support.optional import SYSTEMD, require
from tests.support.paths import ROOT
from tests.support.servers.gunicorn import PROGRAMS

# Of 100; what systemd calls "OK" ends at 45.
HIGHEST_EXPOSURE = 20


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, as for a checkout that is here."""
    require(SYSTEMD)
    path = tmp_path / "better-share.service"
    text = (ROOT / "deploy/better-share.service").read_text()
    path.write_text(text.replace("/opt/better-share", str(ROOT)))
    return path


def test_systemd_understands_the_unit(unit: Path) -> None:
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_unit_keeps_the_service_to_itself(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={HIGHEST_EXPOSURE}", unit]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@pytest.fixture
def compose() -> dict[str, dict]:
    return yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]


def test_the_settings_of_compose_start_a_server(compose: dict[str, dict], tmp_path: Path) -> None:
    secrets = {"HOST": "share.example.com", "DATABASE_PASSWORD": "abc", "S3_SECRET": "def"}
    settings = {
        name: re.sub(r"\$\{(\w+):\?\}", lambda found: secrets[found[1]], value)
        for name, value in compose["app"]["environment"].items()
    }
    assert set(settings) <= set(Config.__struct_fields__)
    config = read_config({**settings, "DATA_DIR": str(tmp_path)})
    assert config.BASE_URL == config.S3_PRESIGN_ENDPOINT == "https://share.example.com"
    assert config.TRUSTED_PROXIES == 1
    assert "location /" + config.S3_BUCKET + "/" in (ROOT / "deploy/nginx-s3.conf").read_text()
    assert "proxy_pass " + config.S3_ENDPOINT in (ROOT / "deploy/nginx-s3.conf").read_text()


def test_the_app_of_compose_reaches_a_bucket_elsewhere(compose: dict[str, dict]) -> None:
    networks = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["networks"]
    assert any(not (networks[name] or {}).get("internal") for name in compose["app"]["networks"])


@pytest.mark.parametrize(
    "environ", [{}, {"BASE_URL": "https://share.example.com", "TRUSTED_PROXIES": "1"}], ids=["here", "public"]
)
def test_the_settings_of_compose_without_other_services_start_a_server(
    environ: dict[str, str], tmp_path: Path
) -> None:
    services = yaml.safe_load((ROOT / "deploy/compose.sqlite.yaml").read_text())["services"]
    assert list(services) == ["app"]
    settings = {
        name: re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: environ.get(found[1], found[2]), value)
        for name, value in services["app"]["environment"].items()
    }
    config = read_config({**settings, "DATA_DIR": str(tmp_path)})
    assert config.DATABASE_URL.startswith("sqlite")
    assert environ.get("BASE_URL", "http://127.0.0.1:8000") == config.BASE_URL
    # Without a proxy whose headers are trusted, nobody but this machine may connect.
    assert services["app"]["ports"] == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.compose-spec", "deploy/compose.yaml"),
        ("vendor.compose-spec", "deploy/compose.sqlite.yaml"),
        ("vendor.github-workflows", ".github/workflows/image.yaml"),
    ],
)
def test_files_for_other_programs_follow_their_schemas(schema: str, file: str) -> None:
    command = [PROGRAMS / "check-jsonschema", "--builtin-schema", schema, ROOT / file]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_compose_mounts_is_there_and_only_nginx_is_open(compose: dict[str, dict]) -> None:
    assert [name for name, service in compose.items() if "ports" in service] == ["nginx"]
    for volume in compose["nginx"]["volumes"]:
        source = volume.split(":")[0]
        if source.startswith("./") and source != "./tls":
            assert (ROOT / "deploy" / source).exists()
