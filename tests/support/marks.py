"""Marks that choose the databases and limits of a module's tests."""

from __future__ import annotations

import pytest

on_both_databases = pytest.mark.usefixtures("each_database")
on_sqlite = pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("each_database", ["postgresql"], indirect=True)
without_rate_limits = pytest.mark.settings(RATELIMIT_ENABLED="false")
