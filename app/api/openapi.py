"""The description of the API at `/api/openapi.json`, as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1).

Its schemas are those of the structs that requests are decoded into and responses are made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from flask import current_app
from flask.typing import ResponseReturnValue
from msgspec import UNSET, Meta, UnsetType
from werkzeug.routing import Rule

from app.api import access, shares, sync, upload_links
from app.api.auth import SECRET_HEADER
from app.api.blueprint import bp
from app.lib.release import RELEASE
from app.services.container import services
from app.services.shares.share_ids import SHARE_ID

JSON = "application/json"
# What every request may be answered with.
ALWAYS = (429, 503)
SECRET: dict[str, list[str]] = {"shareSecret": []}
TOKEN: dict[str, list[str]] = {"creationToken": []}
PERSONAL: dict[str, list[str]] = {"personalToken": []}
UPLOAD_QUERY = ("expires", "size", "type", "encoding", "sig")
NOTHING: dict[str, list[str]] = {}


class Ok(msgspec.Struct):
    ok: Literal[True]


class Health(msgspec.Struct):
    status: Literal["ok"]


class Version(msgspec.Struct):
    """The release, and the build, which is a hash of the code."""

    version: str
    build: str


class Error(msgspec.Struct):
    """A sentence for people, a `code` for programs, and with a conflict the `revision` of the share."""

    error: str
    code: str
    revision: int | UnsetType = UNSET


class Empty(msgspec.Struct):
    """An object without members."""


Session = Annotated[Any, Meta(description="A session, in any format of OpenCode.")]


class SyncItem(msgspec.Struct):
    """A part of a session, as `opencode import` reads it."""

    type: str
    data: Any


@dataclass(frozen=True)
class Operation:
    """What an endpoint takes and answers: types by status, and the statuses that come with an Error."""

    summary: str
    answers: dict[int, Any]
    errors: tuple[int, ...] = ()
    body: Any = None
    security: list[dict[str, list[str]]] = field(default_factory=list)
    query: tuple[str, ...] = ()


OPERATIONS = {
    "api.create": Operation(
        "Create a share and get a link for the upload; with the secret of an existing share, a new link",
        {200: shares.SignedLink, 201: shares.CreatedShare},
        (400, 401, 409, 410, 413, 415),
        body=shares.CreateRequest,
        security=[NOTHING, SECRET, TOKEN, PERSONAL],
    ),
    "api.renew": Operation(
        "Get a new link for the upload; with a kind, for what is to be committed",
        {200: upload_links.UploadLink},
        (400, 401, 404, 409, 410, 413, 415),
        body=upload_links.RenewRequest,
        security=[SECRET],
    ),
    "api.commit": Operation(
        "Make an uploaded object count",
        {200: upload_links.Committed},
        (400, 401, 404, 409, 410, 413, 415, 422),
        body=upload_links.CommitRequest,
        security=[SECRET],
    ),
    "uploads.upload": Operation(
        "Upload a session with a signed link, where sessions are stored in a folder",
        {200: Ok},
        (400, 403, 404, 411, 413, 415, 422),
        body=Session,
        query=UPLOAD_QUERY,
    ),
    "uploads.upload_object": Operation(
        "Upload with a signed link what is to be committed",
        {200: Ok},
        (400, 403, 404, 411, 413, 415),
        body=Session,
        query=UPLOAD_QUERY,
    ),
    "api.document": Operation(
        "Read a session", {200: Session}, (401, 404, 410, 422), security=[NOTHING, SECRET, PERSONAL]
    ),
    "api.data": Operation(
        "Read a session as `opencode import` does",
        {200: list[SyncItem]},
        (401, 404, 410, 422),
        security=[NOTHING, SECRET, PERSONAL],
    ),
    "api.delete": Operation(
        "Delete a share; OpenCode sends its secret in the body, as `secret`",
        {200: Ok},
        (400, 401, 404, 413),
        security=[SECRET],
    ),
    "api.update": Operation(
        "Change who may read a session, until when, and what it is called",
        {200: access.AccessAnswer},
        (400, 401, 404, 410, 413),
        body=access.UpdateRequest,
        security=[SECRET],
    ),
    "api.create_native": Operation(
        "Create a share for OpenCode without the plugin",
        {200: sync.NativeShare},
        (400, 401, 409, 413),
        body=sync.CreateNativeRequest,
        security=[NOTHING, TOKEN, PERSONAL],
    ),
    "api.sync": Operation(
        "Change a session of OpenCode without the plugin, which sends the secret in the body, as `secret`",
        {200: Empty},
        (400, 401, 404, 409, 410, 413, 422),
        body=sync.SyncRequest,
        security=[SECRET],
    ),
    "health.alive": Operation("Ask whether the server is alive", {200: Health}),
    "health.version": Operation("Ask which release runs", {200: Version}),
    "api.openapi": Operation("Read this description", {200: dict[str, Any]}),
}


@bp.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """What the API takes and answers."""
    return {
        "openapi": "3.1.1",
        "info": {"title": "Better Share", "version": RELEASE},
        "servers": [{"url": services().config.BASE_URL}],
        "paths": dict(_paths()),
        "components": {
            "schemas": _components(),
            "securitySchemes": {
                "shareSecret": {"type": "apiKey", "in": "header", "name": SECRET_HEADER},
                "creationToken": {"type": "http", "scheme": "bearer"},
                "personalToken": {"type": "http", "scheme": "bearer", "bearerFormat": "bs_..."},
            },
        },
    }


def _paths() -> Iterator[tuple[str, dict[str, Any]]]:
    rules: dict[str, list[Rule]] = {}
    for rule in current_app.url_map.iter_rules():
        if rule.endpoint in OPERATIONS and rule.rule.startswith("/api/"):
            rules.setdefault(re.sub(r"<(\w+)>", r"{\1}", rule.rule), []).append(rule)
    for path, methods in sorted(rules.items()):
        yield path, dict(_operations(path, methods))


def _operations(path: str, rules: Iterable[Rule]) -> Iterator[tuple[str, dict[str, Any]]]:
    for rule in rules:
        operation = OPERATIONS[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method.lower(), _described(f"{rule.endpoint} {path}", operation, rule.arguments)


def _described(operation_id: str, operation: Operation, arguments: Iterable[str]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", operation_id).strip("_"),
        "summary": operation.summary,
        "parameters": [
            *(_parameter(name, "path", pattern=f"^{SHARE_ID}$") for name in arguments),
            *(_parameter(name, "query") for name in operation.query),
        ],
        "responses": {
            **{str(status): _response(status, kind) for status, kind in operation.answers.items()},
            **{str(status): _response(status, Error) for status in (*operation.errors, *ALWAYS)},
        },
    }
    if operation.body:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    if operation.security:
        described["security"] = operation.security
    return described


def _parameter(name: str, place: str, **schema: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": True, "schema": {"type": "string", **schema}}


def _response(status: int, kind: Any) -> dict[str, Any]:
    return {"description": HTTPStatus(status).phrase, "content": _content(kind)}


def _content(kind: Any) -> dict[str, Any]:
    [schema], _ = _schemas([kind])
    return {JSON: {"schema": schema}}


def _components() -> dict[str, Any]:
    kinds = [kind for each in OPERATIONS.values() for kind in (*each.answers.values(), each.body) if kind]
    _, components = _schemas([*kinds, Error])
    return components


def _schemas(kinds: list[Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    return list(schemas), _with_portable_patterns(components)


def _with_portable_patterns(schema: Any) -> Any:
    """The schema with `$` for the end of a text, as in JSON Schema."""
    match schema:
        case dict():
            return {
                name: value.replace(r"\Z", "$") if name == "pattern" else _with_portable_patterns(value)
                for name, value in schema.items()
            }
        case list():
            return [_with_portable_patterns(value) for value in schema]
        case _:
            return schema
