"""The plugin and the server do the same with texts that nobody has thought of."""

from __future__ import annotations

import os

from tests.redaction.engines import by_plugin, by_server
from tests.redaction.mixtures import mixtures

# `MIXTURES=10000 SEED=7 pytest tests/redaction/test_mixtures.py` tries more, and others.
COUNT = int(os.environ.get("MIXTURES", "800"))
SEED = int(os.environ.get("SEED", "0"))


def test_both_engines_do_the_same_with_random_mixtures() -> None:
    texts = mixtures(SEED, COUNT)
    by_both = zip(texts, by_server(texts), by_plugin(texts), strict=True)
    differing = [(text, one, other) for text, one, other in by_both if one != other]
    assert differing == []
