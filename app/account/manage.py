"""Changes and deletes one share of a member, or several at once; claims one that was made anonymously."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec import UNSET, UnsetType

from app.account.blueprint import bp, require_member
from app.db.models import PASSWORD
from app.errors import ApiError
from app.http.metrics import count
from app.services.access.audit import audit
from app.services.access.changes import MAX_TITLE_CHARACTERS, Change, change_share
from app.services.access.passwords import MAX_CHARACTERS, MIN_CHARACTERS
from app.services.container import services
from app.services.rate_limits import limit_by, rate_limit_address
from app.services.shares.errors import NotYourShare, ShareNotFound, WrongSecret
from app.services.shares.owned import OwnedShare
from config import Audience

MAX_SELECTION = 100
DAY_SECONDS = 24 * 60 * 60
NEVER = "never"
EXPIRIES = {
    "1d": ("In a day", DAY_SECONDS),
    "7d": ("In a week", 7 * DAY_SECONDS),
    "30d": ("In 30 days", 30 * DAY_SECONDS),
    "90d": ("In 90 days", 90 * DAY_SECONDS),
    NEVER: ("Never", None),
}


@bp.get("/shares/<share_id>")
def share(share_id: str) -> ResponseReturnValue:
    """What its owner can do with a share; to others, how to become that."""
    owned = services().owned_shares.some([share_id], _owner())
    if owned:
        return _page(owned)
    row = services().shares.find(share_id)
    if row is None:
        raise ShareNotFound
    if row.member:
        raise NotYourShare
    return render_template("account/claim.html", share_id=share_id)


@bp.get("/selection")
def selection() -> ResponseReturnValue:
    """What can be done with several shares at once; with none, back to the list."""
    owned = _selected(request.args.getlist("share"))
    return _page(owned) if owned else _nothing_selected()


@bp.post("/selection/change")
def change() -> ResponseReturnValue:
    """Changes who may read the shares, and until when; shows passwords that were made for that."""
    owned = _selected(request.form.getlist("share"))
    if not owned:
        return _nothing_selected()
    try:
        wanted = _change()
    except ValueError as error:
        return _page(owned, refusal=str(error)), 400
    passwords = {}
    for share in owned:
        row = services().shares.find(share.share_id)
        with suppress(ShareNotFound):
            _, generated = change_share(row, wanted) if row else (None, None)
            if generated:
                passwords[share.share_id] = generated
    if passwords:
        return _page(_selected(list(passwords)), passwords=passwords)
    return redirect(url_for("account.shares", done="changed"), 303)


@bp.get("/selection/delete")
def confirm_delete() -> ResponseReturnValue:
    """Asks once more, since nothing brings a share back."""
    owned = _selected(request.args.getlist("share"))
    if not owned:
        return _nothing_selected()
    return render_template("account/delete.html", shares=owned)


@bp.post("/selection/delete")
def delete() -> ResponseReturnValue:
    """Deletes the shares for good."""
    owned = _selected(request.form.getlist("share"))
    if not owned:
        return _nothing_selected()
    for share in owned:
        with suppress(ShareNotFound):
            services().forget(services().shares.delete_owned(share.share_id).cache_key)
            audit("share_deleted", share.share_id)
            count("shares_deleted")
    return redirect(url_for("account.shares", done="deleted"), 303)


@bp.post("/shares/<share_id>/claim")
@limit_by(lambda: "RATELIMIT_PASSWORD", scope="claim", key_func=rate_limit_address)
def claim(share_id: str) -> ResponseReturnValue:
    """Makes a share that nobody owns that of a member who knows its secret."""
    try:
        row = services().shares.authorize(share_id, request.form.get("secret", "").strip())
    except WrongSecret:
        audit("claim_refused", share_id)
        refusal = "That is not the secret of this share."
        return render_template("account/claim.html", share_id=share_id, refusal=refusal), 403
    if not services().shares.claim(row, require_member().id):
        raise NotYourShare
    audit("share_claimed", share_id)
    return redirect(url_for("account.shares", done="claimed"), 303)


def _owner() -> str | None:
    """Whose shares the member may manage: their own, or for admins those of all."""
    member = require_member()
    return None if member.is_admin else member.id


def _selected(share_ids: Sequence[str]) -> Sequence[OwnedShare]:
    """Those of the shares that the member may manage. Raises ApiError (400) for too many."""
    if len(share_ids) > MAX_SELECTION:
        raise ApiError(400, "too_many", f"Select at most {MAX_SELECTION} shares at once.")
    return services().owned_shares.some(share_ids, _owner())


def _nothing_selected() -> ResponseReturnValue:
    return redirect(url_for("account.shares", done="nothing"), 303)


def _page(
    shares: Sequence[OwnedShare], *, refusal: str = "", passwords: Mapping[str, str] | None = None
) -> str:
    return render_template(
        "account/manage.html",
        shares=shares,
        choices=services().audiences.choices,
        expiries=EXPIRIES,
        refusal=refusal,
        passwords=passwords or {},
        base_url=services().config.BASE_URL,
        has_views=services().config.SHARE_VIEWS,
        min_password=MIN_CHARACTERS,
        max_password=MAX_CHARACTERS,
        max_title=MAX_TITLE_CHARACTERS,
    )


def _change() -> Change:
    """What the form asks for. Raises ValueError with a sentence for the member."""
    audience = _audience(request.form.get("audience", ""))
    password = request.form.get("password", "") if audience in (None, PASSWORD) else ""
    if password and not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        raise ValueError(f"A password has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters.")
    expiry = request.form.get("expires", "")
    if expiry and expiry not in EXPIRIES:
        raise ValueError("Choose when the share is to expire.")
    expires_in: int | UnsetType | None = EXPIRIES[expiry][1] if expiry else UNSET
    title: str | UnsetType | None = UNSET
    if "title" in request.form:
        title = " ".join(request.form["title"].split()) or None
        if title and (len(title) > MAX_TITLE_CHARACTERS or "\0" in title):
            raise ValueError(f"A title has at most {MAX_TITLE_CHARACTERS} characters.")
    return Change(audience=audience, password=password or None, expires_in=expires_in, title=title)


def _audience(value: str) -> Audience | None:
    if not value:
        return None
    for choice in services().audiences.choices:
        if choice == value:
            return choice
    raise ValueError("Choose who may read the share.")
