"""People who share sessions, follow them, and delete them or let them expire."""

from __future__ import annotations

import heapq
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from random import Random

TIMEOUT_SECONDS = 30
RETRIES, RETRY_SECONDS = 3, 2
# How many changes a session has, at least and at most, and how many characters come with each.
CHANGES = (10, 40)
TEXT_CHARACTERS = 6_000
EXPIRED_OR_PURGED = (410, 404)
# Of a hundred sessions that end, so many are deleted; the others expire.
DELETED_PERCENT = 60


class Client:
    """Asks the server at `address`; `problems` counts unexpected answers.

    It comes back when `Retry-After` of a 503 says, as the plugin does; `waits` counts that.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._context = ssl.create_default_context()
        self.requests: Counter[str] = Counter()
        self.waits = 0
        self.problems: Counter[str] = Counter()

    def trust(self, certificate: Path) -> None:
        """Takes a certificate as well as those before."""
        self._context.load_verify_locations(certificate)

    def ask(self, method: str, path: str, body: object = None, expected: Sequence[int] = (200,)) -> bytes:
        """The body of an answer; one with a status that is not expected is a problem, and empty."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + path, data, method=method)  # noqa: S310
        request.add_header("Content-Type", "application/json")
        status, content, retry_after = self._send(request)
        for _ in range(RETRIES):
            if status != 503:
                break
            self.waits += 1
            time.sleep(retry_after)
            status, content, retry_after = self._send(request)
        self.requests[method] += 1
        if status in expected:
            return content
        if status:
            self.problems[f"{method} was answered {status} instead of {expected}"] += 1
        return b""

    def _send(self, request: urllib.request.Request) -> tuple[int, bytes, int]:
        """Status, body, and seconds until the next try; all zero without an answer, which is a problem."""
        try:
            with urllib.request.urlopen(  # noqa: S310
                request, timeout=TIMEOUT_SECONDS, context=self._context
            ) as answer:
                return answer.status, answer.read(), 0
        except urllib.error.HTTPError as error:
            return error.code, error.read(), int(error.headers.get("Retry-After", RETRY_SECONDS))
        except OSError as error:
            self.problems[f"{request.method} failed: {error}"[:100]] += 1
            return 0, b"", 0


class Session:
    """One session that is shared, changed and followed until it ends; `step` is what happens next.

    `path` is that of its page. One that was not deleted expires. It ends early on a machine that is too slow
    for a change every `interval` seconds.
    """

    def __init__(self, client: Client, random: Random, number: int, interval: float) -> None:
        self._client = client
        self._random = random
        self._id = f"ses_{number:024d}"
        self._changes = random.randint(*CHANGES)
        self._change = 0
        answer = json.loads(client.ask("POST", "/api/share", {"sessionID": self._id}))
        self._share, self._secret = answer["id"], answer["secret"]
        self.path = f"/share/{self._share}"
        self.created_at = time.monotonic()
        self._last_change_at = self.created_at + self.longest_seconds(interval)
        self.is_deleted = False
        self._sync({"type": "session", "data": {"id": self._id, "title": f"Session {number}"}})

    @property
    def has_ended(self) -> bool:
        return self._change >= self._changes or time.monotonic() > self._last_change_at

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
        self._client.ask("GET", self.path)
        document = self._client.ask("GET", f"/api/share/{self._share}")
        if document and words.encode() not in document:
            self._client.problems["A reader did not see the last change"] += 1

    def _end(self) -> None:
        if self._random.randrange(100) < DELETED_PERCENT:
            body = {"secret": self._secret}
            self._client.ask("DELETE", f"/api/share/{self._share}", body)
            self.is_deleted = True
            for _ in range(2):
                self._client.ask("GET", self.path, expected=[404])

    def _sync(self, *items: dict[str, object]) -> None:
        body = {"secret": self._secret, "data": items}
        self._client.ask("POST", f"/api/share/{self._share}/sync", body)


class People:
    """Keeps `sessions` sessions alive, each with a change every `seconds`, in some threads.

    Those that were not deleted must be gone after `max_age` seconds; `expired` counts them.
    """

    def __init__(self, client: Client, sessions: int, seconds: float, max_age: float, threads: int) -> None:
        self._client = client
        self._seconds = seconds
        self._max_age = max_age
        self._left: deque[Session] = deque()
        self.expired = 0
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
            return Session(self._client, random, number, self._seconds)
        session.step()
        if not session.has_ended:
            return session
        if not session.is_deleted:
            self._left.append(session)
        self._look_for_expired()
        return None

    def _look_for_expired(self) -> None:
        with self._lock:
            if not self._left or time.monotonic() - self._left[0].created_at < self._max_age + 1:
                return
            session = self._left.popleft()
            self.expired += 1
        self._client.ask("GET", session.path, expected=EXPIRED_OR_PURGED)

    def _try(self, work: Callable[[], Session | None]) -> Session | None:
        try:
            return work()
        except Exception as error:
            self._client.problems[f"{type(error).__name__}: {error}"[:100]] += 1
            return None
