"""When the plugin cannot do its work, sharing fails and nothing leaves the machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.opencode import (
    DEAD_END,
    OpenCode,
    OpenCodeError,
    Setup,
    copy_plugin,
    make_profile,
    opencode,
    through,
)
from tests.end_to_end.proxy import Trap, trap

VENDOR = "opncd.ai:443"
# The line of the plugin before which something goes wrong, and what goes wrong.
BREAKS = {
    "cannot be parsed": ("", "}{\n"),
    "throws while it loads": ("", "throw new Error('on purpose')\n"),
    "throws while it starts": ("const share = tryToStart", "throw new Error('on purpose')\n  "),
}


@pytest.fixture
def server() -> Iterator[Trap]:
    """Listens in place of the user's server."""
    with trap() as listener:
        yield listener


def broken_plugin(folder: Path, how: str) -> Path:
    """The plugin with an error before one of its lines."""
    entry = copy_plugin(folder)
    line, error = BREAKS[how]
    source = entry.read_text()
    assert line in source
    entry.write_text(source.replace(line, error + line, 1))
    return entry


def assert_share_fails(author: OpenCode) -> None:
    session = author.create_session()
    with pytest.raises(OpenCodeError, match="500"):
        author.share(session)


@pytest.mark.parametrize("how", BREAKS)
def test_a_broken_plugin_shares_nothing(tmp_path: Path, outside: Trap, server: Trap, how: str) -> None:
    # The plugin would have taken loopback from the proxy; here nobody does.
    environment = {**through(outside.url), "NO_PROXY": "127.0.0.1"}
    setup = Setup(server.url, broken_plugin(tmp_path, how), environment=environment)
    with opencode(make_profile(tmp_path, setup)) as author:
        assert_share_fails(author)
        assert author.share_server() == DEAD_END
    assert server.caught == []


@pytest.mark.parametrize("url", ["", "share.example.com", "https://share.example.com/?path"])
def test_a_wrong_address_shares_nothing(tmp_path: Path, outside: Trap, server: Trap, url: str) -> None:
    environment = {**through(outside.url), "BETTER_SHARE_BASE_URL": server.url}
    setup = Setup(url, copy_plugin(tmp_path), environment=environment)
    with opencode(make_profile(tmp_path, setup)) as author:
        assert_share_fails(author)
        assert author.share_server() != DEAD_END
    assert server.caught == []


def test_without_the_dead_end_a_broken_plugin_would_share_with_the_vendor(
    tmp_path: Path, outside: Trap, server: Trap
) -> None:
    """The trap works: it catches the request that the tests above do not make."""
    setup = Setup(
        server.url,
        broken_plugin(tmp_path, "cannot be parsed"),
        enterprise=None,
        environment=through(outside.url),
    )
    with opencode(make_profile(tmp_path, setup)) as author:
        assert_share_fails(author)
    assert outside.caught == [f"CONNECT {VENDOR}"]
    outside.caught.clear()
