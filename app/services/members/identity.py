"""Who somebody is, as a proxy or an identity provider says, and which people a setting means."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass

# The issuer of names that a proxy hands on in AUTH_PROXY_HEADER.
PROXY = "proxy"
EVERYBODY = "*"
GROUP = "group:"
ID_BYTES = 12
MAX_TEXT_CHARACTERS = 200
MAX_GROUPS = 200


@dataclass(frozen=True)
class Identity:
    """A person at an issuer: PROXY, or the URL of an OpenID provider.

    `subject` never changes; people may change their `name`, so no right depends on it. `mail` is one that the
    issuer has verified.
    """

    issuer: str
    subject: str
    name: str
    mail: str | None = None
    groups: tuple[str, ...] = ()

    @classmethod
    def from_proxy(cls, name: str, groups: tuple[str, ...] = ()) -> Identity:
        """The person whom a proxy names, by an account name or a mail address."""
        return cls(PROXY, name, name, mail=name if "@" in name else None, groups=groups[:MAX_GROUPS])

    @property
    def account(self) -> str:
        """What tells this person from others, for people: the mail address, or what the issuer calls them."""
        return self.mail or self.subject

    @property
    def member_id(self) -> str:
        """The same on all servers, so that shares that are restored elsewhere belong to the same people."""
        digest = hashlib.sha256(f"{self.issuer}\n{self.subject}".encode()).digest()
        return urlsafe_b64encode(digest[:ID_BYTES]).decode()


@dataclass(frozen=True)
class People:
    """The people that a setting names.

    Entries are separated by commas: `*` for everybody, `@example.com` for all of a mail domain,
    `grace@example.com` for one address, `group:staff` for a group, or else the name that a proxy or the
    provider (`sub`) has for a person.
    """

    setting: str

    def include(self, person: Identity) -> bool:
        """Whether any of the entries means this person; case does not count in mail addresses."""
        entries = {entry.strip() for entry in self.setting.split(",")}
        return not _entries_for(person).isdisjoint(_without_case(entries))


def _entries_for(person: Identity) -> set[str]:
    """All entries that mean this person."""
    entries = {EVERYBODY, *(f"{GROUP}{group}" for group in person.groups)}
    # Nobody is let in by an account name that looks like another kind of entry.
    if "@" not in person.subject and not person.subject.startswith((EVERYBODY, GROUP)):
        entries.add(person.subject)
    if person.mail:
        entries |= {person.mail, f"@{person.mail.rpartition('@')[2]}"}
    return _without_case(entries)


def _without_case(entries: Iterable[str]) -> set[str]:
    return {entry.casefold() if "@" in entry and not entry.startswith(GROUP) else entry for entry in entries}
