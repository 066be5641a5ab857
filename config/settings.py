"""The settings of the service, typed and described; `docs/configuration.md` is made of this."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from config.units import read_duration


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
        str, Meta(description="Shares created per token of SHARE_CREATE_TOKEN.")
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
    def create_tokens(self) -> dict[str, str]:
        """The tokens of SHARE_CREATE_TOKEN by their names."""
        entries = self.SHARE_CREATE_TOKEN.split(",") if self.SHARE_CREATE_TOKEN else []
        return dict(entry.strip().split(":", 1) for entry in entries)
