"""People who share sessions, follow them, delete them or forget them."""

from __future__ import annotations

import heapq
import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from random import Random

TIMEOUT_SECONDS = 30
ATTEMPTS = 5
RETRY_SECONDS = 0.5
# How many changes a session has, at least and at most, and how many characters come with each.
CHANGES = (10, 40)
TEXT_CHARACTERS = 6_000
# Of a hundred sessions that end, so many are deleted; the others expire.
DELETED_PERCENT = 60


class Client:
    """Asks one server after the other, as a load balancer would; `problems` counts unexpected answers."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses
        self._turn = count()
        self.requests: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()

    def ask(self, method: str, path: str, body: object = None, *, expected: int) -> bytes:
        """The body of an answer; one with another status is a problem, and empty."""
        data = None if body is None else json.dumps(body).encode()
        first = next(self._turn)
        for attempt in range(ATTEMPTS):
            address = self._addresses[(first + attempt) % len(self._addresses)]
            request = urllib.request.Request(address + path, data, method=method)  # noqa: S310
            request.add_header("Content-Type", "application/json")
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                    status, content = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                status, content = error.code, error.read()
            except OSError:
                # A server that restarts; the next attempt is for the other one.
                if attempt + 1 < ATTEMPTS:
                    time.sleep(RETRY_SECONDS * attempt)
                    continue
                status, content = 0, b""
            break
        self.requests[method] += 1
        if status != expected:
            self.problems[f"{method} was answered {status} instead of {expected}"] += 1
            return b""
        return content


class Session:
    """One session that is shared, changed and followed until it ends; `step` is what happens next."""

    def __init__(self, client: Client, random: Random, number: int) -> None:
        self._client = client
        self._random = random
        self._id = f"ses_{number:024d}"
        self._changes = random.randint(*CHANGES)
        self._change = 0
        answer = json.loads(client.ask("POST", "/api/share", {"sessionID": self._id}, expected=200))
        self._share, self._secret = answer["id"], answer["secret"]
        self._sync({"type": "session", "data": {"id": self._id, "title": f"Session {number}"}})

    @property
    def has_ended(self) -> bool:
        return self._change >= self._changes

    @staticmethod
    def longest_seconds(interval: float) -> float:
        """How long a session lives at most, with a change every `interval` seconds."""
        return CHANGES[1] * interval

    def step(self) -> None:
        """A change, and a reader who sees it; or the end."""
        self._change += 1
        if self.has_ended:
            self._end()
            return
        words = f"change {self._change} of {self._id}"
        message = {"id": f"msg_{self._change:06}", "sessionID": self._id, "role": "assistant"}
        part = {"id": f"prt_{self._change:06}", "sessionID": self._id, "messageID": message["id"]}
        text = f"{words}\n\n{self._random.randbytes(TEXT_CHARACTERS // 2).hex()}"
        self._sync(
            {"type": "message", "data": message},
            {"type": "part", "data": {**part, "type": "text", "text": text}},
        )
        self._client.ask("GET", f"/share/{self._share}", expected=200)
        document = self._client.ask("GET", f"/api/share/{self._share}", expected=200)
        if document and words.encode() not in document:
            self._client.problems["A reader did not see the last change"] += 1

    def _end(self) -> None:
        if self._random.randrange(100) < DELETED_PERCENT:
            body = {"secret": self._secret}
            self._client.ask("DELETE", f"/api/share/{self._share}", body, expected=200)
            for _ in range(2):
                self._client.ask("GET", f"/share/{self._share}", expected=404)

    def _sync(self, *items: dict[str, object]) -> None:
        body = {"secret": self._secret, "data": items}
        self._client.ask("POST", f"/api/share/{self._share}/sync", body, expected=200)


class People:
    """Keeps `sessions` sessions alive, each with a change every `seconds`, in some threads."""

    def __init__(self, client: Client, sessions: int, seconds: float, threads: int) -> None:
        self._client = client
        self._seconds = seconds
        self._random = Random(1)  # noqa: S311 - no secret
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        start = time.monotonic()
        self._due: list[tuple[float, int, Session | None]] = [
            (start + seconds * number / sessions, -number, None) for number in range(sessions)
        ]
        self._threads = [threading.Thread(target=self._work) for _ in range(threads)]
        self.late_seconds = 0.0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._is_over.is_set():
            with self._lock:
                due_at, number, session = heapq.heappop(self._due)
            self._is_over.wait(max(0, due_at - time.monotonic()))
            if self._is_over.is_set():
                return
            self.late_seconds = max(self.late_seconds, time.monotonic() - due_at)
            session = self._try(lambda session=session: self._next(session))
            with self._lock:
                heapq.heappush(self._due, (time.monotonic() + self._seconds, number, session))

    def _next(self, session: Session | None) -> Session | None:
        if session is None:
            with self._lock:
                number, random = next(self._numbers), Random(self._random.random())  # noqa: S311
            return Session(self._client, random, number)
        session.step()
        return None if session.has_ended else session

    def _try(self, work: Callable[[], Session | None]) -> Session | None:
        try:
            return work()
        except Exception as error:
            self._client.problems[f"{type(error).__name__}: {error}"[:100]] += 1
            return None
