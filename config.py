"""Every setting of the service: read once from the environment, typed and validated."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import limits
import msgspec
from limits.errors import ConfigurationError
from limits.storage import storage_from_string
from msgspec import Meta
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

Audience = Literal["link", "password", "members"]
AUDIENCES = get_args(Audience)


class ConfigError(SystemExit):
    """A setting is missing or wrong; uncaught, it ends the process with its sentence and no traceback."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"Better Share cannot start: {sentence}")


class Config(msgspec.Struct, frozen=True, kw_only=True, rename=None):
    """The settings, under the names of their environment variables; an empty variable counts as unset."""

    PORT: Annotated[int, Meta(ge=1, le=65535, description="Port that gunicorn listens on.")] = 8000
    WEB_CONCURRENCY: Annotated[int, Meta(ge=1, le=256, description="Number of gunicorn workers.")] = 4
    DATA_DIR: Annotated[
        str, Meta(description="Folder for the SQLite database, the documents and the generated secret key.")
    ] = "data"
    BASE_URL: Annotated[
        str,
        Meta(
            description="Public URL of this server, including a path if there is one. Links start with it. "
            "If unset, http://127.0.0.1 and the port."
        ),
    ] = ""
    DATABASE_URL: Annotated[
        str,
        Meta(
            description="Database URL, such as postgresql://user:password@host/name. "
            "If unset, an SQLite file in DATA_DIR."
        ),
    ] = ""
    DATABASE_TIMEOUT: Annotated[
        float,
        Meta(
            ge=1,
            le=60,
            description="Seconds that a request waits for the database, before it is answered with 503.",
        ),
    ] = 3
    SECRET_KEY: Annotated[
        str,
        Meta(
            description="Key that signs the upload links of the disk store, at least 16 characters. "
            "If unset, generated on first start and kept in DATA_DIR."
        ),
    ] = ""

    S3_ENDPOINT: Annotated[
        str, Meta(description="URL of the S3 service. For R2, the URL of your account.")
    ] = ""
    S3_ACCESS_KEY_ID: Annotated[str, Meta(description="Access key ID for the S3 service.")] = ""
    S3_SECRET_ACCESS_KEY: Annotated[str, Meta(description="Secret access key for the S3 service.")] = ""
    S3_BUCKET: Annotated[
        str,
        Meta(
            description="Bucket for the documents. Set all four settings from S3_ENDPOINT to S3_BUCKET, "
            "or none; without them, documents are stored in DATA_DIR."
        ),
    ] = ""
    S3_REGION: Annotated[str, Meta(description="Region of the bucket.")] = "auto"
    S3_ADDRESSING_STYLE: Annotated[
        Literal["path", "virtual"],
        Meta(description="Whether the bucket name is part of the path or of the host name."),
    ] = "path"
    S3_PUBLIC_URL: Annotated[
        str, Meta(description="Public URL of the bucket. If set, the server reads documents through it.")
    ] = ""
    S3_PRESIGN_ENDPOINT: Annotated[
        str, Meta(description="URL of the S3 service for clients, if S3_ENDPOINT is internal.")
    ] = ""

    PREVIEW_TITLES: Annotated[
        bool, Meta(description="Show the title, project and model of a session in link previews.")
    ] = True
    SHARE_REDACT: Annotated[
        bool,
        Meta(description="Remove recognised secrets from sessions that OpenCode sends without the plugin."),
    ] = False
    SHARE_REDACT_FORMATS: Annotated[
        str,
        Meta(
            description="JSON file with your own formats of secrets, which SHARE_REDACT removes too: "
            "[Redaction](redaction.md#your-own-formats)."
        ),
    ] = ""
    UPLOAD_SIZE_REQUIRED: Annotated[
        bool, Meta(description="Refuse to issue an upload link if the client did not declare the size.")
    ] = False
    MAX_SESSION_BYTES: Annotated[
        int,
        Meta(
            ge=1024,
            description="Maximum size of a document, in bytes or as in 100MB, "
            "both as stored and uncompressed.",
        ),
    ] = 100 * 1024 * 1024

    SHARE_MAX_AGE: Annotated[
        str,
        Meta(
            description="Maximum age of every share, such as 30d, 12h or 90m. "
            "If unset, only shares created with an expiry time expire."
        ),
    ] = ""

    SHARE_AUDIENCE: Annotated[
        Literal["link", "members"],
        Meta(
            description="Who may read shares whose authors did not say: everyone who has the link, or those "
            "who are signed in: [Private links](access.md)."
        ),
    ] = "link"
    SHARE_AUDIENCES: Annotated[
        str,
        Meta(description="What authors may choose, such as members,password. If unset, all that can be."),
    ] = ""
    AUTH_PROXY_HEADER: Annotated[
        str, Meta(description="Header in which a proxy names who is signed in, such as Remote-User.")
    ] = ""
    AUTH_PROXY_FROM: Annotated[
        str,
        Meta(
            description="Addresses or networks of that proxy, separated by commas; unix for a unix socket. "
            "From elsewhere, the header is ignored."
        ),
    ] = ""
    AUTH_PROXY_GROUPS_HEADER: Annotated[
        str,
        Meta(
            description="Header in which that proxy names their groups, separated by commas or bars, such as "
            "Remote-Groups; for group:staff in ADMINS."
        ),
    ] = ""

    SHARE_VIEWS: Annotated[
        bool, Meta(description="Count the readers of a share, for its owner alone, where people can sign in.")
    ] = True
    OIDC_ISSUER: Annotated[
        str,
        Meta(description="URL of an OpenID provider at which people sign in: [Sign-in](access.md#sign-in)."),
    ] = ""
    OIDC_CLIENT_ID: Annotated[str, Meta(description="What the provider calls this server.")] = ""
    OIDC_CLIENT_SECRET: Annotated[str, Meta(description="The secret that belongs to it.")] = ""
    OIDC_ALLOW: Annotated[
        str,
        Meta(
            description="Who of the provider's people may sign in, separated by commas: @example.com for a "
            "mail domain, grace@example.com for one address, group:staff for a group, * for all."
        ),
    ] = ""
    ADMINS: Annotated[
        str,
        Meta(
            description="Who sees and manages all shares: entries as in OIDC_ALLOW, or names as in "
            "AUTH_PROXY_HEADER, separated by commas."
        ),
    ] = ""

    SHARE_CREATE_TOKEN: Annotated[
        str,
        Meta(
            description="Tokens that allow creating shares, as name:token,name:token. "
            "If unset, anyone who can reach the server can create shares."
        ),
    ] = ""

    CACHE_MAX_BYTES: Annotated[
        int,
        Meta(
            ge=0,
            description="Maximum size of the cache in DATA_DIR, in bytes or as in 2GB: "
            "unpacked documents and pages.",
        ),
    ] = 1024 * 1024 * 1024

    RATELIMIT_ENABLED: Annotated[
        bool, Meta(description="Enable the rate limits of the API and of searches.")
    ] = True
    RATELIMIT_STORAGE_URI: Annotated[
        str,
        Meta(
            description="Storage for the rate limit counters, such as redis://host. If unset, the database."
        ),
    ] = ""
    RATELIMIT_CREATE: Annotated[
        str, Meta(description="Shares created per IP address, or per /64 network for IPv6.")
    ] = "10/hour"
    RATELIMIT_CREATE_TOKEN: Annotated[
        str, Meta(description="Shares created per token, of SHARE_CREATE_TOKEN or of a member.")
    ] = "100/hour"  # noqa: S105 - a limit
    RATELIMIT_API: Annotated[
        str, Meta(description="API requests per IP address, or per /64 network for IPv6.")
    ] = "100/minute"
    RATELIMIT_SHARE: Annotated[str, Meta(description="API requests per share, if they carry its secret.")] = (
        "120/minute"
    )
    RATELIMIT_SEARCH: Annotated[
        str, Meta(description="Searches in sessions per IP address, or per /64 network for IPv6.")
    ] = "120/minute"
    RATELIMIT_PASSWORD: Annotated[
        str, Meta(description="Passwords of shares entered per IP address, or per /64 network for IPv6.")
    ] = "10/minute"  # noqa: S105 - a limit
    RATELIMIT_PASSWORD_SHARE: Annotated[
        str, Meta(description="Passwords entered for one share, from all addresses.")
    ] = "30/minute"  # noqa: S105 - a limit
    RATELIMIT_SIGN_IN: Annotated[
        str, Meta(description="Sign-ins per IP address, or per /64 network for IPv6.")
    ] = "60/minute"
    TRUSTED_PROXIES: Annotated[
        int,
        Meta(
            ge=0,
            le=10,
            description="Number of reverse proxies in front of this server whose headers are trusted.",
        ),
    ] = 0

    LOG_FORMAT: Annotated[Literal["text", "json"], Meta(description="Format of the log lines.")] = "text"
    METRICS_ENABLED: Annotated[
        bool,
        Meta(
            description="Serve Prometheus metrics at /metrics, but not to requests that came through a proxy."
        ),
    ] = False

    @property
    def data_dir(self) -> Path:
        return Path(self.DATA_DIR).resolve()

    @property
    def base_path(self) -> str:
        """The path of BASE_URL; empty at the root of a host."""
        return urlsplit(self.BASE_URL).path

    @property
    def share_max_age(self) -> timedelta | None:
        return read_duration(self.SHARE_MAX_AGE) if self.SHARE_MAX_AGE else None

    @property
    def audiences(self) -> list[Audience]:
        """What authors may choose, the default first."""
        named = [name.strip() for name in self.SHARE_AUDIENCES.split(",") if name.strip()]
        possible: list[Audience] = ["link"]
        if not self.S3_PUBLIC_URL:
            possible.append("password")
        if self.has_sign_in:
            possible.append("members")
        offered = [name for name in possible if name in (named or possible)]
        return sorted(offered, key=lambda name: name != self.SHARE_AUDIENCE)

    @property
    def has_sign_in(self) -> bool:
        """Whether people can sign in."""
        return bool(self.AUTH_PROXY_HEADER or self.OIDC_ISSUER)

    @property
    def sign_in_proxies(self) -> tuple[list[IPv4Network | IPv6Network], bool]:
        """The networks of AUTH_PROXY_FROM, and whether a unix socket is among them. Raises ValueError."""
        names = [name.strip() for name in self.AUTH_PROXY_FROM.split(",") if name.strip()]
        return [ip_network(name) for name in names if name != "unix"], "unix" in names

    @property
    def create_tokens(self) -> dict[str, str]:
        """The tokens of SHARE_CREATE_TOKEN by their names."""
        entries = self.SHARE_CREATE_TOKEN.split(",") if self.SHARE_CREATE_TOKEN else []
        return dict(entry.strip().split(":", 1) for entry in entries)


