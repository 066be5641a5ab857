"""Reads the settings from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from config.checks import (
    S3_OPTIONAL,
    base_url,
    check_duration,
    check_limit,
    check_limit_storage,
    check_s3,
    check_tokens,
    database_url,
    web_address,
)
from config.data_dir import check_secret_key, generated_secret_key, make_data_dir
from config.errors import ConfigError
from config.settings import Config
from config.units import read_size

LIMITS = (
    "RATELIMIT_CREATE",
    "RATELIMIT_CREATE_TOKEN",
    "RATELIMIT_API",
    "RATELIMIT_SHARE",
    "RATELIMIT_SEARCH",
)
SIZES = ("MAX_SESSION_BYTES", "CACHE_MAX_BYTES")


def read_config(environ: Mapping[str, str] = os.environ) -> Config:
    """The settings in `environ`, complete with defaults; makes `DATA_DIR` and the secret key where needed.

    Raises ConfigError, whose sentence names the setting.
    """
    config = _typed({name: value for name, value in environ.items() if value.strip()})
    check_s3(config)
    for name in LIMITS:
        check_limit(name, getattr(config, name))
    check_limit_storage(config.RATELIMIT_STORAGE_URI)
    check_duration("SHARE_MAX_AGE", config.SHARE_MAX_AGE)
    check_tokens("SHARE_CREATE_TOKEN", config.SHARE_CREATE_TOKEN)
    make_data_dir(config.data_dir)
    secret_key = config.SECRET_KEY or generated_secret_key(config.data_dir / "secret_key")
    check_secret_key(secret_key, "" if config.SECRET_KEY else f" in {str(config.data_dir / 'secret_key')!r}")
    return msgspec.structs.replace(
        config,
        BASE_URL=base_url(config),
        DATABASE_URL=database_url(config),
        SECRET_KEY=secret_key,
        **{name: web_address(name, getattr(config, name)) for name in ("S3_ENDPOINT", *S3_OPTIONAL)},
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
