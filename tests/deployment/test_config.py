"""Settings from the environment."""

from __future__ import annotations

import stat
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from config import Config, ConfigError, read_config
from tests.support.paths import ROOT
from tests.support.servers.gunicorn import PROGRAMS, environment

S3 = {
    "S3_ENDPOINT": "https://account.r2.cloudflarestorage.com/",
    "S3_ACCESS_KEY_ID": "id",
    "S3_SECRET_ACCESS_KEY": "key",
    "S3_BUCKET": "shares",
}


def read(folder: Path, **settings: str) -> Config:
    return read_config({"DATA_DIR": str(folder), **settings})


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    config = read(tmp_path)
    assert config.BASE_URL == "http://127.0.0.1:8000"
    assert f"sqlite:///{tmp_path}/better-share.db" == config.DATABASE_URL
    assert config.MAX_SESSION_BYTES == 100 * 1024 * 1024
    assert (config.WEB_CONCURRENCY, config.S3_BUCKET, config.S3_REGION) == (4, "", "auto")


def test_the_base_url_follows_the_port(tmp_path: Path) -> None:
    assert read(tmp_path, PORT="9000").BASE_URL == "http://127.0.0.1:9000"


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    assert read(tmp_path, PORT="", S3_BUCKET=" ").PORT == 8000


def test_addresses_lose_their_last_slash(tmp_path: Path) -> None:
    config = read(tmp_path, BASE_URL="https://share.example.com/", **S3)
    assert config.BASE_URL == "https://share.example.com"
    assert config.S3_ENDPOINT == "https://account.r2.cloudflarestorage.com"


def test_an_address_may_have_a_path_that_is_none_of_the_servers_own(tmp_path: Path) -> None:
    for path in ("/sessions", "/shares/share", "/team/t"):
        assert read(tmp_path, BASE_URL=f"https://example.com{path}/").BASE_URL.endswith(path)


def test_the_old_scheme_of_postgres_is_accepted(tmp_path: Path) -> None:
    config = read(tmp_path, DATABASE_URL="postgres://me:p%40ss@db/name")
    assert config.DATABASE_URL == "postgresql+psycopg2://me:p%40ss@db/name"


def test_the_secret_key_is_generated_once_and_for_its_owner_only(tmp_path: Path) -> None:
    key = read(tmp_path).SECRET_KEY
    assert len(key) >= 32
    assert key == read(tmp_path).SECRET_KEY
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_given_secret_key_is_not_written_down(tmp_path: Path) -> None:
    assert read(tmp_path, SECRET_KEY="given-by-the-operator").SECRET_KEY == "given-by-the-operator"
    assert list(tmp_path.iterdir()) == []


def test_a_secret_key_that_is_too_short_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SECRET_KEY is too short: use at least 16 characters") as refused:
        read(tmp_path, SECRET_KEY="hunter2")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"short", "is too short"), (b"", "is too short"), (b"\xff" * 32, "holds no text")],
)
def test_a_stored_secret_key_that_cannot_be_used_is_named_by_its_file(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "secret_key").write_bytes(content)
    with pytest.raises(ConfigError, match=reason) as refused:
        read(tmp_path)
    assert f"{tmp_path}/secret_key" in str(refused.value)


def test_a_folder_in_place_of_the_secret_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret_key").mkdir()
    with pytest.raises(ConfigError, match="secret_key': Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize(("text", "meant"), [("2048", 2048), ("10MB", 10_000_000), ("1 gb", 1_000_000_000)])
def test_a_size_is_a_number_of_bytes_or_has_a_unit(tmp_path: Path, text: str, meant: int) -> None:
    assert meant == read(tmp_path, MAX_SESSION_BYTES=text).MAX_SESSION_BYTES


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SHARE_REDACT", "yes", "SHARE_REDACT is 'yes': use true or false."),
        ("LOG_FORMAT", "xml", "LOG_FORMAT is 'xml': use text or json."),
        ("PORT", "http", "PORT is 'http': use a whole number from 1 to 65535."),
        ("DATABASE_TIMEOUT", "0", "DATABASE_TIMEOUT is '0': use a number from 1 to 60."),
        ("CACHE_MAX_BYTES", "10 apples", "or a size such as '10MB'."),
        ("MAX_SESSION_BYTES", "1KB", "use a number of bytes, at least 1024, or a size such as '10MB'."),
    ],
)
def test_a_wrong_value_is_answered_with_what_to_use(
    tmp_path: Path, name: str, value: str, words: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, **{name: value})
    assert str(refused.value).endswith(words)


