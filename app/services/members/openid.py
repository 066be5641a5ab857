"""Signs people in at an OpenID provider: authorization code with PKCE, and an ID token that is checked.

OpenID Connect Core 1.0 and Discovery 1.0, and RFC 7636.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from cachetools import TTLCache
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError

from app.services.members.identity import MAX_GROUPS, MAX_TEXT_CHARACTERS, Identity

DISCOVERY = "/.well-known/openid-configuration"
DISCOVERY_SECONDS = 60 * 60
MAX_DOCUMENTS = 4
TIMEOUT_SECONDS = 5
MAX_ANSWER_BYTES = 256 * 1024
# By how much the provider's clock may differ.
LEEWAY_SECONDS = 60
MAX_SUBJECT_CHARACTERS = 255
SCOPES = ("openid", "email", "profile")
# Signatures that only the provider can make: never `none`, and none made with the client's secret.
ALGORITHMS = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
)
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}

T = TypeVar("T")


class SignInRefused(Exception):
    """Somebody is not signed in; the text is a sentence for them."""


class ProviderUnavailable(Exception):
    """The provider cannot be reached, or says what no provider should; the text is for the log."""


class Metadata(msgspec.Struct):
    """What a provider says about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    scopes_supported: tuple[str, ...] = ()
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Tokens(msgspec.Struct):
    """What a code is exchanged for."""

    id_token: str
    access_token: str


class Attempt(msgspec.Struct):
    """A sign-in that has begun in a browser: its secrets, and where it is to lead."""

    destination: str
    state: str = msgspec.field(default_factory=lambda: secrets.token_urlsafe(24))
    nonce: str = msgspec.field(default_factory=lambda: secrets.token_urlsafe(24))
    verifier: str = msgspec.field(default_factory=lambda: secrets.token_urlsafe(48))


