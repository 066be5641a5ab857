"""Redaction on the server: what is removed, wherever it stands, and that the plugin does the same."""

from __future__ import annotations

import base64
import html
import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from urllib.parse import quote

import pytest

from app.redaction import redact_items, redact_text
from tests.redaction.engines import by_plugin, by_server
from tests.redaction.examples import entries
from tests.redaction.kinds import ALNUM, pick
from tests.support.paths import ROOT
from tests.support.recorded import document

RULES_FILE = ROOT / "app" / "redaction" / "rules.json"
# Made up when it runs, so that this file has nothing that looks like a secret.
TOKEN = "ghp_" + pick(Random(1), ALNUM, 36)
PASSWORD = 'p4ss"w\\ord-' + pick(Random(1), ALNUM, 8)

# What JavaScript and Python read alike: no named groups, flags, possessive quantifiers or classes like \s,
# which are not the same characters in both.
COMMON_SYNTAX = re.compile(
    r"""(?x)(?: [^\\()\[\]{}*+?|^$.]           # a character
        | \\[$.\[\](){}*+?|^\\/] | \\[nrt]     # an escaped one
        | \((?:\?(?:[:=!]|<[=!])|(?!\?)) | \) | \|  # groups, looking ahead and behind
        | \[\^?(?:[^\]\[\\]|\\[\[\]\\nrt])+\]  # a class
        | (?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??(?![*+?])  # a quantifier
        | [\^$] )*"""
)


def test_the_patterns_are_read_alike_by_both_engines() -> None:
    data = json.loads(RULES_FILE.read_text())
    names = data["names"]
    patterns = [rule["pattern"] for rule in (*data["rules"], *names["roles"])]
    patterns += [*data["parts"].values(), *data["innocent"]["start"], *data["innocent"]["anywhere"]]
    patterns += [data["word"], names["excluded"], names["weak"]]
    for pattern in patterns:
        assert COMMON_SYNTAX.fullmatch(re.sub("<[a-z]+>", "", pattern)), pattern
    for pattern in (r"(?P<x>a)", r"(?i)a", r"a++", r"\s", r"[\w]", r"\d"):
        assert not COMMON_SYNTAX.fullmatch(pattern)


def test_a_secret_found_once_is_removed_wherever_it_stands() -> None:
    forms = [
        TOKEN,
        f"{TOKEN[:9]}\x1b[1m\x1b[32m{TOKEN[9:]}",
        base64.b64encode(f"user:{TOKEN}".encode()).decode(),
        base64.urlsafe_b64encode(f"??>{TOKEN}".encode()).decode(),
    ]
    texts = [f"GITHUB_TOKEN={TOKEN}", *(f"before {form} after" for form in forms)]
    redacted, count = redact_items(texts)
    assert redacted == ["GITHUB_TOKEN=[redacted:github-token]"] + ["before [redacted:github-token] after"] * 4
    assert count == 5


def test_a_value_that_only_its_name_gives_away_is_removed_elsewhere_too() -> None:
    escaped = json.dumps(PASSWORD)[1:-1]
    twice = json.dumps(escaped)[1:-1]
    texts = [
        f"it is {PASSWORD}",
        f'{{"x": "{escaped}"}}',
        f"twice: {twice}",
        f"https://h/?q={quote(PASSWORD, safe='')}&r=1",
    ]
    redacted, _ = redact_items([{"input": {"dbPassword": PASSWORD}}, *texts])
    assert redacted[0] == {"input": {"dbPassword": "[redacted:secret]"}}
    assert redacted[1:] == [
        "it is [redacted:secret]",
        '{"x": "[redacted:secret]"}',
        "twice: [redacted:secret]",
        "https://h/?q=[redacted:secret]&r=1",
    ]