LIMITS = (
    "RATELIMIT_CREATE",
    "RATELIMIT_CREATE_TOKEN",
    "RATELIMIT_API",
    "RATELIMIT_SHARE",
    "RATELIMIT_SEARCH",
    "RATELIMIT_PASSWORD",
    "RATELIMIT_PASSWORD_SHARE",
    "RATELIMIT_SIGN_IN",
)
SIZES = ("MAX_SESSION_BYTES", "CACHE_MAX_BYTES")
S3_REQUIRED = ("S3_ENDPOINT", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_BUCKET")
S3_OPTIONAL = ("S3_PUBLIC_URL", "S3_PRESIGN_ENDPOINT")
# Tokens stand in addresses, where these characters need no escapes (RFC 3986, section 2.3).
TOKEN = re.compile(r"([A-Za-z0-9._-]{1,64}):([A-Za-z0-9._~-]{16,256})")
# What no address has unescaped.
NO_ADDRESS = re.compile(r"[\s<>\"\\^`{|}]")
# What paths of the server begin with; below one of these it could not tell that address from its own.
OWN_PATHS = frozenset(
    {
        *("account", "api", "healthz", "llms.txt", "metrics", "plugin", "plugin.tgz"),
        *("readyz", "share", "static", "t", "themes"),
    }
)
OIDC = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ALLOW")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
BYTES = {"": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3}
# As long as the tokens that allow creating shares.
MIN_SECRET_KEY_CHARACTERS = 16


def read_config(environ: Mapping[str, str] = os.environ) -> Config:
    """The settings in `environ`, complete with defaults; makes `DATA_DIR` and the secret key where needed.

    Raises ConfigError, whose sentence names the setting.
    """
    config = _typed({name: value for name, value in environ.items() if value.strip()})
    _check_s3(config)
    for name in LIMITS:
        _check_limit(name, getattr(config, name))
    _check_limit_storage(config.RATELIMIT_STORAGE_URI)
    _check_duration("SHARE_MAX_AGE", config.SHARE_MAX_AGE)
    _check_tokens("SHARE_CREATE_TOKEN", config.SHARE_CREATE_TOKEN)
    _check_sign_in(config)
    _check_audiences(config)
    _make_data_dir(config.data_dir)
    secret_key = config.SECRET_KEY or _generated_secret_key(config.data_dir / "secret_key")
    _check_secret_key(secret_key, "" if config.SECRET_KEY else f" in {str(config.data_dir / 'secret_key')!r}")
    return msgspec.structs.replace(
        config,
        BASE_URL=_base_url(config),
        DATABASE_URL=_database_url(config),
        SECRET_KEY=secret_key,
        **{name: _web_address(name, getattr(config, name)) for name in ("S3_ENDPOINT", *S3_OPTIONAL)},
    )


def _typed(environ: Mapping[str, str]) -> Config:
    settings = {name: environ[name].strip() for name in Config.__struct_fields__ if name in environ}
    typed: dict[str, Any] = dict(settings)
    for name, value in settings.items():
        try:
            if name in SIZES:
                typed[name] = read_size(value)
            msgspec.convert({name: typed[name]}, Config, strict=False)
        except ValueError:  # msgspec's own errors included
            raise ConfigError(f"{name} is {value!r}: use {_expected(name)}.") from None
    return msgspec.convert(typed, Config, strict=False)


def _expected(name: str) -> str:
    """What a setting takes, in words for operators."""
    kind, meta = get_args(get_type_hints(Config, include_extras=True)[name])
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    if kind is bool:
        return "true or false"
    if name in SIZES:
        return f"a number of bytes, at least {meta.ge}, or a size such as '10MB'"
    number = "a whole number" if kind is int else "a number"
    return f"{number} from {meta.ge} to {meta.le}"


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
        raise ValueError(f"{text!r} is not a duration such as '30d', '12h' or '90m'.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def read_size(text: str) -> int:
    """The bytes in a size such as `1500`, `500KB`, `10MB` or `2GB`. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,15}) ?([KMG]B)?", text.upper(), re.ASCII)
    if not found:
        raise ValueError(f"{text!r} is no size such as '500KB' or '10MB'.")
    return int(found[1]) * BYTES[found[2] or ""]


def _check_duration(name: str, value: str) -> None:
    try:
        if value:
            read_duration(value)
    except ValueError as error:
        raise ConfigError(f"{name} is not valid: {error}") from None


def _check_tokens(name: str, value: str) -> None:
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


def _check_sign_in(config: Config) -> None:
    for names in (("AUTH_PROXY_HEADER", "AUTH_PROXY_FROM"), OIDC):
        missing = [name for name in names if not getattr(config, name)]
        present = [name for name in names if getattr(config, name)]
        if missing and present:
            raise ConfigError(f"{present[0]} is set but {missing[0]} is not.")
    if config.AUTH_PROXY_HEADER and config.OIDC_ISSUER:
        raise ConfigError("AUTH_PROXY_HEADER and OIDC_ISSUER are both set; people sign in at one of them.")
    if config.ADMINS and not config.has_sign_in:
        raise ConfigError("ADMINS is set, but nobody can sign in; set OIDC_ISSUER or AUTH_PROXY_HEADER.")
    issuer = urlsplit(_web_address("OIDC_ISSUER", config.OIDC_ISSUER))
    if issuer.scheme == "http" and issuer.hostname not in LOOPBACK:
        raise ConfigError("OIDC_ISSUER begins with http:, so anybody on the way could sign in; use https:.")
    for name in ("AUTH_PROXY_HEADER", "AUTH_PROXY_GROUPS_HEADER"):
        value = getattr(config, name)
        if value and not HEADER.fullmatch(value):
            raise ConfigError(f"{name} is {value!r}: expected the name of a header, such as 'Remote-User'.")
    if config.AUTH_PROXY_GROUPS_HEADER and not config.AUTH_PROXY_HEADER:
        raise ConfigError("AUTH_PROXY_GROUPS_HEADER is set but AUTH_PROXY_HEADER is not.")
    if config.AUTH_PROXY_GROUPS_HEADER.lower() == config.AUTH_PROXY_HEADER.lower() != "":
        raise ConfigError("AUTH_PROXY_GROUPS_HEADER and AUTH_PROXY_HEADER name the same header.")
    try:
        _ = config.sign_in_proxies
    except ValueError as error:
        raise ConfigError(f"AUTH_PROXY_FROM is not valid: {error}.") from None


def _check_audiences(config: Config) -> None:
    unknown = {name.strip() for name in config.SHARE_AUDIENCES.split(",") if name.strip()} - set(AUDIENCES)
    if unknown:
        raise ConfigError(f"SHARE_AUDIENCES has {min(unknown)!r}: use {', '.join(AUDIENCES)}.")
    for name in ("SHARE_AUDIENCE", "SHARE_AUDIENCES"):
        value = getattr(config, name)
        if "members" in value and not config.has_sign_in:
            raise ConfigError(
                f"{name} is {value!r}, but nobody can sign in; set OIDC_ISSUER or AUTH_PROXY_HEADER."
            )
        if config.S3_PUBLIC_URL and value not in ("", "link"):
            raise ConfigError(f"{name} is {value!r}, but S3_PUBLIC_URL lets everyone read every session.")
    if config.SHARE_AUDIENCE not in config.audiences:
        raise ConfigError(
            f"SHARE_AUDIENCE is {config.SHARE_AUDIENCE!r}, which SHARE_AUDIENCES does not have."
        )


def _check_limit_storage(uri: str) -> None:
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


def _web_address(name: str, value: str) -> str:
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


def _base_url(config: Config) -> str:
    address = _web_address("BASE_URL", config.BASE_URL or f"http://127.0.0.1:{config.PORT}")
    first, _, _ = urlsplit(address).path.strip("/").partition("/")
    if first in OWN_PATHS:
        raise ConfigError(
            f"BASE_URL is {address!r}: its path must not begin with /{first}, a path of the server itself."
        )
    return address


def _database_url(config: Config) -> str:
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


def _make_data_dir(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"DATA_DIR {str(data_dir)!r} cannot be created: {error.strerror}.") from None


def _generated_secret_key(path: Path) -> str:
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


def _check_secret_key(key: str, place: str) -> None:
    if len(key.strip()) < MIN_SECRET_KEY_CHARACTERS:
        raise ConfigError(
            f"the SECRET_KEY{place} is too short: use at least {MIN_SECRET_KEY_CHARACTERS} characters, "
            "such as those that 'openssl rand -hex 32' prints."
        )
