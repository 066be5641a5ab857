"""Turns every exception into a response: JSON for programs, a page for people. Nothing else does."""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from math import ceil

from flask import Flask, Response, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import DBAPIError, TimeoutError
from werkzeug.exceptions import HTTPException

from app.db.errors import reason_of
from app.db.extensions import db
from app.http.metrics import count
from app.lib.os_errors import describe
from app.opencode import UnreadableDocument
from app.services.access.passwords import MAX_CHARACTERS
from app.services.container import services
from app.services.documents.checkpoint import SessionTooLarge
from app.services.members.openid import ProviderUnavailable, SignInRefused
from app.services.rate_limits import seconds_until_reset
from app.services.shares.errors import (
    AudienceNotOffered,
    NotYourShare,
    ObjectMissing,
    PasswordNotUsed,
    PasswordRequired,
    RevisionConflict,
    SealedSecret,
    ShareExists,
    ShareExpired,
    ShareNotFound,
    SignInRequired,
    WrongSecret,
    WrongShareSource,
)
from app.storage import StorageError, UploadRefused

RETRY_SECONDS = 5

logger = logging.getLogger(__name__)


class ApiError(Exception):
    """A request that is refused: an HTTP status, a code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class NotUploaded(Exception):
    """The share exists, but its document has not arrived."""

    def __init__(self) -> None:
        super().__init__("The session of this share has not been uploaded yet.")


# Status and code of exceptions whose text is a sentence for the caller.
RESPONSES: dict[type[Exception], tuple[int, str]] = {
    ShareExists: (409, "share_exists"),
    ShareNotFound: (404, "not_found"),
    ShareExpired: (410, "expired"),
    WrongShareSource: (409, "other_way_in"),
    ObjectMissing: (404, "object_missing"),
    NotUploaded: (404, "not_uploaded"),
    WrongSecret: (401, "wrong_secret"),
    SealedSecret: (401, "plugin_missing"),
    AudienceNotOffered: (400, "audience_not_offered"),
    PasswordNotUsed: (400, "invalid_request"),
    NotYourShare: (403, "not_your_share"),
    SessionTooLarge: (413, "too_large"),
    UnreadableDocument: (422, "unreadable_document"),
}

# HTTP's own errors, in clearer words than werkzeug's.
HTTP_ERRORS: dict[int, tuple[str, str]] = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method; see the header 'Allow'."),
    413: ("too_large", "The request body is too large."),
}

# What a server can run out of, and be well again without a restart.
SHORTAGES: dict[int, str] = {
    errno.ENOSPC: "The disk of this server is full; try again soon.",
    errno.EDQUOT: "The disk of this server is full; try again soon.",
    errno.EROFS: "The disk of this server cannot be written at the moment; try again soon.",
    errno.EMFILE: "This server has too many files open; try again soon.",
    errno.ENFILE: "This server has too many files open; try again soon.",
    errno.ENOMEM: "This server has too little memory at the moment; try again soon.",
}

HEADINGS = {
    401: "For members only",
    403: "Not allowed",
    404: "Nothing here",
    410: "This link has expired",
    422: "This session cannot be shown",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Temporarily unavailable",
}


def init_app(app: Flask) -> None:
    for kind in RESPONSES:
        app.register_error_handler(kind, _known_error)
    app.register_error_handler(PasswordRequired, _password_required)
    app.register_error_handler(SignInRequired, _sign_in_required)
    app.register_error_handler(SignInRefused, _sign_in_refused)
    app.register_error_handler(ProviderUnavailable, _provider_unavailable)
    app.register_error_handler(RevisionConflict, _revision_conflict)
    app.register_error_handler(ApiError, _stated_error)
    app.register_error_handler(UploadRefused, _stated_error)
    app.register_error_handler(StorageError, _storage_error)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(TimeoutError, _database_error)
    app.register_error_handler(OSError, _os_error)
    app.register_error_handler(MemoryError, _out_of_memory)
    app.register_error_handler(ParseException, _malformed_body)
    app.register_error_handler(RateLimitExceeded, _rate_limited)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected_error)


def _known_error(error: Exception) -> ResponseReturnValue:
    status, code = RESPONSES[type(error)]
    return _response(status, code, str(error))


def _revision_conflict(error: RevisionConflict) -> ResponseReturnValue:
    return _json(409, "revision_conflict", str(error), revision=error.revision)


def _password_required(error: PasswordRequired) -> ResponseReturnValue:
    """The form for people; programs are told what to do."""
    if _is_for_people() and request.method != "POST":
        return password_form(error.share_id, _current_path())
    return _json(401, "password_required", str(error))


def _sign_in_required(error: SignInRequired) -> ResponseReturnValue:
    """Leads people to the sign-in and back, where there is one; programs are told what to do."""
    if not _is_for_people():
        return _json(401, "sign_in_required", str(error))
    if services().provider and request.method != "POST":
        response = redirect(url_for("account.sign_in", next=_current_path()), 302)
        response.headers["Cache-Control"] = "no-store"
        return make_response(response)
    return _page(401, str(error))


def _is_for_people() -> bool:
    """Whether the client is a browser that shows a page."""
    return not request.path.startswith("/api/") and "text/html" in request.accept_mimetypes.values()


def _current_path() -> str:
    """The path and query of the current request, below the path of the server."""
    return request.script_root + request.full_path.removesuffix("?")


def password_form(share_id: str, destination: str, sentence: str = "") -> Response:
    """The page that asks for the password of a share; `destination` is where its reader is going."""
    html = render_template(
        "password.html",
        share_id=share_id,
        destination=destination,
        sentence=sentence,
        max_length=MAX_CHARACTERS,
    )
    return make_response(html, {"Cache-Control": "no-store"})


def _stated_error(error: ApiError | UploadRefused) -> ResponseReturnValue:
    return _response(error.status, error.code, str(error))


def _sign_in_refused(error: SignInRefused) -> ResponseReturnValue:
    link = {"url": url_for("account.sign_in", choose=""), "label": "Sign in again"}
    return _page(403, str(error), link)


def _provider_unavailable(error: ProviderUnavailable) -> ResponseReturnValue:
    logger.error("nobody can sign in: %s", error)
    return _unavailable("sign_in_unavailable", "Signing in is not possible at the moment; try again soon.")


def _storage_error(error: StorageError) -> ResponseReturnValue:
    logger.error("the store failed: %s", error)
    count("store_errors")
    return _unavailable(
        "storage_unavailable", "The session storage is temporarily unavailable; try again soon."
    )


def _database_error(error: Exception) -> ResponseReturnValue:
    logger.error("the database failed: %s", reason_of(error, db.engine.url))
    count("database_errors")
    return _unavailable("database_unavailable", "The database is temporarily unavailable; try again soon.")


def _os_error(error: OSError) -> ResponseReturnValue:
    if error.errno not in SHORTAGES:
        return _unexpected_error(error)
    logger.error("a request failed: %s", describe(error))
    return _unavailable("out_of_resources", SHORTAGES[error.errno])


def _out_of_memory(_error: MemoryError) -> ResponseReturnValue:
    logger.error("a request failed: out of memory")
    return _unavailable("out_of_resources", SHORTAGES[errno.ENOMEM])


def _malformed_body(_error: ParseException) -> ResponseReturnValue:
    return _response(400, "malformed_body", "The request body is not encoded as its headers say.")


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    named = (error.name.lower().replace(" ", "_"), error.description or error.name)
    response = _response(status, *HTTP_ERRORS.get(status, named))
    if status == 405:
        response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return response


def _rate_limited(error: RateLimitExceeded) -> ResponseReturnValue:
    """When to come back, and where to, for people; programs are told the limit and its setting."""
    if not _is_for_people():
        return _response(429, "rate_limited", str(error.description))
    minutes = max(1, ceil(seconds_until_reset() / 60))
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    sentence = f"This server takes only so many of these requests. Try again in {wait}."
    share_id = (request.view_args or {}).get("share_id")
    if share_id is None:
        return _page(429, sentence)
    return _page(
        429, sentence, {"url": url_for("share.show", share_id=share_id), "label": "Back to the session"}
    )


def _unexpected_error(error: Exception) -> ResponseReturnValue:
    logger.exception("a request failed", exc_info=error)
    return _response(500, "internal_error", "Something went wrong on this server.")


def _unavailable(code: str, sentence: str) -> Response:
    response = _response(503, code, sentence)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _response(status: int, code: str, sentence: str) -> Response:
    if request.path.startswith(("/api/", "/readyz", "/healthz")):
        return _json(status, code, sentence)
    return _page(status, sentence)


def _page(status: int, sentence: str, link: Mapping[str, str] | None = None) -> Response:
    """The page of an error; `link` has the `url` and the `label` of where to go on."""
    heading = HEADINGS.get(status, "This did not work")
    if link is None and request.blueprint == "account" and status != 401:
        link = {"url": url_for("account.shares"), "label": "My shares"}
    html = render_template("status.html", heading=heading, sentence=sentence, link=link)
    return make_response(html, status, {"Cache-Control": "no-store"})


def _json(status: int, code: str, sentence: str, **more: object) -> Response:
    response = jsonify(error=sentence, code=code, **more)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