class OpenIdProvider:
    """The provider at `issuer`, which knows this server as a confidential client."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, redirect_uri: str) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._http = PoolManager(timeout=Timeout(total=TIMEOUT_SECONDS), retries=False)
        self._documents: TTLCache[str, bytes] = TTLCache(MAX_DOCUMENTS, DISCOVERY_SECONDS)

    def authorization_url(self, attempt: Attempt, *, with_choice: bool = False) -> str:
        """Where the browser goes to sign in, or to choose an account first. Raises ProviderUnavailable."""
        metadata = self._metadata()
        groups = ["groups"] if "groups" in metadata.scopes_supported else []
        url: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=self._client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope=[*SCOPES, *groups],
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
            **({"prompt": "select_account"} if with_choice else {}),
        )
        return url

    def identify(self, code: str, attempt: Attempt) -> Identity:
        """The person who has signed in. Raises SignInRefused or ProviderUnavailable."""
        metadata = self._metadata()
        tokens = self._exchange(metadata, code, attempt)
        try:
            claims = self._claims(metadata, tokens, attempt)
        except (JoseError, ValueError, KeyError) as error:
            raise SignInRefused(
                f"The answer of the sign-in is not valid ({type(error).__name__}); try again."
            ) from None
        info: dict[str, Any] = {}
        if metadata.userinfo_endpoint and not {"email", "email_verified", "groups"} <= claims.keys():
            info = self._user_info(metadata.userinfo_endpoint, tokens, claims["sub"])
        return _identity(metadata.issuer, claims, info)

    def _metadata(self) -> Metadata:
        metadata = _decode(self._document(self._issuer.rstrip("/") + DISCOVERY), Metadata)
        if metadata.issuer.rstrip("/") != self._issuer.rstrip("/"):
            raise ProviderUnavailable("the provider calls itself something else than OIDC_ISSUER")
        endpoints = (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri)
        scheme = f"{self._issuer.partition(':')[0]}:"
        if not all(
            endpoint.startswith(scheme) for endpoint in (*endpoints, metadata.userinfo_endpoint or scheme)
        ):
            raise ProviderUnavailable("an endpoint of the provider has another scheme than OIDC_ISSUER")
        return metadata

    def _exchange(self, metadata: Metadata, code: str, attempt: Attempt) -> Tokens:
        methods = metadata.token_endpoint_auth_methods_supported
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        body = prepare_token_request(
            "authorization_code", code=code, redirect_uri=self._redirect_uri, code_verifier=attempt.verifier
        )
        auth = ClientAuth(self._client_id, self._client_secret, method)
        url, headers, body = auth.prepare("POST", metadata.token_endpoint, FORM, body)
        status, answer = self._request("POST", url, body=body, headers=headers)
        if 400 <= status < 500:
            raise SignInRefused("The sign-in is over already or was not meant for this server; try again.")
        return _decode(answer, Tokens)

    def _claims(self, metadata: Metadata, tokens: Tokens, attempt: Attempt) -> dict[str, Any]:
        """The claims of the ID token, once its signature, issuer, audience, times and nonce are right."""
        algorithms = ALGORITHMS.intersection(metadata.id_token_signing_alg_values_supported)
        if not algorithms:
            raise ProviderUnavailable("the provider signs with no algorithm that is accepted here")
        registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
        try:
            token = jwt.decode(tokens.id_token, self._keys(metadata.jwks_uri), registry=registry)
        except InvalidKeyIdError:
            # The provider has new keys.
            self._documents.pop(metadata.jwks_uri, None)
            token = jwt.decode(tokens.id_token, self._keys(metadata.jwks_uri), registry=registry)
        expected = {
            "iss": {"essential": True, "value": metadata.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        proofs = {
            "nonce": attempt.nonce,
            "client_id": self._client_id,
            "access_token": tokens.access_token,
        }
        CodeIDToken(token.claims, token.header, expected, proofs).validate(leeway=LEEWAY_SECONDS)
        return token.claims

    def _keys(self, url: str) -> KeySet:
        return KeySet.import_key_set(_decode(self._document(url), dict[str, Any]))  # type: ignore[arg-type]

    def _user_info(self, url: str, tokens: Tokens, subject: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {tokens.access_token}", "Accept": "application/json"}
        status, answer = self._request("GET", url, headers=headers)
        info = _decode(answer, dict[str, Any]) if status == 200 else {}
        return info if info.get("sub") == subject else {}

    def _document(self, url: str) -> bytes:
        """What the provider publishes, fetched once in DISCOVERY_SECONDS."""
        document: bytes | None = self._documents.get(url)
        if document is None:
            status, document = self._request("GET", url)
            if status != 200:
                raise ProviderUnavailable(f"the provider answers {status}")
            self._documents[url] = document
        return document

    def _request(
        self, method: str, url: str, *, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        try:
            response: BaseHTTPResponse = self._http.request(
                method, url, body=body, headers=headers, redirect=False, preload_content=False
            )
            with response:
                answer = response.read(MAX_ANSWER_BYTES + 1)
        except HTTPError as error:
            raise ProviderUnavailable(f"the provider does not answer: {type(error).__name__}") from None
        if len(answer) > MAX_ANSWER_BYTES:
            raise ProviderUnavailable("an answer of the provider is too large")
        return response.status, answer


def _decode(answer: bytes, type: type[T]) -> T:
    try:
        return msgspec.json.decode(answer, type=type)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProviderUnavailable("an answer of the provider is not what the protocol says") from None


def _identity(issuer: str, claims: Mapping[str, Any], info: Mapping[str, Any]) -> Identity:
    """The person of an ID token, and of what the provider adds to it."""
    subject = _text(claims, "sub", MAX_SUBJECT_CHARACTERS)
    if not subject:
        raise SignInRefused("The answer of the sign-in does not say who you are.")
    mail = _verified_mail(claims) or _verified_mail(info)
    both = {**info, **claims}
    groups = both.get("groups")
    names = [name for name in groups if isinstance(name, str)] if isinstance(groups, list) else []
    name = _text(both, "name") or _text(both, "preferred_username") or mail or subject
    storable = tuple(name for name in names if "\n" not in name)[:MAX_GROUPS]
    return Identity(issuer, subject, name, mail or None, storable)


def _verified_mail(claims: Mapping[str, Any]) -> str:
    """The mail address that these claims say is verified; what others say of another one does not count."""
    return _text(claims, "email") if claims.get("email_verified") in (True, "true") else ""


def _text(claims: Mapping[str, Any], name: str, length: int = MAX_TEXT_CHARACTERS) -> str:
    """A claim, if it is a text that can be stored; one that is too long is none."""
    value = claims.get(name)
    return value if isinstance(value, str) and len(value) <= length and value.isprintable() else ""
