"""The page of one's own shares, and of all shares for admins."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.account.blueprint import bp, require_member
from app.services.container import services
from app.services.shares.owned import DEFAULT_SORT, MAX_SEARCH_CHARACTERS, SORTS

MINE = "mine"
VIEWS = "views"
SORT_LABELS = {
    "created": "Newest",
    "changed": "Last changed",
    "views": "Most readers",
    "size": "Largest",
    "title": "Title",
}
# What the last form has done.
DONE = {
    "changed": "Changed.",
    "claimed": "This share is yours now.",
    "deleted": "Deleted. Nobody can open these links any more.",
    "nothing": "No share is selected, or it was deleted meanwhile.",
}


@bp.get("/")
def account() -> ResponseReturnValue:
    """What somebody finds who shortens an address."""
    return redirect(url_for("account.shares"), 302)


@bp.get("/shares")
def shares() -> str:
    member = require_member()
    sort = request.args.get("sort", DEFAULT_SORT)
    search = request.args.get("q", "").strip()
    has_views = services().config.SHARE_VIEWS
    is_all = member.is_admin and request.args.get("whose") != MINE
    page = services().owned_shares.page(
        None if is_all else member.id, search=search, sort=sort, after=request.args.get("after", "")
    )
    return render_template(
        "account/shares.html",
        shares=page.shares,
        next_after=page.next_after,
        owners=services().members.accounts({share.member_id for share in page.shares if share.member_id}),
        search=search,
        sort=sort if sort in SORTS else DEFAULT_SORT,
        sorts=SORT_LABELS
        if has_views
        else {name: SORT_LABELS[name] for name in SORT_LABELS if name != VIEWS},
        has_views=has_views,
        is_all=is_all,
        is_first="after" not in request.args,
        max_search=MAX_SEARCH_CHARACTERS,
        done=DONE.get(request.args.get("done", ""), ""),
    )
