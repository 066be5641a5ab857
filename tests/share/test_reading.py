"""What a reader does with a session: follow links into it, see its sub-agents and changes, take it along."""

from __future__ import annotations

import json

import lxml.html
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services.container import services
from tests.conftest import running_app
from tests.opencode.test_fixtures import letters
from tests.support import recorded
from tests.support.client import delete, renew, share, upload
from tests.support.recorded import document, document_bytes, with_children, with_parts


def page(client: FlaskClient, address: str, status: int = 200) -> lxml.html.HtmlElement:
    response = client.get(address)
    assert response.status_code == status
    return lxml.html.fromstring(response.text)


def ids(root: lxml.html.HtmlElement) -> set[str]:
    return set(root.xpath("//@id"))


@pytest.mark.parametrize("name", ["large-output", "rate-limit-feature", "tools-gallery"])
def test_the_link_to_a_part_leads_to_the_page_that_holds_it(client: FlaskClient, name: str) -> None:
    share(client, document_bytes(name))
    links = page(client, f"/share/GhIjKlMn/m/{document(name)['messages'][-1]['info']['id']}").xpath(
        "//a[text()='Link to this call']/@href | //h3//a/@href"
    )
    assert links
    for link in links:
        address, _, anchor = link.partition("#")
        assert anchor in ids(page(client, address))


