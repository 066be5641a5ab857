"""Upload links of a share, and commits of what was uploaded beside its document."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from flask.typing import ResponseReturnValue
from msgspec import UNSET, Meta, UnsetType

from app.api.answers import json_of
from app.api.auth import require_share
from app.api.blueprint import bp
from app.api.request_body import parse_body
from app.api.shares import SignedLink, UploadRequest, declaration_of, link_fields
from app.db.models import UPLOAD, Share
from app.opencode import CHANGE_TYPES
from app.services.container import services
from app.services.documents.commits import Kind
from app.services.documents.event_log import expect_object
from app.services.shares.service import UploadDeclaration
from app.storage import object_key


class RenewRequest(UploadRequest, kw_only=True):
    """`kind` asks for a link to what is to be committed, beside the document."""

    kind: Kind | None = None


class UploadLink(SignedLink, kw_only=True):
    """A link for the document, or for what is to follow a `revision` and be committed."""

    kind: Kind | UnsetType = UNSET
    revision: int | UnsetType = UNSET


class CommitRequest(msgspec.Struct):
    """What was uploaded, made from the revision `base`; `next` asks for a link for later changes.

    `sha256` is that of the JSON before it was compressed, in hexadecimal.
    """

    kind: Kind
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{64}\Z")]
    base: Annotated[int, Meta(ge=0)]
    next: UploadRequest | None = None


class Committed(msgspec.Struct):
    """The new revision of the share, and the link that was asked for, where it needs no size.

    `items` are the types of items that changes may consist of.
    """

    revision: int
    items: tuple[str, ...] = CHANGE_TYPES
    next: UploadLink | UnsetType = UNSET


@bp.post("/share/<share_id>/presign")
def renew(share_id: str) -> ResponseReturnValue:
    """A new upload link: for the share's document, or with a `kind` for what is to be committed.

    An answer without `kind` is that of an older server, which has ignored it.
    """
    share = require_share(UPLOAD)
    body = parse_body(RenewRequest)
    declaration = declaration_of(body)
    if body.kind is None:
        upload = services().shares.renew_upload(share, declaration)
        return json_of(UploadLink(**link_fields(share_id, upload)))
    return json_of(_object_link(share, body.kind, share.revision, declaration))


@bp.post("/share/<share_id>/commit")
def commit(share_id: str) -> ResponseReturnValue:
    """Makes what was uploaded count. 409 with the `revision` if the share has changed since `base`."""
    share = require_share(UPLOAD)
    body = parse_body(CommitRequest)
    live = services().live_shares.get(share_id)
    committed = Committed(services().commits.commit(share, live, body.kind, body.sha256, body.base))
    if body.next and (body.next.size is not None or not services().config.UPLOAD_SIZE_REQUIRED):
        committed.next = _object_link(share, "changes", committed.revision, declaration_of(body.next))
    return json_of(committed)


def _object_link(share: Share, kind: Kind, revision: int, declaration: UploadDeclaration) -> UploadLink:
    upload = services().shares.sign_object(share, object_key(share.share_id, kind), declaration)
    expect_object(share)
    fields: dict[str, Any] = link_fields(share.share_id, upload)
    return UploadLink(**fields, kind=kind, revision=revision)
