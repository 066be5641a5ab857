"""The alerts for Prometheus and the dashboard for Grafana, against what a server exports."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.optional import PROMTOOL, require
from tests.support.paths import ROOT
from tests.support.servers.gunicorn import gunicorn

ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
DASHBOARD = ROOT / "deploy/grafana/better-share.json"
# What the client library derives from a histogram and a counter.
SERIES = re.compile(r"\b(better_share_\w+)")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a server with a few requests behind it answers to Prometheus."""
    with gunicorn(tmp_path_factory.mktemp("data"), METRICS_ENABLED="true") as address:
        for path in ("/healthz", "/metrics", "/metrics"):
            with urllib.request.urlopen(address + path) as answer:
                text: str = answer.read().decode()
    return text


def queries_of_dashboard() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def queries_of_alerts() -> Iterator[str]:
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


def promtool(*words: str, stdin: str = "") -> None:
    require(PROMTOOL)
    ran = subprocess.run(["promtool", *words], input=stdin, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("queries", [queries_of_dashboard, queries_of_alerts])
def test_every_series_that_is_asked_for_is_exported(exported: str, queries: Any) -> None:
    there = set(re.findall(r"^(better_share_\w+)[ {]", exported, re.MULTILINE))
    asked = {name for query in queries() for name in SERIES.findall(query)}
    assert len(asked) > 10
    assert asked <= there


def test_every_label_that_is_asked_for_is_exported(exported: str) -> None:
    there = {"instance", "job", *re.findall(r'[{,](\w+)="', exported)}
    for query in (*queries_of_dashboard(), *queries_of_alerts()):
        asked = re.findall(r"[{,](\w+)=", query)
        for group in re.findall(r"\bby \(([^)]*)\)", query):
            asked += group.split(", ")
        assert set(asked) <= there, query


def test_every_metric_is_described(exported: str) -> None:
    page = (ROOT / "docs/monitoring.md").read_text()
    for name in re.findall(r"^# TYPE better_share_(\w+) ", exported, re.MULTILINE):
        assert re.search(rf"`{name}[`{{]", page), name


def test_the_exposition_follows_the_conventions(exported: str) -> None:
    promtool("check", "metrics", stdin=exported)


def test_alerts_are_raised_by_what_they_name() -> None:
    promtool("check", "rules", str(ALERTS))
    promtool("test", "rules", str(Path(__file__).with_name("alerts.test.yaml")))


def test_the_queries_of_the_dashboard_are_valid(tmp_path: Path) -> None:
    rules = [
        {"record": f"query_{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(queries_of_dashboard())
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(file))