def test_every_call_offers_a_link_to_itself(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    root = page(client, "/share/GhIjKlMn")
    links = root.xpath("//details[contains(@class, 'tool')]//a[text()='Link to this call']/@href")
    calls = [part for part in recorded.parts("rate-limit-feature") if part["type"] == "tool"]
    assert links == [f"/share/GhIjKlMn/m/{call['messageID']}#{call['id']}" for call in calls]


def test_a_link_to_an_unknown_message_is_not_found(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    page(client, "/share/GhIjKlMn/m/msg_unknown", 404)


def test_the_table_of_contents_has_every_prompt(client: FlaskClient) -> None:
    share(client, document_bytes("large-output"))
    root = page(client, "/share/GhIjKlMn?page=2")
    for link in root.xpath("//nav[@class='contents']//a"):
        address, _, anchor = link.get("href").partition("#")
        assert anchor in ids(page(client, address) if address else root)


def test_a_long_table_of_contents_is_cut_and_whole_on_its_own_page(client: FlaskClient) -> None:
    session = document("single-message")
    prompt = session["messages"][0]
    session["messages"] = [
        {
            "info": {**prompt["info"], "id": f"msg_{number}"},
            "parts": [{"type": "text", "text": f"Prompt {number}"}],
        }
        for number in range(250)
    ]
    share(client, json.dumps(session).encode())
    entries = page(client, "/share/GhIjKlMn").xpath("//*[@class='contents']//li")
    assert [int(entry.get("value", 0)) for entry in entries] == [*range(1, 101), 0, *range(151, 251)]
    assert entries[100].xpath("a/@href") == ["/share/GhIjKlMn/prompts"]
    assert len(page(client, "/share/GhIjKlMn/prompts").xpath("//li")) == 250


def test_the_last_prompt_is_one_click_away(client: FlaskClient) -> None:
    session = document("single-message")
    prompt = session["messages"][0]
    session["messages"] = [
        {"info": {**prompt["info"], "id": f"msg_{number}"}, "parts": prompt["parts"]} for number in range(400)
    ]
    share(client, json.dumps(session).encode())
    [link] = page(client, "/share/GhIjKlMn").xpath("//*[@class='contents']//p/a/@href")
    assert link == "/share/GhIjKlMn/m/msg_399#msg_399"


def test_a_sub_agents_conversation_is_folded_into_the_call_that_started_it(client: FlaskClient) -> None:
    share(client, with_children("subagents"))
    root = page(client, "/share/GhIjKlMn")
    for part in recorded.parts("subagents"):
        child_id = (part.get("state", {}).get("metadata") or {}).get("sessionId")
        if child_id is None:
            continue
        [call] = root.xpath("//details[div/@id=$id]", id=part["id"])
        [name] = [each for each in recorded.NAMES if recorded.document(each)["session"]["id"] == child_id]
        for text in (part["text"] for part in recorded.parts(name) if part["type"] == "text"):
            assert letters(text) in letters(call.text_content())
        assert f"/share/GhIjKlMn/s/{child_id}" in call.xpath(".//a/@href")


def test_a_sub_agents_conversation_has_a_page_of_its_own(client: FlaskClient) -> None:
    share(client, with_children("subagents"))
    child = document("subagents.child1")
    root = page(client, f"/share/GhIjKlMn/s/{child['session']['id']}")
    assert root.xpath("//h1")[0].text_content().strip() == child["session"]["title"]
    message = child["messages"][-1]["info"]["id"]
    assert message in ids(page(client, f"/share/GhIjKlMn/m/{message}"))
    page(client, "/share/GhIjKlMn/s/ses_unknown", 404)


def test_a_sub_agent_whose_conversation_was_not_shared_is_said_to_be_so(client: FlaskClient) -> None:
    share(client, document_bytes("subagents"))
    assert "conversation is not part of this share" in client.get("/share/GhIjKlMn").text


@pytest.mark.parametrize("name", recorded.NAMES)
def test_no_id_stands_twice_on_a_page(client: FlaskClient, name: str) -> None:
    share(client, with_children(name))
    found = page(client, "/share/GhIjKlMn").xpath("//@id")
    assert len(found) == len(set(found))


def test_every_changed_file_is_listed_with_its_diffs(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    root = page(client, "/share/GhIjKlMn/changes")
    paths = root.xpath("//section[@class='file-diffs']//h2/code/text()")
    edited = {part["path"] for part in recorded_patches("rate-limit-feature")}
    assert edited == set(paths)
    stories = root.xpath("//a[@class='story']/@href")
    assert len(stories) == len(paths)
    for link in stories:
        assert page(client, link).xpath("//tr[@class='added' or @class='removed']")
    page(client, "/share/GhIjKlMn/changes/99", 404)


def recorded_patches(name: str) -> list[dict[str, str]]:
    """The files that OpenCode says the prompts of a session changed."""
    return [
        {"path": diff["file"]}
        for message in document(name)["messages"]
        for diff in (message["info"].get("summary") or {}).get("diffs", [])
        if isinstance(message["info"].get("summary"), dict)
    ]


def test_a_session_without_changes_says_so(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    assert "changed no files" in client.get("/share/GhIjKlMn/changes").text


def test_the_session_can_be_had_as_json_and_as_markdown(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    assert client.get("/share/GhIjKlMn.json").get_json() == document("rate-limit-feature")
    markdown = client.get("/share/GhIjKlMn.md")
    assert markdown.mimetype == "text/markdown"
    assert markdown.text.startswith("# Add per-client rate limiting")
    asked = client.get("/share/GhIjKlMn", headers={"Accept": "text/markdown"})
    assert asked.data == markdown.data
    assert "Accept" in asked.headers["Vary"]
    browser = client.get("/share/GhIjKlMn", headers={"Accept": "text/html,*/*;q=0.8"})
    assert browser.mimetype == "text/html"


def test_the_session_can_be_imported_as_opencode_sends_it(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    items = client.get("/api/share/GhIjKlMn/data").get_json()
    session = document("rate-limit-feature")
    assert items[0] == {"type": "session", "data": session["session"]}
    assert [item["data"] for item in items if item["type"] == "message"] == [
        message["info"] for message in session["messages"]
    ]
    assert [item["data"] for item in items if item["type"] == "part"] == list(
        recorded.parts("rate-limit-feature")
    )


def test_what_opencode_could_not_import_stays_behind(client: FlaskClient) -> None:
    session = document("single-message")
    session["session"]["share"] = {"url": "https://elsewhere.example.com/share/x"}
    session["messages"][1]["parts"].append({"type": "from-the-future", "id": "prt_x"})
    session["messages"].append(None)
    share(client, json.dumps(session).encode())
    items = client.get("/api/share/GhIjKlMn/data").get_json()
    assert "share" not in items[0]["data"]
    assert "prt_x" not in json.dumps(items)
    assert len([item for item in items if item["type"] == "message"]) == 2


def test_a_preview_tells_title_model_and_counts(client: FlaskClient) -> None:
    share(client, document_bytes("rate-limit-feature"))
    root = page(client, "/share/GhIjKlMn")
    tags = {tag.get("property") or tag.get("name"): tag.get("content") for tag in root.xpath("//meta")}
    assert tags["og:title"] == "Add per-client rate limiting to the order API"
    assert tags["og:description"].startswith("acme-api · acme-coder-1 · 18 messages · ")
    assert tags["og:url"] == "https://share.example.com/share/GhIjKlMn"
    assert tags["robots"] == "noindex"
    picture = client.get(tags["og:image"].removeprefix("https://share.example.com"))
    assert picture.mimetype == "image/png"
    assert picture.data.startswith(b"\x89PNG")


def test_a_preview_keeps_titles_to_itself_where_the_operator_says_so(settings: dict[str, str]) -> None:
    with running_app({**settings, "PREVIEW_TITLES": "false"}) as app:
        client = app.test_client()
        share(client, document_bytes("rate-limit-feature"))
        for tag in page(client, "/share/GhIjKlMn").xpath("//meta/@content"):
            assert "rate limiting" not in tag
            assert "acme" not in tag


def test_a_page_that_the_reader_holds_is_not_made_again(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    first = client.get("/share/GhIjKlMn")
    again = client.get("/share/GhIjKlMn", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


def test_what_else_is_made_of_a_session_is_another_version_of_it(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    tags = {
        client.get(f"/share/GhIjKlMn{kind}").headers["ETag"] for kind in ("", ".md", ".json", "/card.png")
    }
    assert len(tags) == 4
    markdown = client.get("/share/GhIjKlMn", headers={"Accept": "text/markdown"}).headers["ETag"]
    html = client.get("/share/GhIjKlMn", headers={"Accept": "text/html", "If-None-Match": markdown})
    assert html.status_code == 200


def test_a_changed_setting_makes_another_version(settings: dict[str, str]) -> None:
    with running_app(settings) as app:
        share(app.test_client(), document_bytes("rate-limit-feature"))
        shown = app.test_client().get("/share/GhIjKlMn")
    with running_app({**settings, "PREVIEW_TITLES": "false"}) as app:
        hidden = app.test_client().get("/share/GhIjKlMn", headers={"If-None-Match": shown.headers["ETag"]})
    assert hidden.status_code == 200
    assert 'og:title" content="Add' not in hidden.text


def test_a_page_is_made_again_once_its_session_has_grown(app: Flask, client: FlaskClient) -> None:
    answer = share(client, document_bytes("single-message"))
    etag = client.get("/share/GhIjKlMn").headers["ETag"]
    longer = document_bytes("in-progress")
    upload(client, renew(client, "GhIjKlMn", answer["secret"], size=len(longer)).get_json(), longer)
    with app.app_context():
        services().freshness.fresh_seconds = -1
    client.get("/share/GhIjKlMn")
    again = client.get("/share/GhIjKlMn", headers={"If-None-Match": etag})
    assert again.status_code == 200
    assert again.headers["ETag"] != etag


def test_the_page_of_another_release_is_not_taken_for_this_ones(client: FlaskClient) -> None:
    share(client, document_bytes("single-message"))
    etag = client.get("/share/GhIjKlMn").headers["ETag"].replace('"', "").removeprefix("W/")
    older = f'W/"{etag.rpartition(".")[0]}.0123456789ab"'
    assert client.get("/share/GhIjKlMn", headers={"If-None-Match": older}).status_code == 200


@pytest.mark.parametrize("address", ["", ".md", ".json", "/changes", "/prompts", "/card.png", "/m/x", "/s/x"])
def test_whatever_shows_a_session_ends_with_its_share(client: FlaskClient, address: str) -> None:
    delete(client, "GhIjKlMn", share(client, document_bytes("single-message"))["secret"])
    assert client.get(f"/share/GhIjKlMn{address}").status_code == 404


def test_themes_have_stylesheets(client: FlaskClient) -> None:
    for name in ("auto", "dracula", "paper"):
        response = client.get(f"/themes/{name}.css")
        assert response.mimetype == "text/css"
        assert "--paper:" in response.text
    assert client.get("/themes/unknown.css").status_code == 404


def test_a_session_with_half_a_character_can_still_be_imported(client: FlaskClient) -> None:
    share(client, with_parts({"type": "text", "id": "prt_1", "text": "cut \ud83d"}))
    items = client.get("/api/share/GhIjKlMn/data").get_json()
    assert items[-1]["data"]["text"] == "cut \ufffd"
    assert "cut \ufffd" in client.get("/share/GhIjKlMn").text
