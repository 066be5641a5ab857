"""Kinds of secrets as their providers publish them, and a generator for made-up ones of each kind.

A quarter of the kinds is set aside: no rule is written for one of these, so that what becomes of them shows
what becomes of providers that nobody has thought of.
"""

from __future__ import annotations

import base64
import hashlib
import json
import string
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

Make = Callable[[Random], str]

DIGITS = string.digits
LOWER = string.ascii_lowercase + DIGITS
UPPER = string.ascii_uppercase + DIGITS
HEX = "0123456789abcdef"
ALNUM = string.ascii_letters + DIGITS
URL_SAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"
BASE32 = string.ascii_uppercase + "234567"
PUNCTUATION = "!#$%&()*+,-./:;<=>?@[]^_{|}~"
BECH32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"


@dataclass(frozen=True)
class Kind:
    """`variable` is what people call it in their environment; `host` whose API it opens."""

    name: str
    variable: str
    host: str
    make: Make


@dataclass(frozen=True)
class Secret:
    """A secret as it is pasted (`text`), and what of it must not be seen (`value`)."""

    kind: Kind
    text: str
    value: str


def run(letters: str, length: int, prefix: str = "", suffix: str = "") -> Make:
    return lambda random: prefix + pick(random, letters, length) + suffix


def pick(random: Random, letters: str, length: int) -> str:
    return "".join(random.choices(letters, k=length))


def uuid(random: Random) -> str:
    digits = pick(random, HEX, 32)
    return "-".join((digits[:8], digits[8:12], "4" + digits[13:16], "a" + digits[17:20], digits[20:]))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(random: Random) -> str:
    header = encoded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    claims = encoded(json.dumps({"sub": pick(random, DIGITS, 10), "iat": random.randrange(10**9)}).encode())
    return f"{header}.{claims}.{pick(random, URL_SAFE, 43)}"


def pem(random: Random) -> str:
    name = random.choice(["RSA ", "EC ", "OPENSSH ", ""])
    body = pick(random, BASE64, 64 * random.randrange(3, 26) + random.randrange(1, 64))
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {name}PRIVATE KEY-----", *lines, f"-----END {name}PRIVATE KEY-----"])


def password(random: Random) -> str:
    letters = pick(random, ALNUM, random.randrange(10, 20))
    signs = pick(random, "!#%*_-@&^?,;", 2)
    return f"{letters[:4]}{signs[0]}{letters[4:8]}{signs[1]}{letters[8:]}{random.randrange(10)}"


def strong_password(random: Random) -> str:
    """With any punctuation that can stand between quotes without a backslash."""
    letters = pick(random, ALNUM, 12)
    return (
        letters[:4] + pick(random, PUNCTUATION, 1) + letters[4:9] + pick(random, PUNCTUATION, 2) + letters[9:]
    )


def connection(random: Random) -> str:
    scheme = random.choice(["postgres", "postgresql", "mysql", "mongodb+srv", "redis", "amqp"])
    return f"{scheme}://app:{quote(password(random), safe='!*&,;')}@db.internal.net:5432/shop"


def slack_token(random: Random) -> str:
    return f"xoxb-{pick(random, DIGITS, 12)}-{pick(random, DIGITS, 13)}-{pick(random, ALNUM, 24)}"


def openai(random: Random) -> str:
    return f"sk-proj-{pick(random, URL_SAFE, 74)}T3BlbkFJ{pick(random, URL_SAFE, 74)}"


def discord(random: Random) -> str:
    return (
        f"{encoded(pick(random, DIGITS, 18).encode())}.{pick(random, ALNUM, 6)}.{pick(random, URL_SAFE, 38)}"
    )


def joined(separator: str, *makes: Make) -> Make:
    return lambda random: separator.join(make(random) for make in makes)


