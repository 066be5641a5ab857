"""The folder of the backups of one server.

snapshots/<time>.jsonl.gz        a backup: a line for each share (app.services.backup.entries)
members/<time>.json.gz           the members of that time and their personal tokens
documents/<ab>/<abcd...>         a document as stored, named after its SHA-256; backups share them
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from gzip import BadGzipFile
from gzip import open as open_gzip
from pathlib import Path

import msgspec

from app.lib.data_dir import make_private
from app.lib.file_lock import file_lock
from app.lib.files import make_folder, write_durably
from app.lib.os_errors import describe
from app.services.backup.entries import AccountsEntry, BackupError, Entry
from app.services.members.copied_accounts import Accounts

SUFFIX = ".jsonl.gz"
MEMBERS_SUFFIX = ".json.gz"
NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
GZIP_WBITS = 31


class BackupFolder:
    """Backups by their names, which are their times, and the documents in them.

    Every method raises BackupError when the folder cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._snapshots = path / "snapshots"
        self._members = path / "members"
        self._documents = path / "documents"

    @contextmanager
    def writing(self, warn: Callable[[str], None]) -> Iterator[None]:
        """Makes the folder private, and keeps other backups from it for the block."""
        with ExitStack() as stack:
            with self._errors():
                make_folder(self._path)
                for warning in make_private(self._path, [self._snapshots, self._members, self._documents]):
                    warn(warning)
                is_acquired = stack.enter_context(file_lock(self._path / ".lock", wait=False))
            if not is_acquired:
                raise BackupError(f"Another backup into {str(self._path)!r} is under way.")
            yield

    def names(self) -> list[str]:
        """The backups, the oldest first."""
        with self._errors():
            found = (path.name.removesuffix(SUFFIX) for path in self._snapshots.glob(f"*{SUFFIX}"))
            return sorted(name for name in found if NAME.fullmatch(name))

    def entries(self, name: str) -> Iterator[Entry]:
        """The shares in a backup."""
        decode = msgspec.json.Decoder(Entry).decode
        with self._damages(name), open_gzip(self._snapshots / f"{name}{SUFFIX}") as lines:
            yield from map(decode, lines)

    def accounts(self, name: str) -> Accounts | None:
        """The members and tokens in a backup; None in one that a release before 0.3 made."""
        path = self._accounts(name)
        with self._damages(name):
            if not path.exists():
                return None
            with open_gzip(path) as file:
                entry = msgspec.json.decode(file.read(), type=AccountsEntry)
        return entry.accounts()

    def add(self, entries: Iterable[Entry], accounts: Accounts) -> str:
        """Writes a backup, reads it back, and returns its name.

        If anything fails, there is no backup of this name, and `rotate` removes what is left of it.
        """
        count = 0

        def lines() -> Iterator[bytes]:
            nonlocal count
            for count, entry in enumerate(entries, start=1):  # noqa: B007 - read below
                yield msgspec.json.encode(entry) + b"\n"

        name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = self._snapshots / f"{name}{SUFFIX}"
        with self._errors():
            content = msgspec.json.encode(AccountsEntry.of(accounts))
            write_durably(self._accounts(name), _compressed([content]))
            write_durably(path, _compressed(lines()))
        if self.accounts(name) != accounts or sum(1 for _ in self.entries(name)) != count:
            path.unlink()
            raise BackupError(f"The backup {name} could not be read back as it was written.")
        return name

    def add_document(self, data: bytes) -> str:
        """Keeps a document, unless it is there already, and returns its SHA-256 in hexadecimal."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.has_document(sha256):
            with self._errors():
                write_durably(self._document(sha256), [data])
            if not self.has_document(sha256):
                raise BackupError(f"A document could not be read back from {str(self._path)!r}.")
        return sha256

    def has_document(self, sha256: str) -> bool:
        """Whether a document is there, and as it was written."""
        return self.document(sha256) is not None

    def document(self, sha256: str) -> bytes | None:
        """A document; None if it is missing or damaged."""
        with self._errors():
            try:
                data = self._document(sha256).read_bytes()
            except FileNotFoundError:
                return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def rotate(self, keep: int) -> list[str]:
        """Removes all but the newest `keep` backups, and the documents that are in none of those.

        With them goes what a backup that was broken off has left. Returns the names of the removed backups.
        """
        names = self.names()
        old, kept = names[:-keep], names[-keep:]
        needed = {copy.sha256 for name in kept for entry in self.entries(name) for copy in entry.copies}
        with self._errors():
            for name in old:
                (self._snapshots / f"{name}{SUFFIX}").unlink()
            unneeded = (path for path in self._documents.glob("*/*") if path.name not in needed)
            accounts = {self._accounts(name) for name in kept}
            others = (path for path in self._members.glob("*") if path not in accounts)
            for path in (*self._snapshots.glob(".*"), *unneeded, *others):
                path.unlink()
        return old

    def _document(self, sha256: str) -> Path:
        return self._documents / sha256[:2] / sha256

    def _accounts(self, name: str) -> Path:
        return self._members / f"{name}{MEMBERS_SUFFIX}"

    @contextmanager
    def _damages(self, name: str) -> Iterator[None]:
        try:
            with self._errors():
                yield
        except (BadGzipFile, EOFError, zlib.error, msgspec.DecodeError) as error:
            raise BackupError(f"The backup {name} is damaged: {error}.") from None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except BadGzipFile:
            raise
        except OSError as error:
            raise BackupError(f"The folder {str(self._path)!r} cannot be used: {describe(error)}.") from None


def _compressed(lines: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=GZIP_WBITS)
    for line in lines:
        yield compressor.compress(line)
    yield compressor.flush()
