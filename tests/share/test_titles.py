"""The title that an author gives a share, in place of the session's."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.share.test_passwords import DOCUMENT, HTML, ID, TITLE, change
from tests.support.client import share

NEW = "What we decided <on Tuesday>"
SHOWN = "What we decided &lt;on Tuesday&gt;"


def test_a_title_is_everywhere_at_once_and_goes_again(client: FlaskClient) -> None:
    created = share(client, DOCUMENT, ID)
    # Twice, so that it is answered from memory.
    etags = [client.get(f"/share/{ID}").headers["ETag"] for _ in range(2)]
    cards = {client.get(f"/share/{ID}/card.png").data}
    assert change(client, created, title=NEW).get_json() == {"audience": "link", "title": NEW}
    for headers in ({}, {}, {"If-None-Match": etags[0]}):
        page = client.get(f"/share/{ID}", headers=headers)
        assert page.status_code == 200
        assert f"<title>{SHOWN}</title>" in page.text
        assert f'property="og:title" content="{SHOWN}"' in page.text
    for path in ("prompts", "changes", "search"):
        assert SHOWN in client.get(f"/share/{ID}/{path}").text
    assert f"<title>{SHOWN}</title>" in client.get(f"/share/{ID}.html").text
    assert client.get(f"/share/{ID}.md").text.startswith("# What we decided")
    cards.add(client.get(f"/share/{ID}/card.png").data)
    assert len(cards) == 2
    assert change(client, created, title=None).get_json() == {"audience": "link"}
    for _ in range(2):
        assert TITLE in client.get(f"/share/{ID}").text


def test_a_title_stays_while_the_session_goes_on(app: Flask, client: FlaskClient) -> None:
    created = share(client, DOCUMENT, ID)
    change(client, created, title=NEW)
    change(client, created, audience="password", password="a long password")
    client.post(f"/share/{ID}/password", data={"password": "a long password"})
    assert SHOWN in client.get(f"/share/{ID}").text
    assert NEW not in app.test_client().get(f"/share/{ID}", headers=HTML).text


@pytest.mark.parametrize("title", ["", "x" * 201, "a\nb", "a\0b", 1])
def test_what_is_no_title_is_refused(client: FlaskClient, title: object) -> None:
    created = share(client, DOCUMENT, ID)
    assert change(client, created, title=title).status_code == 400


def test_the_operator_finds_a_share_by_its_title(app: Flask, client: FlaskClient) -> None:
    created = share(client, DOCUMENT, ID)
    change(client, created, title=NEW)
    listed = app.test_cli_runner().invoke(args=["shares", "list", "--search", "tuesday"])
    assert NEW in listed.output
