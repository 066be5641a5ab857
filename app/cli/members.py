"""`flask members` and `flask tokens`: who has signed in, and what their programs present."""

from __future__ import annotations

import click

from app.cli.group import Administration
from app.cli.options import as_json, echo, format_time, milliseconds, print_json
from app.services.container import services
from app.services.members.tokens import UnknownToken

MEMBER_ROW = "{:<16}  {:<30}  {:<24}  {:<16}  {:<16}  {}"
TOKEN_ROW = "{:<12}  {:<30}  {:<24}  {:<16}  {:<16}  {}"  # noqa: S105 - a table

members = Administration("members", help="List and remove members.")
tokens = Administration("tokens", help="List and revoke personal tokens.")


@members.command("list")
@as_json
def list_members(as_json: bool) -> None:
    """List members, those first who were here last."""
    rows = services().members.all()
    if as_json:
        print_json(
            [
                {
                    "id": row.id,
                    "account": row.account,
                    "name": row.name,
                    "issuer": row.issuer,
                    "firstSeenAt": milliseconds(row.first_seen_at),
                    "lastSeenAt": milliseconds(row.last_seen_at),
                }
                for row in rows
            ]
        )
        return
    echo(MEMBER_ROW.format("ID", "ACCOUNT", "NAME", "FIRST SEEN (UTC)", "LAST SEEN (UTC)", "ISSUER"))
    for row in rows:
        times = format_time(row.first_seen_at), format_time(row.last_seen_at)
        echo(MEMBER_ROW.format(row.id, row.account, row.name, *times, row.issuer))


@members.command("remove")
@click.argument("account", metavar="ID_OR_ACCOUNT")
def remove_member(account: str) -> None:
    """Sign a member out, revoke their tokens and forget them; their shares stay.

    Who may sign in, by the settings and the provider, can come back.
    """
    row = services().members.find(account)
    member_id, name = row.id, row.account
    count = services().personal_tokens.revoke_all_of(member_id)
    services().members.remove(member_id)
    echo(f"Removed {name}, with {count} tokens.")


@tokens.command("list")
@as_json
def list_tokens(as_json: bool) -> None:
    """List personal tokens, the newest first; the tokens themselves are stored nowhere."""
    rows = services().personal_tokens.all()
    accounts = services().members.accounts({row.member for row in rows})
    if as_json:
        print_json(
            [
                {
                    "id": row.id,
                    "account": accounts.get(row.member),
                    "name": row.name,
                    "createdAt": milliseconds(row.created_at),
                    "lastUsedAt": milliseconds(row.last_used_at),
                    "revokedAt": milliseconds(row.revoked_at),
                }
                for row in rows
            ]
        )
        return
    echo(TOKEN_ROW.format("ID", "ACCOUNT", "NAME", "MADE (UTC)", "LAST USED (UTC)", "REVOKED (UTC)"))
    for row in rows:
        times = (format_time(time) for time in (row.created_at, row.last_used_at, row.revoked_at))
        echo(TOKEN_ROW.format(row.id, accounts.get(row.member, "-"), row.name, *times))


@tokens.command("revoke")
@click.argument("token_id", metavar="ID")
def revoke_token(token_id: str) -> None:
    """End a personal token."""
    token = services().personal_tokens.revoke(token_id)
    if token is None:
        raise UnknownToken
    echo(f"Revoked {token.name}.")
