"""What figures are compared with: machines differ by a factor of two, ratios within one run hardly do."""

from __future__ import annotations

import gzip
import statistics
import time
from pathlib import Path

import msgspec
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, create_engine

# Importing the extensions also sets the pragmas of SQLite connections.
import app.db.extensions  # noqa: F401

ROUNDS = 5
COMMITS = 50


def decode_seconds(packed: Path) -> float:
    """How long it takes to gunzip a document and to decode its JSON."""
    data = packed.read_bytes()
    return statistics.median(_timed_decode(data) for _ in range(ROUNDS))


def _timed_decode(data: bytes) -> float:
    start = time.perf_counter()
    msgspec.json.decode(gzip.decompress(data))
    return time.perf_counter() - start


def commit_seconds(database_url: str, size: int) -> float:
    """How long one transaction takes that inserts a row of `size` bytes into the same database."""
    engine = create_engine(database_url)
    table = Table(
        "benchmark_rows",
        MetaData(),
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("data", LargeBinary),
    )
    table.create(engine)
    try:
        return statistics.median(_timed_commit(engine, table, size) for _ in range(COMMITS))
    finally:
        table.drop(engine)
        engine.dispose()


def _timed_commit(engine, table, size: int) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    with engine.begin() as connection:
        connection.execute(table.insert(), {"data": b"x" * size})
    return time.perf_counter() - start
