from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.end_to_end.proxy import Trap, trap


@pytest.fixture
def outside() -> Iterator[Trap]:
    """A proxy for every host but loopback; the test fails if a request reaches it and stays in `caught`."""
    with trap() as proxy:
        yield proxy
    assert proxy.caught == []
