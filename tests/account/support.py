"""The pages of members as browsers without JavaScript use them."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.share.test_passwords import HTML

PROXY = {"AUTH_PROXY_HEADER": "Remote-User", "AUTH_PROXY_FROM": "127.0.0.1", "ADMINS": "root"}


class Browser:
    """A browser of somebody who is signed in at a proxy."""

    def __init__(self, client: FlaskClient, name: str) -> None:
        self.client = client
        self._headers = {**HTML, "Remote-User": name}

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(path, query_string=query or None, headers=self._headers)

    def post(self, path: str, **fields: Any) -> TestResponse:
        """Sends a form with the token of any page of this member."""
        token = self.csrf_token()
        return self.client.post(path, data={"csrf_token": token, **fields}, headers=self._headers)

    def csrf_token(self) -> str:
        return token_in(self.get("/account/tokens").text) or ""

    def new_token(self, name: str = "laptop") -> str:
        page = self.post("/account/tokens", name=name).text
        [token] = set(re.findall(r"bs_[A-Za-z0-9]{40}", page))
        return str(token)


def token_in(page: str) -> str | None:
    """The token that the forms of a page carry."""
    found = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    return found[0] if found else None