def other_forms() -> Iterator[tuple[str, str]]:
    """Where a secret is found, and another form of it."""
    found = f"GITHUB_TOKEN={TOKEN}"
    for style in ("\x1b(B\x1b[m", "\x1b[38:5:1m", "\x1b]8;;\x07", r"\u001b[0m", r"\x1b[1;32m", r"\033[0m"):
        yield found, TOKEN[:9] + style + TOKEN[9:]
    for before in range(60):
        encoded = base64.b64encode(f"{'.' * before}{TOKEN}{'.' * 80}".encode()).decode()
        yield found, "\n".join(encoded[start : start + 76] for start in range(0, len(encoded), 76))
    password = "p4s!s/w(o)rd-" + pick(Random(2), ALNUM, 8)
    found = f"DB_PASSWORD={password}"
    yield found, quote(password)
    yield found, quote(password, safe="")
    yield found, quote(password, safe="").replace("%2F", "%2f")
    yield f"postgres://app:{quote(password, safe='')}@db/shop", password
    password = "p&4s/s<w>rd-" + pick(Random(3), ALNUM, 8)
    found = f'{{"password": "{password}"}}'
    for escaped in (in_php(password), in_go(password)):
        yield from ((found, form) for form in (escaped, json.dumps(escaped)[1:-1]))
    yield from ((found, form) for form in (in_php(in_php(password)), in_go(in_go(password))))
    yield found, html.escape(password)
    yield f"Authorization: Basic {base64.b64encode(f'ada:{password}'.encode()).decode()}", password


def in_php(text: str) -> str:
    """As `json_encode` writes a text."""
    return json.dumps(text)[1:-1].replace("/", "\\/")


def in_go(text: str) -> str:
    """As `json.Marshal` writes a text."""
    escaped = json.dumps(text)[1:-1]
    return escaped.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@pytest.mark.parametrize("redact", [by_plugin, by_server], ids=["plugin", "server"])
def test_a_secret_is_recognised_in_other_forms(redact: Any) -> None:
    texts = [f"{found}\n{form}" for found, form in other_forms()]
    seen = [text for text in redact(texts) if not re.search(r"\n\[redacted:[a-z-]+\]$", text)]
    assert seen == []


@pytest.mark.parametrize("redact", [by_plugin, by_server], ids=["plugin", "server"])
def test_a_password_is_removed_whole_whatever_signs_it_has(redact: Any) -> None:
    places = [
        "The admin password is `{}`",
        "**Password**: {}",
        "I changed the password to {}, and it works.",
        "ALTER USER ada WITH PASSWORD '{}'",
        "sshpass -p '{}' ssh ada@example.com",
        "mysql -p'{}'",
        "createuser --password '{}'",
        "MYSQL_ROOT_PASSWORD: {}",
        "  pass: {}\n  port: 587",
        "- name: DB_PASSWORD\n  value: {}  # for now",
        "client_secret={}",
    ]
    random = Random(1)
    passwords = [pick(random, ALNUM, 3) + sign + pick(random, ALNUM, 9) + "z7" for sign in "@&^?,;!#%*_-"]
    redacted = redact([place.format(password) for place in places for password in passwords])
    left = [re.sub(r"\[redacted:(?:password|secret)\]", "{}", text) for text in redacted]
    assert left == [place for place in places for _ in passwords]


def test_a_field_is_removed_whole_however_long_it_is() -> None:
    fields = [
        {name: pick(Random(3), ALNUM, 3_000)} for name in ("refreshToken", "clientKeyData", "dbPassword")
    ]
    redacted, _ = redact_items(fields)
    assert redacted == [
        {"refreshToken": "[redacted:token]"},
        {"clientKeyData": "[redacted:api-key]"},
        {"dbPassword": "[redacted:password]"},
    ]


def test_a_common_word_is_removed_only_where_it_is_a_password() -> None:
    redacted, _ = redact_items(["postgres://postgres:postgres@localhost/db", "install postgres"])
    assert redacted == ["postgres://postgres:[redacted:connection-password]@localhost/db", "install postgres"]


@pytest.mark.parametrize("redact", [by_plugin, by_server], ids=["plugin", "server"])
def test_a_secret_that_looks_like_the_end_of_a_marker_leaves_markers_whole(redact: Any) -> None:
    [texts] = redact([["curl -u user:password] https://h", 'DB_PASSWORD="Xk2!mNp9Qr"']])
    assert texts == ["curl -u user:[redacted:password] https://h", 'DB_PASSWORD="[redacted:password]"']


