"""The command group: failures are one sentence and exit status 1; wrong usage has status 2.

Commands of root run as the owner of DATA_DIR, so that the server can use what they write there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup, ScriptInfo
from sqlalchemy.exc import DBAPIError

from app.lib.data_dir import act_as_owner
from app.lib.visible import visible
from app.services.backup.entries import BackupError
from app.services.members.directory import UnknownMember
from app.services.members.tokens import UnknownToken
from app.services.shares.cleanup import StoreMismatch
from app.services.shares.errors import ShareError
from app.services.shares.store_migration import OtherVersion
from app.storage import StorageError

# Errors whose text is a sentence for the operator.
SENTENCES = (
    BackupError,
    OtherVersion,
    PermissionError,
    ShareError,
    StoreMismatch,
    UnknownMember,
    UnknownToken,
)


class Administration(AppGroup):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            act_as_owner(Path(ctx.ensure_object(ScriptInfo).load_app().config["DATA_DIR"]))
            return super().invoke(ctx)
        except StorageError as error:
            raise _failure(f"The session storage failed: {error}; try again.") from None
        except DBAPIError as error:
            raise _failure(f"The database failed: {' '.join(str(error.orig).split())}") from None
        except SENTENCES as error:
            raise _failure(str(error)) from None


def _failure(sentence: str) -> click.ClickException:
    return click.ClickException(visible(sentence))


shares = Administration("shares", help="List, show, delete and clean up shares.")
