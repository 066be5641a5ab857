"""The members of a server: who is noted when, and whom settings name."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from time_machine import travel

from app.services.container import services
from app.services.members.directory import Members, UnknownMember
from app.services.members.identity import Identity, People
from tests.support.marks import on_both_databases

pytestmark = on_both_databases

GRACE = Identity("https://id.example.com", "4711", "Grace", "grace@example.com", ("staff", "admins"))


@pytest.fixture
def members(each_database: dict[str, str], app: Flask) -> Iterator[Members]:
    with app.app_context():
        yield Members(services().connection, People("group:admins"), People("@example.com"))


def rows(members: Members) -> list[tuple[str, str | None, str]]:
    return [(row.name, row.mail, row.groups) for row in members.all()]


def test_who_signs_in_again_is_the_same_member_as_they_are_now(members: Members) -> None:
    first = members.sign_in(GRACE)
    renamed = Identity(GRACE.issuer, GRACE.subject, "Grace H.", GRACE.mail)
    second = members.sign_in(renamed)
    assert first.id == second.id
    assert rows(members) == [("Grace H.", "grace@example.com", "")]
    assert (first.is_admin, second.is_admin) == (True, False)


def test_the_same_subject_at_another_issuer_is_somebody_else(members: Members) -> None:
    other = Identity("https://id.example.org", GRACE.subject, "Grace", "grace@example.com")
    assert members.sign_in(GRACE).id != members.sign_in(other).id
    assert len(rows(members)) == 2


def test_a_sign_out_ends_what_began_before(members: Members) -> None:
    before = members.sign_in(GRACE)
    members.sign_out(before.id)
    member = members.get(before.id)
    assert member
    assert member.signed_out_at
    assert not member.has_session_since(before.first_seen_at)


def test_who_was_removed_is_nobody_until_they_sign_in_again(members: Members) -> None:
    before = members.sign_in(GRACE)
    members.remove(before.id)
    assert members.get(before.id) is None
    with travel(time.time() + 60):
        after = members.sign_in(GRACE)
    assert after.id == before.id
    assert not after.has_session_since(before.first_seen_at)


def test_that_somebody_is_there_is_written_once_an_hour(members: Members) -> None:
    member = members.sign_in(GRACE)
    written = []
    for minutes in (10, 50, 70, 80):
        with travel(time.time() + minutes * 60):
            members.get(member.id)
            found = members.get(member.id)
        assert found
        written.append(found.last_seen_at)
    assert written[0] == written[1] == member.last_seen_at
    assert written[1] < written[2] == written[3]


@pytest.mark.settings(AUTH_PROXY_HEADER="Remote-User", AUTH_PROXY_FROM="127.0.0.1", SHARE_AUDIENCE="members")
def test_a_proxy_makes_members_where_they_read_and_nobody_is_noted_elsewhere(
    each_database: dict[str, str], app: Flask, client: FlaskClient
) -> None:
    created = client.post(
        "/api/share/presign",
        json={"shareId": "public01", "sessionId": "ses_1", "audience": "link"},
    )
    assert created.status_code == 201
    client.get("/share/public01", headers={"Remote-User": "ada"})
    client.post("/api/share/presign", json={"shareId": "members1", "sessionId": "ses_1"})
    client.get("/share/members1", headers={"Remote-User": "grace@example.com"})
    with app.app_context():
        [member] = services().members.all()
    assert (member.issuer, member.subject, member.mail) == ("proxy", "grace@example.com", "grace@example.com")


@pytest.mark.parametrize(
    ("setting", "includes"),
    [
        ("", False),
        ("grace", True),
        (" ada , grace ", True),
        ("Grace", False),
        ("@example.com", False),
        ("group:grace", False),
        ("*", True),
    ],
)
def test_a_name_of_a_proxy_is_an_account(setting: str, includes: bool) -> None:
    assert People(setting).include(Identity.from_proxy("grace")) is includes


@pytest.mark.parametrize("name", ["*", "group:admins", "@example.com"])
def test_no_account_name_stands_for_many(name: str) -> None:
    person = Identity("proxy", name, name)
    assert not People("group:admins,@example.com").include(person)


def test_members_are_found_by_what_people_call_them(members: Members) -> None:
    member = members.sign_in(GRACE)
    for account in (member.id, "4711", "grace@example.com"):
        assert members.find(account).id == member.id
    with pytest.raises(UnknownMember, match="no member 'Grace'"):
        members.find("Grace")
    members.sign_in(Identity("https://id.example.org", "4711", "Somebody else"))
    with pytest.raises(UnknownMember, match="2 members"):
        members.find("4711")
