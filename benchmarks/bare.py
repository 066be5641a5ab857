"""The yardstick: a Flask app whose one route returns bytes that are there already."""

from __future__ import annotations

import json
import os
from pathlib import Path

from flask import Flask, Response

app = Flask(__name__)
BODY = Path(os.environ["BARE_BODY"]).read_bytes()
HEADERS = json.loads(os.environ["BARE_HEADERS"])


@app.get("/")
def page() -> Response:
    return Response(BODY, headers=HEADERS)
