"""What a worker remembers: within its bytes, the most recent first, and nothing of a share that ended."""

from __future__ import annotations

import threading

from app.http.recent import Recent


def test_what_was_used_longest_ago_goes_first() -> None:
    recent: Recent[str, str] = Recent(max_bytes=250)
    for key in "abc":
        recent.put("life", key, key, 100)
        recent.get("a")
    assert [recent.get(key) for key in "abc"] == ["a", None, "c"]


def test_a_value_that_is_replaced_counts_once() -> None:
    recent: Recent[str, str] = Recent(max_bytes=250)
    for _ in range(5):
        recent.put("life", "a", "a", 100)
    recent.put("life", "b", "b", 100)
    assert recent.get("a") == "a"


def test_a_value_that_is_too_large_is_not_kept() -> None:
    recent: Recent[str, str] = Recent(max_bytes=250)
    recent.put("life", "a", "a", 251)
    assert recent.get("a") is None
    recent.put("life", "b", "b", 250)
    assert recent.get("b") == "b"


def test_a_life_is_forgotten_with_all_of_it() -> None:
    recent: Recent[str, str] = Recent(max_bytes=300)
    for key, life in (("a", "one"), ("b", "two"), ("c", "one")):
        recent.put(life, key, key, 100)
    recent.forget("one")
    assert recent.lives() == {"two"}
    assert [recent.get(key) for key in "abc"] == [None, "b", None]
    recent.put("one", "d", "d", 200)
    assert recent.lives() == {"one", "two"}


def test_threads_do_not_disturb_each_other() -> None:
    recent: Recent[int, int] = Recent(max_bytes=50)
    failures: list[BaseException] = []

    def use(seed: int) -> None:
        try:
            for number in range(3_000):
                recent.put(f"life{number % 7}", (number * seed) % 97, number, 1)
                recent.get(number % 97)
                if number % 50 == 0:
                    recent.forget(f"life{number % 7}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=use, args=[seed]) for seed in (1, 3, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(recent) <= 50
