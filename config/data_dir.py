"""The folder of the server, and the secret key in it. Each function raises ConfigError."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from config.errors import ConfigError

# As long as the tokens that allow creating shares.
MIN_SECRET_KEY_CHARACTERS = 16


def make_data_dir(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"DATA_DIR {str(data_dir)!r} cannot be created: {error.strerror}.") from None


def generated_secret_key(path: Path) -> str:
    """The key in `path`, written first when there is none; processes that start together agree on one."""
    try:
        if not path.exists():
            _write_secret_key(path)
        return path.read_text()
    except PermissionError:
        raise ConfigError(
            f"{str(path)!r}, which keeps the SECRET_KEY, does not belong to the user who runs this server; "
            f"run 'chown -R {os.geteuid()} {path.parent}' as root."
        ) from None
    except OSError as error:
        raise ConfigError(f"SECRET_KEY cannot be kept in {str(path)!r}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{str(path)!r} holds no text; it should hold the SECRET_KEY.") from None


def _write_secret_key(path: Path) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    try:
        with draft.open("w") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            # After a power cut the file would be there, and empty.
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


def check_secret_key(key: str, place: str) -> None:
    if len(key.strip()) < MIN_SECRET_KEY_CHARACTERS:
        raise ConfigError(
            f"the SECRET_KEY{place} is too short: use at least {MIN_SECRET_KEY_CHARACTERS} characters, "
            "such as those that 'openssl rand -hex 32' prints."
        )
