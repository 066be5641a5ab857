"""What the server writes down: one line for each request, as text or JSON, and nothing secret in it."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from app.http.request_log import Answered, request_id

# A token in an address is as good as a password, and a query may be the signature of an upload link.
# Slashes and dots that are too many, or a capital, do not make it another one.
TOKEN = re.compile(r"/(t|%[57]4)/[./]*[^/\s]+", re.IGNORECASE)
QUERY = re.compile(r"\?\S+")
SHOWN_CHARACTERS = 200
# What most requests are made of; encoding it takes longer than all else of a line.
PLAIN = re.compile(r"[A-Za-z0-9_.~/*@:-]{0,200}")

access = logging.getLogger("app.access")


def configuration(log_format: str) -> dict[str, Any]:
    """For logging.config: everything goes to stderr, the app's own loggers from INFO on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": FORMATTERS[log_format]}},
        "filters": {"addresses": {"()": AddressFilter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            "app": {"level": "INFO"},
            "gunicorn.error": {"level": "INFO", "filters": ["addresses"], "handlers": [], "propagate": True},
        },
    }


def write(told: Answered) -> None:
    """The line of one request."""
    if access.isEnabledFor(logging.INFO):
        facts = {
            "request_id": told.request_id,
            "method": told.method,
            "route": told.route,
            "share_id": told.share_id and _plain(told.share_id),
            "status": told.status,
            "ms": round(told.seconds * 1000, 2),
            "bytes": told.bytes,
            "client": _plain(told.client),
        }
        access.info("%s %s %d", told.method, _shown_path(told), told.status, extra={"facts": facts})


def _shown_path(told: Answered) -> str:
    return _plain(TOKEN.sub("/t/***", told.path)) + ("?***" if told.query else "")


def _plain(text: str) -> str:
    """What a stranger typed, in so many characters and such that it cannot forge a line."""
    if PLAIN.fullmatch(text):
        return text
    return quote(text[:SHOWN_CHARACTERS], safe="/*@:~", errors="replace")


class AddressFilter(logging.Filter):
    """Masks the addresses of requests in what gunicorn says of them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = QUERY.sub("?***", TOKEN.sub("/t/***", record.getMessage()))
        record.args = None
        return True


class TextFormatter(logging.Formatter):
    """`time LEVEL logger request message fact=value ...`, and what was raised below it."""

    def format(self, record: logging.LogRecord) -> str:
        facts = _facts(record)
        words = [_time(record), record.levelname, record.name, facts["request_id"] or "-"]
        shown = ("share_id", "route", "ms", "bytes", "client")
        told = [f"{name}={facts[name]}" for name in shown if facts.get(name) is not None]
        line = " ".join([*words, record.getMessage(), *told])
        return "\n".join([line, *_raised(self, record)])


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if raised := _raised(self, record):
            line["exception"] = raised[0]
        known = {name: value for name, value in line.items() if value is not None}
        return msgspec.json.encode(known).decode()


FORMATTERS = {"text": TextFormatter, "json": JsonFormatter}


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] | None = getattr(record, "facts", None)
    return facts or {"request_id": request_id()}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _raised(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    return [formatter.formatException(record.exc_info)] if record.exc_info else []
