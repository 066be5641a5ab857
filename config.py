"""Every setting of the service: read once from the environment, typed and validated."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import limits
import msgspec
from limits.errors import ConfigurationError
from limits.storage import storage_from_string
from msgspec import Meta
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


class ConfigError(SystemExit):
    """A setting is missing or wrong; uncaught, it ends the process with its sentence and no traceback."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"Better Share cannot start: {sentence}")


class Config(msgspec.Struct, frozen=True, kw_only=True, rename=None):
    """The settings, under the names of their environment variables; an empty variable counts as unset."""

    PORT: Annotated[int, Meta(ge=1, le=65535, description="Port that gunicorn listens on.")] = 8000
    WEB_CONCURRENCY: Annotated[int, Meta(ge=1, le=256, description="Number of gunicorn workers.")] = 4
    DATA_DIR: Annotated[
        str, Meta(description="Folder of the SQLite database, the documents and the generated secret key.")
    ] = "data"
    BASE_URL: Annotated[
        str,
        Meta(
            description="Address under which readers reach this server, with its path if it has one; "
            "links begin with it. Unset, http://127.0.0.1 and the port."
        ),
    ] = ""
    DATABASE_URL: Annotated[
        str,
        Meta(
            description="For example postgresql://user:password@host/name; unset, an SQLite file in DATA_DIR."
        ),
    ] = ""
    SECRET_KEY: Annotated[
        str,
        Meta(description="Signs the upload links of the disk store; unset, generated once into DATA_DIR."),
    ] = ""

    S3_ENDPOINT: Annotated[str, Meta(description="Address of the S3 service, for R2 the account's.")] = ""
    S3_ACCESS_KEY_ID: Annotated[str, Meta(description="Access key of the S3 service.")] = ""
    S3_SECRET_ACCESS_KEY: Annotated[str, Meta(description="Secret key of the S3 service.")] = ""
    S3_BUCKET: Annotated[
        str,
        Meta(
            description="Bucket of the documents. All four of these or none; without, they live in DATA_DIR."
        ),
    ] = ""
    S3_REGION: Annotated[str, Meta(description="Region of the bucket.")] = "auto"
    S3_ADDRESSING_STYLE: Annotated[
        Literal["path", "virtual"],
        Meta(description="Whether the bucket stands in the path or in the host name."),
    ] = "path"
    S3_PUBLIC_URL: Annotated[
        str, Meta(description="Public address of the bucket; when set, documents are read through it.")
    ] = ""
    S3_PRESIGN_ENDPOINT: Annotated[
        str, Meta(description="Address of the S3 service as clients see it, when S3_ENDPOINT is internal.")
    ] = ""

    PREVIEW_TITLES: Annotated[
        bool, Meta(description="Whether previews of links show the title, project and model of a session.")
    ] = True
    SHARE_REDACT: Annotated[
        bool,
        Meta(
            description="Remove the secrets that are recognised from what OpenCode sends without the plugin."
        ),
    ] = False
    UPLOAD_SIZE_REQUIRED: Annotated[
        bool, Meta(description="Refuse to sign an upload whose size was not declared.")
    ] = False
    MAX_SESSION_BYTES: Annotated[
        int, Meta(ge=1024, description="Largest document in bytes, as stored and again when unpacked.")
    ] = 100 * 1024 * 1024

    SHARE_MAX_AGE: Annotated[
        str,
        Meta(description="When every share expires, such as 30d, 12h or 90m; unset, only those that ask to."),
    ] = ""

    SHARE_CREATE_TOKEN: Annotated[
        str,
        Meta(description="Who may share, as name:token,name:token; unset, everybody who reaches the server."),
    ] = ""

    CACHE_MAX_BYTES: Annotated[
        int, Meta(ge=0, description="How much of DATA_DIR unpacked documents and finished pages may take.")
    ] = 1024 * 1024 * 1024

    RATELIMIT_ENABLED: Annotated[bool, Meta(description="Whether requests to the API are limited.")] = True
    RATELIMIT_STORAGE_URI: Annotated[
        str, Meta(description="Where requests are counted, for example redis://host; unset, the database.")
    ] = ""
    RATELIMIT_CREATE: Annotated[
        str, Meta(description="Creations an IP address may make, or a /64 of IPv6.")
    ] = "10/hour"
    RATELIMIT_CREATE_TOKEN: Annotated[
        str, Meta(description="Creations that may be made with one token of SHARE_CREATE_TOKEN.")
    ] = "100/hour"  # noqa: S105 - a limit
    RATELIMIT_API: Annotated[
        str, Meta(description="API requests an IP address may make, or a /64 of IPv6.")
    ] = "100/minute"
    RATELIMIT_SHARE: Annotated[
        str, Meta(description="API requests that may be made with the secret of a share.")
    ] = "120/minute"
    TRUSTED_PROXIES: Annotated[
        int, Meta(ge=0, le=10, description="Proxies in front of this server whose forwarded headers count.")
    ] = 0

    LOG_FORMAT: Annotated[Literal["text", "json"], Meta(description="How log lines are written.")] = "text"
    METRICS_ENABLED: Annotated[
        bool, Meta(description="Whether Prometheus may ask for /metrics, from inside only.")
    ] = False

    @property
    def data_dir(self) -> Path:
        return Path(self.DATA_DIR).resolve()

    @property
    def share_max_age(self) -> timedelta | None:
        return read_duration(self.SHARE_MAX_AGE) if self.SHARE_MAX_AGE else None

    @property
    def create_tokens(self) -> dict[str, str]:
        """The tokens of SHARE_CREATE_TOKEN by their names."""
        entries = self.SHARE_CREATE_TOKEN.split(",") if self.SHARE_CREATE_TOKEN else []
        return dict(entry.strip().split(":", 1) for entry in entries)


