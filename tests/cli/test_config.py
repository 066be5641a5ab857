"""`flask config check`."""

from __future__ import annotations

from config import Config
from tests.conftest import running_app


def test_the_settings_in_effect_are_printed_with_secrets_masked(settings: dict[str, str]) -> None:
    secrets = {
        "DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/db?sslmode=require&sslpassword=hunter2",
        "RATELIMIT_STORAGE_URI": "redis://:hunter2@redis.example.com?password=hunter2",
        "SECRET_KEY": "hunter2hunter2hunter2",
        "SHARE_CREATE_TOKEN": "alice:hunter2hunter2hunter2,bob:hunter2hunter2-hunter2",
        "S3_ENDPOINT": "https://s3.example.com",
        "S3_ACCESS_KEY_ID": "hunter2",
        "S3_SECRET_ACCESS_KEY": "hunter2",
        "OIDC_ISSUER": "https://id.example.com",
        "OIDC_CLIENT_ID": "better-share",
        "OIDC_CLIENT_SECRET": "hunter2",
        "OIDC_ALLOW": "@example.com",
        "S3_BUCKET": "shares",
    }
    with running_app({**settings, **secrets, "MAX_SESSION_BYTES": "10MB"}) as app:
        printed = app.test_cli_runner().invoke(args=["config", "check"])
    assert printed.exit_code == 0, printed.output
    values = dict(line.split(maxsplit=1) for line in printed.stdout.splitlines())
    assert values["MAX_SESSION_BYTES"] == "10000000"
    assert values["SHARE_REDACT"] == "false"
    assert values["SHARE_MAX_AGE"] == "-"
    assert values["DATABASE_URL"] == (
        "postgresql+psycopg2://me:***@127.0.0.1:1/db?sslmode=require&sslpassword=***"
    )
    assert values["RATELIMIT_STORAGE_URI"] == "redis://:***@redis.example.com?password=***"
    assert values["SHARE_CREATE_TOKEN"] == "alice:***,bob:***"
    assert "hunter2" not in printed.stdout


def test_every_setting_is_printed(settings: dict[str, str]) -> None:
    with running_app(settings) as app:
        printed = app.test_cli_runner().invoke(args=["config", "check"]).stdout
    assert [line.split()[0] for line in printed.splitlines()] == list(Config.__struct_fields__)