# So common that a tool which does not know them is of no use.
COMMON = [
    Kind("anthropic", "ANTHROPIC_API_KEY", "api.anthropic.com", run(URL_SAFE, 93, "sk-ant-api03-", "AA")),
    Kind("aws access key", "AWS_ACCESS_KEY_ID", "sts.amazonaws.com", run(BASE32, 16, "AKIA")),
    Kind("aws secret key", "AWS_SECRET_ACCESS_KEY", "sts.amazonaws.com", run(BASE64, 40)),
    Kind("azure storage", "AZURE_STORAGE_ACCOUNT_KEY", "core.windows.net", run(BASE64, 86, "", "==")),
    Kind("basic header", "REGISTRY_AUTH", "registry.internal.net", run(ALNUM, 32)),
    Kind("bearer header", "SERVICE_TOKEN", "api.internal.net", run(ALNUM, 40)),
    Kind("connection string", "DATABASE_URL", "db.internal.net", connection),
    Kind("discord bot", "DISCORD_TOKEN", "discord.com", discord),
    Kind("github classic", "GITHUB_TOKEN", "api.github.com", run(ALNUM, 36, "ghp_")),
    Kind(
        "github fine-grained",
        "GH_TOKEN",
        "api.github.com",
        joined("_", run(ALNUM, 22, "github_pat_"), run(ALNUM, 59)),
    ),
    Kind("gitlab", "GITLAB_TOKEN", "gitlab.com", run(URL_SAFE, 20, "glpat-")),
    Kind("google api", "GOOGLE_API_KEY", "maps.googleapis.com", run(URL_SAFE, 35, "AIza")),
    Kind("google oauth", "GOOGLE_CLIENT_SECRET", "oauth2.googleapis.com", run(URL_SAFE, 28, "GOCSPX-")),
    Kind("hugging face", "HF_TOKEN", "huggingface.co", run(string.ascii_letters, 34, "hf_")),
    Kind("json web token", "SESSION_JWT", "api.internal.net", jwt),
    Kind("npm", "NPM_TOKEN", "registry.npmjs.org", run(ALNUM, 36, "npm_")),
    Kind("openai", "OPENAI_API_KEY", "api.openai.com", openai),
    Kind("password", "DB_PASSWORD", "db.internal.net", password),
    Kind("private key", "TLS_PRIVATE_KEY", "api.internal.net", pem),
    Kind("pypi", "TWINE_PASSWORD", "upload.pypi.org", run(URL_SAFE, 160, "pypi-AgEIcHlwaS5vcmc")),
    Kind(
        "sendgrid",
        "SENDGRID_API_KEY",
        "api.sendgrid.com",
        joined(".", run(URL_SAFE, 22, "SG."), run(URL_SAFE, 43)),
    ),
    Kind("slack token", "SLACK_BOT_TOKEN", "slack.com", slack_token),
    Kind(
        "slack webhook",
        "SLACK_WEBHOOK_URL",
        "hooks.slack.com",
        joined("/", run(UPPER, 9, "https://hooks.slack.com/services/T"), run(UPPER, 10, "B"), run(ALNUM, 24)),
    ),
    Kind("stripe", "STRIPE_SECRET_KEY", "api.stripe.com", run(ALNUM, 99, "sk_live_51")),
    Kind(
        "telegram bot",
        "TELEGRAM_BOT_TOKEN",
        "api.telegram.org",
        joined(":", run(DIGITS, 10), run(URL_SAFE, 33, "AA")),
    ),
]

OTHER = [
    Kind("age", "SOPS_AGE_KEY", "vault.internal.net", run(BECH32, 58, "AGE-SECRET-KEY-1")),
    Kind("airtable", "AIRTABLE_TOKEN", "api.airtable.com", joined(".", run(ALNUM, 14, "pat"), run(HEX, 64))),
    Kind("asana", "ASANA_TOKEN", "app.asana.com", joined(":", run(DIGITS, 16, "1/"), run(HEX, 32))),
    Kind(
        "braintree",
        "BRAINTREE_ACCESS_TOKEN",
        "api.braintreegateway.com",
        joined("$", run(LOWER, 16, "access_token$production$"), run(HEX, 32)),
    ),
    Kind("cloudflare", "CLOUDFLARE_API_TOKEN", "api.cloudflare.com", run(URL_SAFE, 40)),
    Kind("databricks", "DATABRICKS_TOKEN", "dbc.cloud.databricks.com", run(HEX, 32, "dapi")),
    Kind("datadog", "DD_API_KEY", "api.datadoghq.com", run(HEX, 32)),
    Kind("digitalocean", "DIGITALOCEAN_TOKEN", "api.digitalocean.com", run(HEX, 64, "dop_v1_")),
    Kind("docker hub", "DOCKERHUB_TOKEN", "hub.docker.com", run(URL_SAFE, 27, "dckr_pat_")),
    Kind("doppler", "DOPPLER_TOKEN", "api.doppler.com", run(ALNUM, 43, "dp.pt.")),
    Kind("dropbox", "DROPBOX_ACCESS_TOKEN", "api.dropboxapi.com", run(URL_SAFE, 135, "sl.")),
    Kind("figma", "FIGMA_TOKEN", "api.figma.com", run(URL_SAFE, 40, "figd_")),
    Kind("fly", "FLY_API_TOKEN", "api.fly.io", run(BASE64, 200, "FlyV1 fm2_")),
    Kind("grafana", "GRAFANA_TOKEN", "grafana.com", joined("_", run(ALNUM, 32, "glsa_"), run(HEX, 8))),
    Kind("groq", "GROQ_API_KEY", "api.groq.com", run(ALNUM, 52, "gsk_")),
    Kind("heroku", "HEROKU_API_KEY", "api.heroku.com", uuid),
    Kind("linear", "LINEAR_API_KEY", "api.linear.app", run(ALNUM, 40, "lin_api_")),
    Kind("mailchimp", "MAILCHIMP_API_KEY", "us12.api.mailchimp.com", run(HEX, 32, "", "-us12")),
    Kind("mailgun", "MAILGUN_API_KEY", "api.mailgun.net", run(HEX, 32, "key-")),
    Kind("netlify", "NETLIFY_AUTH_TOKEN", "api.netlify.com", run(ALNUM, 36, "nfp_")),
    Kind("new relic", "NEW_RELIC_API_KEY", "api.newrelic.com", run(UPPER, 27, "NRAK-")),
    Kind("notion", "NOTION_TOKEN", "api.notion.com", run(ALNUM, 46, "ntn_")),
    Kind("okta", "OKTA_API_TOKEN", "dev.okta.com", run(URL_SAFE, 40, "00")),
    Kind("openrouter", "OPENROUTER_API_KEY", "openrouter.ai", run(HEX, 64, "sk-or-v1-")),
    Kind("perplexity", "PERPLEXITY_API_KEY", "api.perplexity.ai", run(ALNUM, 48, "pplx-")),
    Kind("planetscale", "PLANETSCALE_SERVICE_TOKEN", "api.planetscale.com", run(URL_SAFE, 43, "pscale_tkn_")),
    Kind(
        "postman", "POSTMAN_API_KEY", "api.getpostman.com", joined("-", run(HEX, 24, "PMAK-"), run(HEX, 34))
    ),
    Kind("pulumi", "PULUMI_ACCESS_TOKEN", "api.pulumi.com", run(HEX, 40, "pul-")),
    Kind("replicate", "REPLICATE_API_TOKEN", "api.replicate.com", run(ALNUM, 37, "r8_")),
    Kind("sentry", "SENTRY_AUTH_TOKEN", "sentry.io", run(BASE64, 150, "sntrys_eyJpYXQiOjE3", "_" + "a" * 3)),
    Kind("shopify", "SHOPIFY_ACCESS_TOKEN", "shop.myshopify.com", run(HEX, 32, "shpat_")),
    Kind("square", "SQUARE_ACCESS_TOKEN", "connect.squareup.com", run(URL_SAFE, 60, "EAAA")),
    Kind("supabase", "SUPABASE_ACCESS_TOKEN", "api.supabase.com", run(HEX, 40, "sbp_")),
    Kind(
        "terraform",
        "TFE_TOKEN",
        "app.terraform.io",
        joined(".", run(ALNUM, 14), lambda _: "atlasv1", run(ALNUM, 67)),
    ),
    Kind("twilio", "TWILIO_AUTH_TOKEN", "api.twilio.com", run(HEX, 32)),
    Kind("vault", "VAULT_TOKEN", "vault.internal.net", run(URL_SAFE, 92, "hvs.")),
    Kind("vercel", "VERCEL_TOKEN", "api.vercel.com", run(ALNUM, 24)),
    Kind("xai", "XAI_API_KEY", "api.x.ai", run(ALNUM, 80, "xai-")),
    Kind("webhook signing", "WEBHOOK_SIGNING_SECRET", "hooks.internal.net", run(BASE64, 32, "whsec_")),
]

