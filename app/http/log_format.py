"""The lines of the log, as text or JSON: one for each request, with nothing secret in it."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from app.http.request_log import RequestRecord, current_request_id
from app.http.token_prefix import MASKED
from app.lib.visible import visible

# A token in a path is as good as a password, and a query may be the signature of an upload link. What is
# behind `/t/` is masked up to the first word of the app's own paths: extra slashes, dots, blanks and capitals
# in front of a token do not make it another token.
TOKEN_IN_PATH = re.compile(r"/t/.+?(?=/(?:api|share)\b|$)", re.IGNORECASE | re.DOTALL)
# The same in a text, where an address ends at a blank or quote and may be percent-encoded.
TOKEN = re.compile(r"(?:/|%2f)(?:t|%[57]4)(?:/|%2f)[^\s\"']+?(?=/(?:api|share)\b|[\s?\"']|$)", re.IGNORECASE)
# What lets `opencode import` in, behind the id of a private share (app.services.access.import_tickets).
TICKET = re.compile(r"((?:^|/shares?/)[A-Za-z0-9_-]{1,64}_)[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")
QUERY = re.compile(r"\?\S+")
SIGNATURE = re.compile(r"\bsig=[^&\s\"]+")
# gunicorn quotes what it could not parse, which may have any secret in it.
INVALID_REQUEST = re.compile(r"(Invalid request from ip=\S*: [^:'\"]*).*", re.DOTALL)
INVALID_BODY = re.compile(r"(gunicorn\.http\.errors\.\w+: [^:]*).*", re.DOTALL)
MAX_FIELD_CHARACTERS = 200
# What most requests consist of; percent-encoding it would take longer than the rest of a line.
PLAIN = re.compile(r"[A-Za-z0-9_.~/*@:-]{0,200}")
# In the order in which text lines show them.
TEXT_FIELDS = ("share_id", "route", "ms", "bytes", "client")

access = logging.getLogger("app.access")


def configuration(log_format: str) -> dict[str, Any]:
    """For logging.config.dictConfig: everything goes to stderr, the app's own loggers from INFO on."""
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


def log_request(record: RequestRecord) -> None:
    """Writes the line of one request to the logger `app.access`."""
    if access.isEnabledFor(logging.INFO):
        fields = {
            "request_id": record.request_id,
            "method": record.method,
            "route": record.route,
            "share_id": record.share_id and _escape(_without_ticket(record.share_id)),
            "status": record.status,
            "ms": round(record.seconds * 1000, 2),
            "bytes": record.bytes,
            "client": _escape(record.client),
        }
        access.info("%s %s %d", record.method, _masked_path(record), record.status, extra={"fields": fields})


def _masked_path(record: RequestRecord) -> str:
    path = TOKEN_IN_PATH.sub(MASKED, _without_ticket(record.path))
    return _escape(path) + ("?***" if record.query else "")


def _without_ticket(text: str) -> str:
    """An address, a text with addresses, or what stands in place of the id of a share."""
    return TICKET.sub(r"\1***", text)


def _escape(text: str) -> str:
    """What a client sent, shortened and percent-encoded, so that it cannot forge a line."""
    if PLAIN.fullmatch(text):
        return text
    return quote(text[:MAX_FIELD_CHARACTERS], safe="/*@:~", errors="replace")


class TokenFilter(logging.Filter):
    """Masks tokens and signatures in gunicorn's own log of requests, which `--access-logfile` turns on."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = TOKEN.sub(MASKED, _without_ticket(record.getMessage()))
        record.msg = visible(SIGNATURE.sub("sig=***", line))
        record.args = None
        return True


class AddressFilter(logging.Filter):
    """Masks tokens, queries and malformed requests in what gunicorn logs about requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        valid = INVALID_REQUEST.sub(r"\1", record.getMessage())
        record.msg = QUERY.sub("?***", TOKEN.sub(MASKED, _without_ticket(valid)))
        record.args = None
        return True


class TextFormatter(logging.Formatter):
    """`time LEVEL logger request-id message field=value ...`, with a traceback indented below it."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        words = [_time(record), record.levelname, record.name, fields["request_id"] or "-"]
        pairs = [f"{name}={fields[name]}" for name in TEXT_FIELDS if fields.get(name) is not None]
        line = " ".join([*words, visible(record.getMessage()), *pairs])
        return "\n    ".join([line, *_traceback(self, record)])


class JsonFormatter(logging.Formatter):
    """One JSON object a line, without fields that are null."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": visible(record.getMessage()),
            **_fields(record),
        }
        if traceback := _traceback(self, record):
            line["exception"] = "\n".join(traceback)
        present = {name: value for name, value in line.items() if value is not None}
        return msgspec.json.encode(present).decode()


FORMATTERS = {"text": TextFormatter, "json": JsonFormatter}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] | None = getattr(record, "fields", None)
    return fields or {"request_id": current_request_id()}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    """The lines of the traceback, or none; the text of an error may be anything that somebody sent."""
    if not record.exc_info:
        return []
    lines = formatter.formatException(record.exc_info).split("\n")
    return [visible(INVALID_BODY.sub(r"\1", line)) for line in lines]
