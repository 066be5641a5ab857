"""Damage to the files of the cache, after a power cut or on a bad disk, is never shown to a reader."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.services.container import services
from tests.conftest import running_app
from tests.support.client import share, share_unchecked
from tests.support.marks import without_rate_limits
from tests.support.recorded import document, document_bytes

pytestmark = without_rate_limits

NAME = "rate-limit-feature"
SHARE = "/share/GhIjKlMn"
MESSAGE = document(NAME)["messages"][-1]["info"]["id"]
ROUTES = [
    SHARE,
    f"{SHARE}?fragment=1&page=1",
    f"{SHARE}/m/{MESSAGE}",
    f"{SHARE}/changes",
    f"{SHARE}/changes/1",
    f"{SHARE}.md",
    f"{SHARE}.json",
    "/api/share/GhIjKlMn",
    "/api/share/GhIjKlMn/data",
]


def cut_short(content: bytes) -> bytes:
    return content[: len(content) // 2]


def emptied(content: bytes) -> bytes:
    return b""


def zeroed(content: bytes) -> bytes:
    return bytes(len(content))


def zeroed_at_the_end(content: bytes) -> bytes:
    half = len(content) // 2
    return content[:half] + bytes(len(content) - half)


def grown(content: bytes) -> bytes:
    return content + b"{}"


def flipped_at(fraction: float) -> Callable[[bytes], bytes]:
    def flip(content: bytes) -> bytes:
        at = min(int(len(content) * fraction), len(content) - 1)
        return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]

    return flip


DAMAGES = {
    "cut short": cut_short,
    "emptied": emptied,
    "zeroed": zeroed,
    "zeroed at the end": zeroed_at_the_end,
    "grown": grown,
    **{
        f"flipped at {percent} %": flipped_at(percent / 100)
        for percent in (0, 3, 20, 35, 50, 65, 80, 97, 100)
    },
}


@contextmanager
def restarted(settings: dict[str, str]) -> Iterator[FlaskClient]:
    """A client of a process that has nothing in memory."""
    with running_app(settings) as app:
        yield app.test_client()


def answers(client: FlaskClient) -> dict[str, tuple[int, bytes]]:
    found = {}
    for route in ROUTES:
        response = client.get(route)
        found[route] = (response.status_code, response.data)
    return found


def cached_files(settings: dict[str, str]) -> list[Path]:
    return sorted(path for path in Path(settings["DATA_DIR"], "cache").rglob("*") if path.is_file())


def damage_files(settings: dict[str, str], damage: Callable[[bytes], bytes]) -> int:
    """Damages every file in place, with the times that it had. Returns how many were changed."""
    count = 0
    for path in cached_files(settings):
        content, stat = path.read_bytes(), path.stat()
        if content:
            path.write_bytes(damage(content))
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
            count += 1
    return count


@pytest.fixture
def expected(settings: dict[str, str]) -> dict[str, tuple[int, bytes]]:
    """What each route answers with a cache that is whole, which is filled by asking twice."""
    with restarted(settings) as client:
        share(client, document_bytes(NAME))
        answers(client)
        expected = answers(client)
    assert {status for status, _ in expected.values()} == {200}
    return expected


@pytest.mark.parametrize("kind", DAMAGES)
def test_every_route_answers_as_if_nothing_were_damaged(
    settings: dict[str, str], expected: dict[str, tuple[int, bytes]], kind: str
) -> None:
    assert damage_files(settings, DAMAGES[kind]) >= 6
    with restarted(settings) as client:
        assert answers(client) == expected
        assert answers(client) == expected


@pytest.mark.parametrize("suffix", [".messages", ".index", ".stored", "version", "row"])
def test_damage_to_one_file_is_made_good_by_the_first_request(
    settings: dict[str, str], expected: dict[str, tuple[int, bytes]], suffix: str
) -> None:
    whole = {path: path.read_bytes() for path in cached_files(settings)}
    [damaged] = [path for path in whole if path.name.endswith(suffix)]
    for kind, damage in DAMAGES.items():
        for path, content in whole.items():
            path.write_bytes(damage(content) if path == damaged else content)
        for route in ROUTES:
            with restarted(settings) as client:
                response = client.get(route)
                assert (response.status_code, response.data) == expected[route], (kind, route)


def test_files_of_another_share_are_not_taken_for_its_own(
    settings: dict[str, str], expected: dict[str, tuple[int, bytes]]
) -> None:
    messages = next(path for path in cached_files(settings) if path.name.endswith(".messages"))
    messages.write_bytes(messages.read_bytes()[::-1])
    with restarted(settings) as client:
        assert answers(client) == expected


def test_damages_are_counted(settings: dict[str, str], expected: dict[str, tuple[int, bytes]]) -> None:
    damage_files(settings, cut_short)
    counted: list[None] = []
    with restarted(settings) as client:
        with client.application.app_context():
            cache = services().documents._cache
        cache._files.on_damage = lambda: counted.append(None)
        client.get(SHARE)
    assert counted


def test_a_damaged_note_that_a_document_cannot_be_read_is_made_again(
    settings: dict[str, str],
) -> None:
    with restarted(settings) as client:
        share_unchecked(client, b'{"messages": 5}')
        refused = client.get(SHARE)
        assert refused.status_code == 422
    for damage in DAMAGES.values():
        damage_files(settings, damage)
        with restarted(settings) as client:
            for _ in range(2):
                response = client.get(SHARE)
                assert (response.status_code, response.data) == (422, refused.data)