def test_every_text_of_an_item_is_redacted_and_nothing_else_changes() -> None:
    item: dict[str, Any] = {
        "type": "part",
        "data": {
            "id": "prt_1",
            "state": {
                "output": f"token: {TOKEN}",
                "exit": 0,
                "metadata": {f"/tmp/{TOKEN}": [TOKEN, None, True]},
            },
        },
    }
    marker = "[redacted:github-token]"
    [redacted], count = redact_items([item])
    assert redacted["data"] == {
        "id": "prt_1",
        "state": {
            "output": f"token: {marker}",
            "exit": 0,
            "metadata": {f"/tmp/{marker}": [marker, None, True]},
        },
    }
    assert count == 3
    assert redact_items([redacted]) == ([redacted], 0)


def test_a_field_can_be_named_by_another() -> None:
    variables = [{"name": "DB_PASSWORD", "value": PASSWORD}, {"key": "SMTP_PASS", "value": f"{PASSWORD}2"}]
    redacted, _ = redact_items([{"env": variables, "auth": {"pass": f"{PASSWORD}3"}}])
    marker = "[redacted:secret]"
    named = [{"name": "DB_PASSWORD", "value": marker}, {"key": "SMTP_PASS", "value": marker}]
    assert redacted == [{"env": named, "auth": {"pass": marker}}]


@pytest.mark.parametrize("redact", [by_plugin, by_server], ids=["plugin", "server"])
def test_a_field_that_is_called_a_key_for_rows_or_caches_stays(redact: Any) -> None:
    value = "linux-" + pick(Random(1), ALNUM, 20)
    shown = [{name: value} for name in ("CACHE_KEY", "sort_key", "primary_key", "VITE_PUBLIC_MAPS_KEY")]
    assert redact(shown) == shown
    assert redact([{"FLASK_KEY": value}]) == [{"FLASK_KEY": "[redacted:api-key]"}]


@pytest.mark.parametrize("redact", [by_plugin, by_server], ids=["plugin", "server"])
def test_the_name_of_a_provider_alone_tells_that_a_random_value_is_its_key(redact: Any) -> None:
    value = pick(Random(2), "0123456789abcdef", 32)
    lines = [f'cloudsmith: "{value}"', f"TWITTER={value}", f"boostnoteKey := '{value}'", f"okta_key={value}"]
    assert [text for text in redact(lines) if value in text] == []
    commit = pick(Random(3), "0123456789abcdef", 40)
    others = [
        f"okta: {commit}",
        f"sentry: {commit}",
        f"cloudsmith/{commit}",
        "from: OptInToReceiveEmailsFromMailchimp",
        f"mailchimp {value}",
    ]
    assert redact(others) == others


@pytest.mark.parametrize("redact", [by_plugin, by_server], ids=["plugin", "server"])
def test_a_value_of_the_length_of_a_providers_keys_is_one_behind_its_name(redact: Any) -> None:
    random = Random(4)
    digest = pick(random, "0123456789abcdef", 40)
    dashed = "jzde8gx-d6ncf10epf91d_ho-d_-zdoc"
    texts = [
        f"cloudsmith: {digest}",
        f"ADAFRUIT_IO_KEY={dashed}",
        f"circleci '{digest}'",
        f"myAdafruitKey({dashed!r})",
    ]
    assert [text for text in redact(texts) if digest in text or dashed in text] == []
    longer = [
        f"sentry: {digest}",
        "cloudsmith: some-name-of-a-package-without-digits",
        f"adafruit.{dashed}",
    ]
    assert redact(longer) == longer


def test_names_that_become_the_same_lose_nothing() -> None:
    files = {f"/tmp/ghp_{pick(Random(number), ALNUM, 36)}": number for number in range(3)}
    name = "/tmp/[redacted:github-token]"
    assert redact_items([files])[0] == [{name: 0, f"{name} (2)": 1, f"{name} (3)": 2}]


@pytest.mark.parametrize("coding", ["base64", "percent"])
def test_attached_texts_are_redacted_and_pictures_are_not(coding: str) -> None:
    def url(mime: str, text: str) -> str:
        if coding == "base64":
            return f"data:{mime};base64,{base64.b64encode(text.encode()).decode()}"
        return f"data:{mime},{quote(text)}"

    redacted, _ = redact_items([url("text/plain", f"key={TOKEN}"), url("image/png", TOKEN), TOKEN])
    assert redacted[0] == url("text/plain", "key=[redacted:github-token]")
    assert redacted[1] == url("image/png", TOKEN)


