"""OpenID providers on loopback: a real one, and one that answers whatever a test wants."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.support.servers import free_ports, running
from tests.support.web import fetch, is_healthy, listening

CLIENT = {"OIDC_CLIENT_ID": "better-share", "OIDC_CLIENT_SECRET": "the-secret-of-the-client"}
DISCOVERY = "/.well-known/openid-configuration"


@contextmanager
def openid_provider(folder: Path, people: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The issuer of `oidc-provider-mock`, at which these people can sign in, by their `sub`."""
    [port] = free_ports(1)
    issuer = f"http://localhost:{port}"
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    with running(command, folder / "provider.log", lambda: is_healthy(issuer + DISCOVERY)):
        for subject, claims in people.items():
            status, _ = fetch("PUT", f"{issuer}/users/{subject}", claims)
            assert status == 204
        yield issuer


@dataclass
class ScriptedProvider:
    """A provider that answers with the claims and the signature that a test asks for."""

    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    issuer: str = ""
    id_token: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    user_info: dict[str, Any] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    def sign(
        self, nonce: str | None, key: Any = None, header: dict[str, Any] | None = None, **claims: Any
    ) -> None:
        """Answers with an ID token that is right but for what is given; a claim that is None is left out."""
        now = int(time.time())
        values = {
            "iss": self.issuer,
            "sub": "4711",
            "aud": CLIENT["OIDC_CLIENT_ID"],
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": "grace@example.com",
            "email_verified": True,
            **claims,
        }
        present = {name: value for name, value in values.items() if value is not None}
        self.id_token = jwt.encode(header or {"alg": "RS256", "kid": "1"}, present, key or self.key)

    def answer(self, method: str, path: str) -> object:
        if path == DISCOVERY:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                **self.metadata,
            }
        if path == "/keys":
            return KeySet([self.key]).as_dict()
        if path == "/userinfo":
            return self.user_info
        return {"access_token": "an-access-token", "token_type": "Bearer", "id_token": self.id_token}


@contextmanager
def scripted_provider() -> Iterator[ScriptedProvider]:
    provider = ScriptedProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.respond()

        def do_POST(self) -> None:
            self.respond()

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            provider.requests.append((self.command, self.path, body))
            answer = json.dumps(provider.answer(self.command, self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with listening(Handler) as address:
        provider.issuer = address
        yield provider