S3_REQUIRED = ("S3_ENDPOINT", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_BUCKET")
S3_OPTIONAL = ("S3_PUBLIC_URL", "S3_PRESIGN_ENDPOINT")
# Tokens stand in addresses, where these characters need no escapes (RFC 3986, section 2.3).
TOKEN = re.compile(r"([A-Za-z0-9._-]{1,64}):([A-Za-z0-9._~-]{16,256})")
# What no address has unescaped.
NO_ADDRESS = re.compile(r"[\s<>\"\\^`{|}]")
# What paths of the server begin with; below one of these it could not tell that address from its own.
OWN_PATHS = frozenset({"api", "healthz", "metrics", "readyz", "share", "static", "t", "themes"})
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_config(environ: Mapping[str, str] = os.environ) -> Config:
    """The settings in `environ`, complete with defaults; makes `DATA_DIR` and the secret key where needed.

    Raises ConfigError, whose sentence names the setting.
    """
    config = _typed({name: value for name, value in environ.items() if value.strip()})
    _check_s3(config)
    for name in ("RATELIMIT_CREATE", "RATELIMIT_CREATE_TOKEN", "RATELIMIT_API", "RATELIMIT_SHARE"):
        _check_limit(name, getattr(config, name))
    _check_limit_storage(config.RATELIMIT_STORAGE_URI)
    _check_duration("SHARE_MAX_AGE", config.SHARE_MAX_AGE)
    _check_tokens("SHARE_CREATE_TOKEN", config.SHARE_CREATE_TOKEN)
    _make_data_dir(config.data_dir)
    return msgspec.structs.replace(
        config,
        BASE_URL=_base_url(config),
        DATABASE_URL=_database_url(config),
        SECRET_KEY=config.SECRET_KEY or _generated_secret_key(config.data_dir / "secret_key"),
        **{name: _web_address(name, getattr(config, name)) for name in ("S3_ENDPOINT", *S3_OPTIONAL)},
    )


def _typed(environ: Mapping[str, str]) -> Config:
    settings = {name: environ[name].strip() for name in Config.__struct_fields__ if name in environ}
    for name, value in settings.items():
        try:
            msgspec.convert({name: value}, Config, strict=False)
        except msgspec.ValidationError as error:
            reason = str(error).partition(" - at ")[0]
            raise ConfigError(f"{name} is {value!r}: {reason}.") from None
    return msgspec.convert(settings, Config, strict=False)


def _check_s3(config: Config) -> None:
    missing = [name for name in S3_REQUIRED if not getattr(config, name)]
    present = [name for name in (*S3_REQUIRED, *S3_OPTIONAL) if getattr(config, name)]
    if missing and present:
        raise ConfigError(f"{present[0]} is set but {missing[0]} is not; S3 needs {', '.join(S3_REQUIRED)}.")


def _check_limit(name: str, value: str) -> None:
    try:
        limits.parse_many(value)
    except ValueError:
        raise ConfigError(f"{name} is {value!r}: expected a limit such as '10/hour'.") from None


def read_duration(text: str) -> timedelta:
    """The time in words such as `30d`, `12h` or `90m`. Raises ValueError."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([smhdw])", text)
    if not found:
        raise ValueError(f"{text!r} is no duration such as '30d', '12h' or '90m'.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _check_duration(name: str, value: str) -> None:
    try:
        if value:
            read_duration(value)
    except ValueError as error:
        raise ConfigError(f"{name} cannot be used: {error}") from None


def _check_tokens(name: str, value: str) -> None:
    """What is wrong is told by its place: a sentence must not show a token."""
    names = set()
    for place, entry in enumerate(value.split(",") if value else [], start=1):
        found = TOKEN.fullmatch(entry.strip())
        if not found:
            raise ConfigError(
                f"{name} has something else than 'name:token' at place {place}; "
                "a token has 16 or more letters, digits, or any of '-._~'."
            )
        if found[1] in names:
            raise ConfigError(f"{name} has the name {found[1]!r} twice.")
        names.add(found[1])


def _check_limit_storage(uri: str) -> None:
    if not uri:
        return
    if urlsplit(uri).scheme == "memory":
        raise ConfigError(
            "RATELIMIT_STORAGE_URI is 'memory://': each worker would count alone; leave it unset."
        )
    try:
        storage_from_string(uri)
    except (ConfigurationError, ValueError):
        raise ConfigError("RATELIMIT_STORAGE_URI is not an address such as 'redis://host:6379'.") from None


def _web_address(name: str, value: str) -> str:
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment or parts.username or NO_ADDRESS.search(value):
        raise ConfigError(f"{name} is {value!r}: expected an address such as 'https://share.example.com'.")
    return value.rstrip("/")


def _base_url(config: Config) -> str:
    address = _web_address("BASE_URL", config.BASE_URL or f"http://127.0.0.1:{config.PORT}")
    first, _, _ = urlsplit(address).path.strip("/").partition("/")
    if first in OWN_PATHS:
        raise ConfigError(
            f"BASE_URL is {address!r}: its path cannot begin with /{first}, as pages of the server itself do."
        )
    return address


def _database_url(config: Config) -> str:
    if not config.DATABASE_URL:
        return f"sqlite:///{config.data_dir / 'better-share.db'}"
    try:
        url = make_url(config.DATABASE_URL)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "DATABASE_URL is not an address: expected 'postgresql://user:password@host/name'."
        ) from None
    if url.get_backend_name() in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg2")
    elif url.get_backend_name() != "sqlite":
        raise ConfigError(f"DATABASE_URL begins with {url.drivername!r}: expected 'postgresql' or 'sqlite'.")
    elif url.database in (None, "", ":memory:"):
        raise ConfigError("DATABASE_URL names no file: each worker would have a database of its own.")
    return url.render_as_string(hide_password=False)


def _make_data_dir(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"DATA_DIR {str(data_dir)!r} cannot be made: {error.strerror}.") from None


def _generated_secret_key(path: Path) -> str:
    """The key in `path`, written first when there is none; processes that start together agree on one."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(32))
            with suppress(FileExistsError):
                path.hardlink_to(draft)
        except OSError as error:
            raise ConfigError(f"SECRET_KEY cannot be kept in {str(path)!r}: {error.strerror}.") from None
        finally:
            draft.unlink(missing_ok=True)
    return path.read_text()