def test_recorded_items_of_every_type_stay_as_they_are() -> None:
    whole = document("tools-gallery")
    items = [{"type": "session", "data": whole["session"]}]
    items += [{"type": "message", "data": message["info"]} for message in whole["messages"]]
    items += [{"type": "part", "data": part} for message in whole["messages"] for part in message["parts"]]
    assert redact_items(items) == (items, 0)


@pytest.mark.server
def test_both_engines_do_the_same_with_odd_texts() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(pick(Random(1), ALNUM, 64) for _ in range(400))
    long = "- a line of output\n" * 9_000
    texts = [
        f"ключ: {TOKEN}, 🔑{TOKEN}🔑",
        f"İ{'x' * 50}İ PASSWORD=İstanbul2024! İ token: {TOKEN}",
        f"\x1b[1mAPI_TOKEN\x1b[0m=\x1b[31m{TOKEN}\x1b[0m \x1b[3",
        json.dumps({"a": json.dumps({"dbPassword": PASSWORD, "token": TOKEN})}),
        f"{long}{TOKEN}\n{key}\n{long}",
        f"{TOKEN}{TOKEN} {TOKEN[:-1]} {base64.b64encode(TOKEN.encode()).decode()}",
        "data:text/plain;charset=utf-8;base64,!!!",
        "password=\ud83d\udd11" + TOKEN,
        "\0\x1b[" + "password: " * 40,
    ]
    assert by_plugin(texts) == by_server(texts)
    assert not any(TOKEN in text for text in by_server(texts))


def hostile_texts() -> Iterator[str]:
    """Beginnings of matches that never end, again and again."""
    begun = {
        anchor.lower()
        for entry in entries()
        for anchor in (*entry.get("prefix", ()), *entry.get("anchors", ()))
    }
    begun |= {"a", "A1b2", "-", "_", " ", "=", "://a:", "\n", "nr", "eyJaaaaaaaa.", "\\n", "\x1b[0m", "%20"}
    begun |= {"key ", "secret=", "password is ", 'token: "', "--token ", "cookie: ", "machine a login "}
    begun |= {
        "mysql -",
        "mysql a\\\n",
        "sshpass -p ",
        "identified by '",
        "api_key: a<b | c ",
        "password: a1;b,",
        "password is a@b.",
        'name="password" ',
        "key=a_key\n value",
    }
    begun |= {"-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\naaaa", "authorization: bearer "}
    begun |= {
        f"-----BEGIN PRIVATE KEY-----\n{'a' * 40}\n{end}" for end in ("-" * 99, "a-1:", "a/b.c:1:", "1" * 99)
    }
    for beginning in sorted(begun):
        for end in ("", "a", "=", "-", "A1"):
            yield (beginning + end) * (10_000 // len(beginning + end))
        yield beginning + "a1B" * 3_000


@contextmanager
def patience(seconds: int) -> Iterator[None]:
    """Ends what has exploded; what is well takes a small part of the time."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("redact", [by_plugin, by_server], ids=["plugin", "server"])
def test_no_text_makes_a_pattern_explode(redact: Any) -> None:
    texts = list(hostile_texts())
    with patience(60):
        assert len(redact(texts)) == len(texts)


def test_any_number_of_secrets_in_a_batch_is_removed() -> None:
    random = Random(1)
    tokens = ["ghp_" + pick(random, ALNUM, 36) for _ in range(5_000)]
    with patience(60):
        redacted, count = redact_items(["\n".join(tokens)])
    assert redacted == ["\n".join(["[redacted:github-token]"] * 5_000)]
    assert count == 5_000


def test_items_that_are_nested_too_deeply_are_refused() -> None:
    item: object = TOKEN
    for _ in range(5_000):
        item = [item]
    with pytest.raises(RecursionError):
        redact_items([item])


def test_one_text_can_be_redacted_by_itself() -> None:
    assert redact_text(f"use {TOKEN}") == "use [redacted:github-token]"
