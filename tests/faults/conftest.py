from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers.faults import HttpProxy, http_proxy


@pytest.fixture
def bucket_proxy(empty_bucket: dict[str, str]) -> Iterator[HttpProxy]:
    """A proxy in front of an empty bucket."""
    with http_proxy(empty_bucket["S3_ENDPOINT"]) as proxy:
        yield proxy


@pytest.fixture
def proxied_bucket(empty_bucket: dict[str, str], bucket_proxy: HttpProxy) -> dict[str, str]:
    """The settings of a server that reaches its bucket through the proxy."""
    return {**empty_bucket, "S3_ENDPOINT": bucket_proxy.url}
