"""Secrets as they stand in sessions beside the surroundings that every kind is put into."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Callable, Iterator
from random import Random

from tests.redaction.kinds import ALNUM, BASE64, HEX, URL_SAFE, password, pem, pick, strong_password

# The text, and how the secret stands in it.
Situation = Callable[[Random], tuple[str, str]]


def in_shell(text: str) -> str:
    """In quotes where a shell would read it otherwise; many write them always."""
    return shlex.quote(text)


def variable_called_key(random: Random) -> tuple[str, str]:
    value = pick(random, ALNUM, 36)
    name = random.choice(["FLASK_KEY", "MAPBOX_KEY", "CRYPTO_KEY", "SENTRY_KEY"])
    return random.choice(["{}={}\nPORT=3000\n", 'export {}="{}"\n', "$ {}={} npm start"]).format(
        name, value
    ), value


def connection_string_of_azure(random: Random) -> tuple[str, str]:
    value = pick(random, BASE64, 86) + "=="
    return f"DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={value};EndpointSuffix=x.net", value


def line_under_a_heading(random: Random) -> tuple[str, str]:
    value = pick(random, BASE64, 43) + "="
    return random.choice(
        ["The signing key:\n\n{}\n", "The webhook secret is\n`{}`\n", "Use this key: {}, please."]
    ).format(value), value


def key_of_a_cluster(random: Random) -> tuple[str, str]:
    value = base64.b64encode(pem(random).encode()).decode()
    return f"users:\n- name: admin\n  user:\n    client-key-data: {value}\n", value


def encoded_private_key(random: Random) -> tuple[str, str]:
    value = base64.b64encode(pem(random).encode()).decode()
    return random.choice(["$ base64 -w0 server.key\n{}\n", '{{"pem": "{}"}}', "  tls.key: {}\n"]).format(
        value
    ), value


def very_long_token(random: Random) -> tuple[str, str]:
    value = pick(random, URL_SAFE, random.randrange(505, 4000)) + "9"
    return random.choice(
        ['{{"refresh_token": "{}"}}', "REFRESH_TOKEN={}\n", "The refresh token is {} now."]
    ).format(value), value


def quoted_password(random: Random) -> tuple[str, str]:
    value = strong_password(random)
    text = random.choice(
        [
            'db:\n  password: "{}"\n  port: 5432\n',
            '{{"user": "ada", "password": "{}"}}',
            "DB_PASSWORD = '{}'\n",
            'const adminPassword = "{}";',
            '{{\\"password\\": \\"{}\\"}}',
            "passphrase => '{}',",
        ]
    )
    return text.format(value), value


def quoted_secret(random: Random) -> tuple[str, str]:
    value = strong_password(random)
    text = random.choice(['clientSecret: "{}",', "credential => '{}',", '{{\\"clientSecret\\": \\"{}\\"}}'])
    return text.format(value), value


def password_of_an_environment(random: Random) -> tuple[str, str]:
    value = strong_password(random)
    return random.choice(["DB_PASSWORD={}\nPORT=3000\n", "docker run -e DB_PASSWORD={} shop"]).format(
        value
    ), value


def private_key_in_a_listing(random: Random) -> tuple[str, str]:
    lines = pem(random).split("\n")
    numbered = list(enumerate(lines, 1))
    listing = random.choice(
        [
            "\n".join(f"{number:6}\t        {line}" for number, line in numbered),
            "\n".join(f"{number:05}| {' ' * 14}{line}" for number, line in numbered),
            "\n".join(f"{' ' * 16}{line}" for line in lines),
            "\n".join(f"deploy/certs/server.key:{number}:{line}" for number, line in numbered),
            "\n".join(f"./server-key.pem-{number}-{line}" for number, line in numbered),
            "\n".join(f"certs/server.key:{line}" for line in lines),
            " +\n".join(f'        "{line}\\n"' for line in lines),
            "\r\n".join(lines),
            "\\\\n".join(lines),
        ]
    )
    start = listing.index("-----BEGIN")
    end = listing.rindex("-----") + 5
    return f"$ show server.key\n{listing}\n$ ls\nserver.key", listing[start:end]


def field_called_pass(random: Random) -> tuple[str, str]:
    value = strong_password(random)
    text = random.choice(
        [
            'auth: {{ user: "ada@example.com", pass: "{}" }}',
            'const smtpPass = "{}";',
            "dbPass: '{}',",
            '{{"user": "ada", "pass": "{}"}}',
        ]
    )
    return text.format(value), value


def pass_without_quotes(random: Random) -> tuple[str, str]:
    value = password(random)
    return f"smtp:\n  user: ada@example.com\n  pass: {value}\n  port: 587\n", value


def named_value(random: Random) -> tuple[str, str]:
    value = password(random)
    text = random.choice(
        [
            'env:\n  - name: DB_PASSWORD\n    value: {}\n  - name: PORT\n    value: "80"\n',
            '[{{"name": "DB_PASSWORD", "value": "{}"}}, {{"name": "PORT", "value": "80"}}]',
            '[\n  {{\n    "name": "CLIENT_SECRET",\n    "value": "{}"\n  }}\n]',
            '<add key="AdminPassword" value="{}" />',
        ]
    )
    return text.format(value), value


def named_key(random: Random) -> tuple[str, str]:
    value = pick(random, ALNUM, 40)
    text = random.choice(
        [
            "env:\n  - name: API_KEY\n    value: {}\n",
            '{{"name": "SERVICE_TOKEN", "value": "{}"}}',
            '<add key="ApiKey" value="{}" />',
            'const API_KEY =\n  "{}";',
            "  apiKey:\n    '{}',\n",
        ]
    )
    return text.format(value), value


def constant_with_a_type(random: Random) -> tuple[str, str]:
    value = pick(random, ALNUM, 32)
    text = random.choice(
        [
            'const apiKey: string = "{}"\n',
            "  private readonly apiKey?: string | undefined = '{}';\n",
            "export const DB_PASSWORD: string =\n  '{}';\n",
            'api_key: str = "{}"\n',
            "    token: Optional[str] = '{}'\n",
            "    client_secret: Annotated[str, Secret] | None = '{}'\n",
            'const API_KEY: &str = "{}";',
            'static API_KEY: &\'static str = "{}";',
            'var token string = "{}"\n',
            'const apiKey string = "{}"\n',
            'private val token: String? = "{}"\n',
            'static const char password[] = "{}";\n',
            'const char api_key[64] = "{}";\n',
            '{{"new": "const apiKey: string = \\"{}\\""}}',
        ]
    )
    return text.format(value), value


def default_of_a_variable(random: Random) -> tuple[str, str]:
    value = pick(random, ALNUM, 32)
    text = random.choice(
        [
            'const key = process.env.API_KEY || "{}";',
            "const token = process.env['SHOP_TOKEN'] ?? '{}'",
            "password = os.getenv('DB_PASSWORD') or '{}'\n",
            "key = ENV['API_KEY'] || '{}'\n",
            "ENV['API_KEY'] ||= '{}'\n",
        ]
    )
    return text.format(value), value


def name_in_bold(random: Random) -> tuple[str, str]:
    chosen, made = password(random), pick(random, ALNUM, 32)
    text, value = random.choice(
        [
            ("- **API key:** `{}`\n", made),
            ("* **Token** : `{}`\n", made),
            ("- **Password**: {}\n", chosen),
            ("**Password:** {}\n**Port:** 5432\n", chosen),
            ("The *secret*: {}\n", chosen),
        ]
    )
    return text.format(value), value


def password_of_a_command(random: Random) -> tuple[str, str]:
    value = password(random)
    text = random.choice(
        [
            "$ mysql -h db.internal.net -u root -p{} shop",
            "mysqldump -u root -p{} shop > dump.sql",
            "sshpass -p {} ssh ada@example.com",
            "docker login -u ada -p {} registry.example.com",
            "docker login registry.example.com \\\n  -u ada \\\n  -p {}\n",
            "createuser --db-password {} ada",
            "serve --admin-password={} --port 80",
        ]
    )
    return text.format(in_shell(value)), value


def password_in_a_statement(random: Random) -> tuple[str, str]:
    value = strong_password(random)
    text = random.choice(
        [
            "CREATE USER 'app'@'%' IDENTIFIED BY '{}';",
            "ALTER USER app IDENTIFIED WITH caching_sha2_password BY '{}';",
            "ALTER USER app WITH PASSWORD '{}';",
            "CREATE ROLE app\n  WITH LOGIN ENCRYPTED PASSWORD '{}';",
            "CREATE LOGIN app WITH PASSWORD = N'{}';",
        ]
    )
    return text.format(value), value


def address_with_a_token(random: Random) -> tuple[str, str]:
    value = pick(random, random.choice([HEX, ALNUM]), 40)
    return f"origin\thttps://{value}@git.example.com/ada/shop.git (fetch)", value


def password_with_an_at_sign(random: Random) -> tuple[str, str]:
    value = pick(random, ALNUM, 4) + "@" + pick(random, ALNUM, 6) + "@7"
    return f"postgres://app:{value}@db.internal.net:5432/shop", value


def answer_to_aws_configure(random: Random) -> tuple[str, str]:
    value = pick(random, BASE64, 40)
    return f"AWS Secret Access Key [None]: {value}\nDefault region name [None]: eu-west-1\n", value


def cookie_elsewhere(random: Random) -> tuple[str, str]:
    value = pick(random, ALNUM, 32)
    text = random.choice(
        [
            '{{"headers": {{"cookie": "theme=dark; sessionid={}; lang=de"}}}}',
            'curl -b "theme=dark; sid={}" https://shop.example.com/cart',
            "curl https://shop.example.com/cart --cookie 'remember={}'",
        ]
    )
    return text.format(value), value


def session_cookie(random: Random) -> tuple[str, str]:
    value = pick(random, ALNUM, 32)
    return f"> GET / HTTP/1.1\n> Cookie: theme=dark; sessionid={value}; lang=de\n", value


def signed_link(random: Random) -> tuple[str, str]:
    value = pick(random, HEX, 64)
    return f"https://files.example.com/a.pdf?X-Amz-Expires=900&X-Amz-Signature={value}", value


def key_in_an_address(random: Random) -> tuple[str, str]:
    value = pick(random, ALNUM, 32)
    return f"GET https://maps.example.com/v1/route?from=1&key={value}&to=2 200 OK", value


def netrc(random: Random) -> tuple[str, str]:
    value = password(random)
    return f"$ cat ~/.netrc\nmachine git.example.com\n  login ada\n  password {value}\n", value


def session_token_of_aws(random: Random) -> tuple[str, str]:
    value = pick(random, BASE64, 356) + "=="
    return f"aws_session_token = {value}\nregion = eu-west-1\n", value


def login_of_curl(random: Random) -> tuple[str, str]:
    value = password(random)
    command, login = random.choice(
        [
            ("curl -u {} https://api.example.com/v1", f"admin:{value}"),
            ("$ curl -s -u {} https://api.example.com/v1", f"admin:{value}"),
            ("curl -su{} https://api.example.com/v1", f"admin:{value}"),
            ("wget -q --user=ada --password={} https://files.example.com/a.zip", value),
            ("curl https://api.example.com/v1 \\\n  -u {} \\\n  -d x=1", f"admin:{value}"),
        ]
    )
    return command.format(in_shell(login)), value


def option_of_a_command(random: Random) -> tuple[str, str]:
    value = pick(random, ALNUM, 24)
    return random.choice(
        ["deploy --token {} --yes", "serve --db-password={}", "x login --api-key '{}'"]
    ).format(value), value


def okta_header(random: Random) -> tuple[str, str]:
    value = "00" + pick(random, URL_SAFE, 40)
    return f"> Authorization: SSWS {value}\n> Accept: */*\n", value


SITUATIONS: dict[str, tuple[str, Situation]] = {
    make.__name__.replace("_", " "): (surrounding, make)
    for surrounding, make in (
        ("shell", variable_called_key),
        ("json", connection_string_of_azure),
        ("prose", line_under_a_heading),
        ("json", key_of_a_cluster),
        ("shell", encoded_private_key),
        ("json", very_long_token),
        ("json", quoted_password),
        ("json", quoted_secret),
        ("shell", password_of_an_environment),
        ("shell", private_key_in_a_listing),
        ("json", field_called_pass),
        ("json", pass_without_quotes),
        ("json", named_value),
        ("json", named_key),
        ("prose", constant_with_a_type),
        ("prose", default_of_a_variable),
        ("prose", name_in_bold),
        ("shell", password_of_a_command),
        ("shell", password_in_a_statement),
        ("url", address_with_a_token),
        ("url", password_with_an_at_sign),
        ("shell", answer_to_aws_configure),
        ("json", cookie_elsewhere),
        ("shell", session_cookie),
        ("url", signed_link),
        ("url", key_in_an_address),
        ("shell", netrc),
        ("shell", session_token_of_aws),
        ("shell", login_of_curl),
        ("shell", option_of_a_command),
        ("shell", okta_header),
    )
}


def situated(name: str, amount: int) -> Iterator[tuple[str, str]]:
    """Made-up secrets in a situation, the same in every run."""
    random = Random(name)
    _, make = SITUATIONS[name]
    for _ in range(amount):
        yield make(random)