# Whose forms are published too. They take no part in the draw.
RARE = [
    Kind("atlassian", "JIRA_TOKEN", "acme.atlassian.net", run(URL_SAFE, 183, "ATATT3xFfGF0", "=A1B2C3D4")),
    Kind(
        "azure client",
        "AZURE_CLIENT_SECRET",
        "login.microsoftonline.com",
        joined("8Q~", run(ALNUM, 3), run(ALNUM, 34)),
    ),
    Kind(
        "discord webhook",
        "DISCORD_WEBHOOK_URL",
        "discord.com",
        joined("/", run(DIGITS, 18, "https://discord.com/api/webhooks/"), run(URL_SAFE, 68)),
    ),
    Kind("google access", "GOOGLE_ACCESS_TOKEN", "www.googleapis.com", run(URL_SAFE, 120, "ya29.a0")),
    Kind("heroku new", "HEROKU_API_KEY", "api.heroku.com", run(URL_SAFE, 60, "HRKU-AA")),
    Kind(
        "langsmith",
        "LANGSMITH_API_KEY",
        "api.smith.langchain.com",
        joined("_", run(HEX, 32, "lsv2_pt_"), run(HEX, 10)),
    ),
    Kind("nvidia", "NVIDIA_API_KEY", "integrate.api.nvidia.com", run(URL_SAFE, 64, "nvapi-")),
    Kind(
        "pinecone", "PINECONE_API_KEY", "api.pinecone.io", joined("_", run(ALNUM, 6, "pcsk_"), run(ALNUM, 63))
    ),
    Kind("rubygems", "GEM_HOST_API_KEY", "rubygems.org", run(HEX, 48, "rubygems_")),
    Kind(
        "tailscale",
        "TS_AUTHKEY",
        "api.tailscale.com",
        joined("-", run(ALNUM, 17, "tskey-auth-"), run(ALNUM, 32)),
    ),
]

KINDS = COMMON + OTHER
# Drawn by the hashes of their names, so that nobody chose them.
SET_ASIDE = frozenset(
    kind.name
    for kind in sorted(OTHER, key=lambda kind: hashlib.sha256(kind.name.encode()).digest())[: len(KINDS) // 4]
)

PER_KIND = 5


def secrets(kind: Kind) -> list[Secret]:
    """Made-up secrets of a kind, the same in every run."""
    random = Random(kind.name)
    return [_secret(kind, kind.make(random)) for _ in range(PER_KIND)]


def _secret(kind: Kind, text: str) -> Secret:
    if kind.name == "connection string":
        return Secret(kind, text, text.partition("app:")[2].partition("@")[0])
    return Secret(kind, text, text)
