"""The blueprint itself."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("share", __name__)
