"""The page of one's own tokens."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.account.blueprint import bp, require_member
from app.services.access.audit import audit
from app.services.container import services
from app.services.members.tokens import MAX_NAME_CHARACTERS, TooManyTokens


@bp.get("/tokens")
def tokens() -> str:
    return _page()


@bp.post("/tokens")
def create_token() -> ResponseReturnValue:
    """Makes a token, and shows it this once."""
    name = " ".join(request.form.get("name", "").split())
    if not name or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        return _page(refusal=f"A name has 1 to {MAX_NAME_CHARACTERS} characters."), 400
    try:
        token = services().personal_tokens.create(require_member().id, name)
    except TooManyTokens as error:
        return _page(refusal=str(error)), 409
    audit("token_created", token=name)
    return _page(new_token=token)


@bp.post("/tokens/<token_id>/revoke")
def revoke_token(token_id: str) -> ResponseReturnValue:
    """Ends a token of one's own."""
    is_id = token_id.isascii() and token_id.isalnum()
    token = services().personal_tokens.revoke(token_id, require_member().id) if is_id else None
    if token:
        audit("token_revoked", token=token.name)
    return redirect(url_for("account.tokens"), 303)


def _page(new_token: str = "", refusal: str = "") -> str:
    return render_template(
        "account/tokens.html",
        tokens=services().personal_tokens.of(require_member().id),
        new_token=new_token,
        refusal=refusal,
        base_url=services().config.BASE_URL,
        max_name=MAX_NAME_CHARACTERS,
    )
