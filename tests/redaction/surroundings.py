"""The five surroundings in which sessions show secrets; several wordings of each."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from random import Random
from urllib.parse import quote

from tests.redaction.kinds import Secret

Surround = Callable[[Secret, Random], tuple[str, str]]


def prose(secret: Secret, random: Random) -> tuple[str, str]:
    """In what a person or the model writes. Returns the text, and how the value stands in it."""
    words = spoken(secret)
    text = random.choice(
        [
            f"Please deploy it. The {words} is {secret.text} and it expires on Friday.",
            f"I set the {words} to `{secret.text}`, but the server still answers 401.",
            f"Here is my {words}: {secret.text}\nCan you check why it does not work?",
            f'Our {words} "{secret.text}" was rotated yesterday.',
        ]
    )
    return text, secret.value


def shell(secret: Secret, random: Random) -> tuple[str, str]:
    """In commands and what they print."""
    name = secret.kind.variable
    if secret.kind.name == "bearer header":
        sent = f"> GET /me HTTP/1.1\n> Authorization: Bearer {secret.text}\n>"
        return f"$ curl -sv https://{secret.kind.host}/me\n{sent}", secret.value
    if secret.kind.name == "basic header":
        encoded = base64.b64encode(f"ci:{secret.text}".encode()).decode()
        return f"> GET /v2/ HTTP/1.1\n> authorization: Basic {encoded}\n> accept: */*\n", encoded
    if "\n" in secret.text:
        return f"$ cat server.key\n{secret.text}\n$ ls\nserver.key", secret.value
    text = random.choice(
        [
            f"$ env | sort | tail -3\nPWD=/srv/app\n{name}={secret.text}\nSHLVL=1\n",
            f"$ cat .env\nDEBUG=true\n{name}={secret.text}\nPORT=3000\n",
            f"export {name}='{secret.text}'\nnpm run deploy\n",
        ]
    )
    return text, secret.value


def in_json(secret: Secret, random: Random) -> tuple[str, str]:
    """In a configuration file or the answer of an API, printed as JSON."""
    name = secret.kind.variable
    key = random.choice([name, name.lower(), camel(name)])
    text = json.dumps({"name": "shop", key: secret.text, "retries": 3}, indent=random.choice([None, 2]))
    return text, json.dumps(secret.value)[1:-1]


def diff(secret: Secret, random: Random) -> tuple[str, str]:
    """In a change of a file."""
    name = secret.kind.variable
    head = (
        "diff --git a/deploy.yml b/deploy.yml\n--- a/deploy.yml\n+++ b/deploy.yml\n@@ -1,3 +1,4 @@\n env:\n"
    )
    if "\n" in secret.text:
        lines = secret.text.replace("\n", "\n+")
        return f"{head}+{lines}\n   PORT: 3000\n", lines
    line = random.choice(
        [f"+  {name}: {secret.text}", f'+const {camel(name)} = "{secret.text}"', f"-{name}={secret.text}"]
    )
    return f"{head}{line}\n   PORT: 3000\n", secret.value


def url(secret: Secret, random: Random) -> tuple[str, str]:
    """In an address: as a parameter, or before the host."""
    if "://" in secret.text:
        return f"Connecting to {secret.text}?retry=true ... refused", secret.value
    parameter = random.choice(["access_token", "api_key", "token", "secret"])
    value = quote(secret.text, safe="")
    text = f"GET https://{secret.kind.host}/v1/items?limit=10&{parameter}={value}&page=2 200 OK"
    return text, value


SURROUNDINGS: dict[str, Surround] = {
    "prose": prose,
    "shell": shell,
    "json": in_json,
    "diff": diff,
    "url": url,
}


def spoken(secret: Secret) -> str:
    """What people call it in a sentence: `Stripe secret key` for `STRIPE_SECRET_KEY`."""
    return secret.kind.variable.replace("_", " ").lower().replace("api", "API").capitalize()


def camel(name: str) -> str:
    first, *others = name.lower().split("_")
    return first + "".join(re.sub("^.", lambda letter: letter[0].upper(), other) for other in others)