def test_a_password_in_an_address_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="S3_ENDPOINT contains a user name") as refused:
        read(tmp_path, **{**S3, "S3_ENDPOINT": "https://me:hunter2@s3.example.com"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", S3)
def test_half_an_s3_configuration_names_what_is_missing(tmp_path: Path, name: str) -> None:
    half = {key: value for key, value in S3.items() if key != name}
    with pytest.raises(ConfigError, match=f"but {name} is not"):
        read(tmp_path, **half)


def test_a_public_bucket_alone_is_half_an_s3_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="S3_PUBLIC_URL is set but S3_ENDPOINT is not"):
        read(tmp_path, S3_PUBLIC_URL="https://pub.example.com")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("WEB_CONCURRENCY", "0"),
        ("MAX_SESSION_BYTES", "100TB"),
        ("MAX_SESSION_BYTES", "١٠MB"),
        ("UPLOAD_SIZE_REQUIRED", "maybe"),
        ("TRUSTED_PROXIES", "-1"),
        ("RATELIMIT_CREATE", "ten per hour"),
        ("RATELIMIT_CREATE_TOKEN", "many"),
        ("SHARE_CREATE_TOKEN", "sixteen-characters"),
        ("SHARE_CREATE_TOKEN", "alice:short"),
        ("SHARE_CREATE_TOKEN", "alice:sixteen-characters,"),
        ("SHARE_CREATE_TOKEN", "alice:sixteen/characters"),
        ("SHARE_CREATE_TOKEN", "alice:sixteen-characters,alice:others-of-sixteen"),
        ("SHARE_MAX_AGE", "30"),
        ("SHARE_MAX_AGE", "0d"),
        ("SHARE_MAX_AGE", "99999999999w"),
        ("BASE_URL", "share.example.com"),
        ("BASE_URL", "https://share.example.com/?a=b"),
        ("BASE_URL", "https://share.example.com/a b"),
        ("BASE_URL", "http://[::1"),
        ("BASE_URL", "https://example.com/share"),
        ("BASE_URL", "https://example.com/t/team/"),
        ("S3_ADDRESSING_STYLE", "auto"),
        ("DATABASE_URL", "mysql://db/name"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgresql://me@db:port/name"),
        ("DATABASE_URL", "sqlite://"),
        ("RATELIMIT_STORAGE_URI", "foo://host"),
        ("RATELIMIT_STORAGE_URI", "memory://"),
        ("SHARE_AUDIENCE", "everybody"),
        ("SHARE_AUDIENCE", "members"),
        ("SHARE_AUDIENCES", "password"),
        ("SHARE_AUDIENCES", "link,members"),
        ("SHARE_AUDIENCES", "link,friends"),
        ("AUTH_PROXY_HEADER", "Remote-User"),
        ("AUTH_PROXY_FROM", "127.0.0.1"),
        ("AUTH_PROXY_GROUPS_HEADER", "Remote-Groups"),
        ("OIDC_ISSUER", "https://id.example.com"),
        ("OIDC_CLIENT_ID", "better-share"),
        ("ADMINS", "grace@example.com"),
        ("BASE_URL", "https://example.com/account"),
        ("DATA_DIR", "/dev/null/data"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_setting(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as refused:
        read_config({"DATA_DIR": str(tmp_path), name: value})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("groups", ["Remote_Groups", "remote-user"])
def test_a_header_that_cannot_name_groups_is_refused(tmp_path: Path, groups: str) -> None:
    proxy = {"AUTH_PROXY_HEADER": "Remote-User", "AUTH_PROXY_FROM": "127.0.0.1"}
    with pytest.raises(ConfigError, match="AUTH_PROXY_GROUPS_HEADER"):
        read(tmp_path, **proxy, AUTH_PROXY_GROUPS_HEADER=groups)


@pytest.mark.parametrize(
    ("header", "proxies", "name"),
    [
        ("Remote_User", "127.0.0.1", "AUTH_PROXY_HEADER"),
        ("Remote User", "127.0.0.1", "AUTH_PROXY_HEADER"),
        ("Remote-User", "proxy.example.com", "AUTH_PROXY_FROM"),
        ("Remote-User", "10.0.0.1/8", "AUTH_PROXY_FROM"),
    ],
)
def test_a_proxy_that_cannot_be_believed_is_refused(
    tmp_path: Path, header: str, proxies: str, name: str
) -> None:
    with pytest.raises(ConfigError, match=name):
        read(tmp_path, AUTH_PROXY_HEADER=header, AUTH_PROXY_FROM=proxies)


OPENID = {
    "OIDC_ISSUER": "https://id.example.com/realms/staff/",
    "OIDC_CLIENT_ID": "better-share",
    "OIDC_CLIENT_SECRET": "a-secret",
    "OIDC_ALLOW": "@example.com",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OIDC_ALLOW", ""),
        ("OIDC_CLIENT_SECRET", ""),
        ("OIDC_ISSUER", "http://id.example.com"),
        ("OIDC_ISSUER", "id.example.com"),
    ],
)
def test_a_provider_at_which_anybody_could_sign_in_is_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read(tmp_path, **{**OPENID, name: value})


def test_people_sign_in_in_one_way(tmp_path: Path) -> None:
    assert read(tmp_path, **OPENID, SHARE_AUDIENCE="members").audiences[0] == "members"
    # Some providers have a slash at the end of their name, which is then part of it.
    assert read(tmp_path, **OPENID).OIDC_ISSUER.endswith("/staff/")
    with pytest.raises(ConfigError, match="AUTH_PROXY_HEADER and OIDC_ISSUER"):
        read(tmp_path, **OPENID, AUTH_PROXY_HEADER="Remote-User", AUTH_PROXY_FROM="unix")


def test_a_public_bucket_has_no_private_sessions(tmp_path: Path) -> None:
    bucket = {**S3, "S3_PUBLIC_URL": "https://public.example.com"}
    assert read(tmp_path, **bucket).audiences == ["link"]
    with pytest.raises(ConfigError, match="S3_PUBLIC_URL"):
        read(tmp_path, **bucket, SHARE_AUDIENCES="link,password")


def test_a_wrong_value_never_shows_the_password_of_the_database(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, DATABASE_URL="mysql://me:hunter2@db/name")
    assert "hunter2" not in str(refused.value)


def test_a_wrong_token_is_told_by_its_place_and_never_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="entry 2 is not of the form") as refused:
        read(tmp_path, SHARE_CREATE_TOKEN="alice:sixteen-characters, bob/hunter2hunter2hunter2")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "meant"), [("90s", 90), ("30m", 1800), ("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600)]
)
def test_a_duration_is_a_number_and_its_unit(tmp_path: Path, text: str, meant: int) -> None:
    assert read(tmp_path, SHARE_MAX_AGE=text).share_max_age == timedelta(seconds=meant)


def run(command: list[str], settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program, *words = command
    return subprocess.run(
        [PROGRAMS / program, *words], cwd=ROOT, env=settings, capture_output=True, text=True
    )


@pytest.mark.parametrize("command", [["gunicorn", "wsgi:app"], ["flask", "--app", "wsgi", "db", "upgrade"]])
def test_a_wrong_setting_stops_the_start_with_one_sentence(tmp_path: Path, command: list[str]) -> None:
    program, *words = command
    settings = environment({"DATA_DIR": str(tmp_path), "S3_BUCKET": "shares"})
    ended = subprocess.run(
        [PROGRAMS / program, *words], cwd=ROOT, env=settings, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stderr.strip() == (
        "Better Share cannot start: S3_BUCKET is set but S3_ENDPOINT is not; "
        "S3 needs S3_ENDPOINT, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, S3_BUCKET."
    )


def test_other_workers_than_sync_ones_are_refused(tmp_path: Path) -> None:
    settings = environment({"DATA_DIR": str(tmp_path), "PORT": "1"})
    ended = run(["gunicorn", "--threads", "4", "wsgi:app"], settings)
    assert ended.returncode == 1
    assert "use 'sync'" in ended.stderr


def test_a_unix_socket_is_refused_while_no_proxy_is_trusted(tmp_path: Path) -> None:
    settings = environment({"DATA_DIR": str(tmp_path)})
    ended = run(["gunicorn", "--bind", f"unix:{tmp_path}/socket", "wsgi:app"], settings)
    assert ended.returncode == 1
    assert "set TRUSTED_PROXIES" in ended.stderr
