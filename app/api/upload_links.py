"""Upload links of a share, and commits of what was uploaded beside its document."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from flask.typing import ResponseReturnValue
from msgspec import UNSET, Meta, UnsetType

from app.api.auth import require_share
from app.api.blueprint import bp
from app.api.request_body import parse_body
from app.api.shares import SignedLink, UploadRequest, declaration_of, json_of, link_fields
from app.db.models import UPLOAD, Share
from app.services.container import services
from app.services.documents.commits import OBJECT_NAME, Kind, object_name
from app.services.documents.event_log import expect_object
from app.services.shares.service import UploadDeclaration
from app.storage import object_key


class RenewRequest(UploadRequest, kw_only=True):
    """`kind` asks for an object beside the document, which counts from its commit."""

    kind: Kind | None = None


class UploadLink(SignedLink, kw_only=True):
    """A link for the document, or for an `object` of a `kind` that is to follow a `revision`."""

    kind: Kind | UnsetType = UNSET
    object: str | UnsetType = UNSET
    revision: int | UnsetType = UNSET


class CommitRequest(msgspec.Struct):
    """An uploaded `object`, made from the revision `base`; `next` asks for a link for later changes."""

    object: Annotated[str, Meta(pattern=rf"^{OBJECT_NAME}\Z")]
    base: Annotated[int, Meta(ge=0)]
    next: UploadRequest | None = None


class Committed(msgspec.Struct):
    """The new revision of the share, and the link that was asked for, where it needs no size."""

    revision: int
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
    services().commits.require_room(share)
    return json_of(_object_link(share, body.kind, share.revision, declaration))


@bp.post("/share/<share_id>/commit")
def commit(share_id: str) -> ResponseReturnValue:
    """Makes an uploaded object count. 409 with the `revision` if the share has changed since `base`."""
    share = require_share(UPLOAD)
    body = parse_body(CommitRequest)
    live = services().shares.get_live(share_id)
    committed = Committed(services().commits.commit(share, live, body.object, body.base))
    if body.next and (body.next.size is not None or not services().config.UPLOAD_SIZE_REQUIRED):
        committed.next = _object_link(share, "changes", committed.revision, declaration_of(body.next))
    return json_of(committed)


def _object_link(share: Share, kind: Kind, revision: int, declaration: UploadDeclaration) -> UploadLink:
    name = object_name(kind, revision)
    upload = services().shares.sign_object(share, object_key(share.share_id, name), declaration)
    expect_object(share)
    fields: dict[str, Any] = link_fields(share.share_id, upload)
    return UploadLink(**fields, kind=kind, object=name, revision=revision)
