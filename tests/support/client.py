"""What a client of the API does, in few words; works on Flask's test client."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services.container import services
from app.storage import document_key

SESSION_ID = "ses_1f2e3d4c5b6aAbCdEfGhIjKlMn"


def create(client: FlaskClient, share_id: str = "GhIjKlMn", secret: str = "", **body: object) -> TestResponse:
    headers = {"X-Share-Secret": secret} if secret else {}
    body = {"shareId": share_id, "sessionId": SESSION_ID, **body}
    return client.post("/api/share/presign", json=body, headers=headers)


def renew(client: FlaskClient, share_id: str, secret: str, **body: object) -> TestResponse:
    return client.post(f"/api/share/{share_id}/presign", json=body, headers={"X-Share-Secret": secret})


def delete(client: FlaskClient, share_id: str, secret: str) -> TestResponse:
    return client.delete(f"/api/share/{share_id}", headers={"X-Share-Secret": secret})


def upload(client: FlaskClient, answer: dict[str, Any], document: bytes, **headers: str) -> TestResponse:
    """Uploads to the disk store with the link and the headers of `answer`; `headers` replace some."""
    link = urlsplit(answer["presignedUrl"])
    sent = {**answer["headers"], **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.put(f"{link.path}?{link.query}", data=document, headers=sent)


def share(client: FlaskClient, document: bytes, share_id: str = "GhIjKlMn", **body: object) -> dict[str, Any]:
    """A share with its document uploaded; the answer to its creation."""
    answer: dict[str, Any] = create(client, share_id, size=len(document), **body).get_json()
    assert upload(client, answer, document).status_code == 200
    return answer


def share_unchecked(client: FlaskClient, document: bytes, share_id: str = "GhIjKlMn") -> dict[str, Any]:
    """As `share`, of a document that only a store other than the server's own takes."""
    answer: dict[str, Any] = create(client, share_id).get_json()
    with client.application.app_context():
        services().store.put(document_key(share_id), document, encoding=None)
    return answer
