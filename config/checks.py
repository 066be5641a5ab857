"""What each setting must be, beyond its type. Every check raises ConfigError."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import limits
from limits.errors import ConfigurationError
from limits.storage import storage_from_string
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from config.errors import ConfigError
from config.settings import Config
from config.units import read_duration

S3_REQUIRED = ("S3_ENDPOINT", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_BUCKET")
S3_OPTIONAL = ("S3_PUBLIC_URL", "S3_PRESIGN_ENDPOINT")
# Tokens stand in addresses, where these characters need no escapes (RFC 3986, section 2.3).
TOKEN = re.compile(r"([A-Za-z0-9._-]{1,64}):([A-Za-z0-9._~-]{16,256})")
# What no address has unescaped.
NO_ADDRESS = re.compile(r"[\s<>\"\\^`{|}]")
# What paths of the server begin with; below one of these it could not tell that address from its own.
OWN_PATHS = frozenset(
    {
        *("api", "healthz", "llms.txt", "metrics", "plugin", "plugin.tgz"),
        *("readyz", "share", "static", "t", "themes"),
    }
)


def check_s3(config: Config) -> None:
    missing = [name for name in S3_REQUIRED if not getattr(config, name)]
    present = [name for name in (*S3_REQUIRED, *S3_OPTIONAL) if getattr(config, name)]
    if missing and present:
        raise ConfigError(f"{present[0]} is set but {missing[0]} is not; S3 needs {', '.join(S3_REQUIRED)}.")


def check_limit(name: str, value: str) -> None:
    try:
        limits.parse_many(value)
    except ValueError:
        raise ConfigError(f"{name} is {value!r}: expected a limit such as '10/hour'.") from None


def check_duration(name: str, value: str) -> None:
    try:
        if value:
            read_duration(value)
    except ValueError as error:
        raise ConfigError(f"{name} is not valid: {error}") from None


def check_tokens(name: str, value: str) -> None:
    """What is wrong is told by its place: a sentence must not show a token."""
    names = set()
    for place, entry in enumerate(value.split(",") if value else [], start=1):
        found = TOKEN.fullmatch(entry.strip())
        if not found:
            raise ConfigError(
                f"{name} is not valid: entry {place} is not of the form 'name:token', "
                "where a token has at least 16 characters (letters, digits or any of '-._~')."
            )
        if found[1] in names:
            raise ConfigError(f"{name} contains the name {found[1]!r} twice.")
        names.add(found[1])


def check_limit_storage(uri: str) -> None:
    if not uri:
        return
    if urlsplit(uri).scheme == "memory":
        raise ConfigError(
            "RATELIMIT_STORAGE_URI is 'memory://', which counts in each worker separately; leave it unset."
        )
    try:
        storage_from_string(uri)
    except (ConfigurationError, ValueError):
        raise ConfigError("RATELIMIT_STORAGE_URI is not a URI such as 'redis://host:6379'.") from None


def web_address(name: str, value: str) -> str:
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if valid and parts.username is not None:
        raise ConfigError(f"{name} contains a user name or a password, which does not belong there.")
    if not valid or parts.query or parts.fragment or NO_ADDRESS.search(value):
        raise ConfigError(f"{name} is {value!r}: expected a URL such as 'https://share.example.com'.")
    return value.rstrip("/")


def base_url(config: Config) -> str:
    address = web_address("BASE_URL", config.BASE_URL or f"http://127.0.0.1:{config.PORT}")
    first, _, _ = urlsplit(address).path.strip("/").partition("/")
    if first in OWN_PATHS:
        raise ConfigError(
            f"BASE_URL is {address!r}: its path must not begin with /{first}, a path of the server itself."
        )
    return address


def database_url(config: Config) -> str:
    if not config.DATABASE_URL:
        return f"sqlite:///{config.data_dir / 'better-share.db'}"
    try:
        url = make_url(config.DATABASE_URL)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "DATABASE_URL is not valid: expected a URL such as 'postgresql://user:password@host/name'."
        ) from None
    if url.get_backend_name() in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg2")
    elif url.get_backend_name() != "sqlite":
        raise ConfigError(f"DATABASE_URL begins with {url.drivername!r}: expected 'postgresql' or 'sqlite'.")
    elif url.database in (None, "", ":memory:"):
        raise ConfigError("DATABASE_URL names no file; each worker would have its own database in memory.")
    return url.render_as_string(hide_password=False)
