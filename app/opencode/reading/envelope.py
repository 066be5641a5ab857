"""The outermost JSON of a document, in each of its four forms: checks the counts and reads the conversation.

{session, messages, children?, diffs?, models?}   uploaded by the plugin, or merged from sync batches
{info, messages}                                  written by `opencode export`, of OpenCode 1 or 2
[{type, data}, ...]                               the items of OpenCode's own share protocol
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from msgspec import Raw

from app.opencode.description import Description, description_of
from app.opencode.encoding import JSON, UnreadableDocument
from app.opencode.fields import model_name
from app.opencode.limits import MAX_CHILDREN, check_counts, objects
from app.opencode.model import NOTHING, Conversation
from app.opencode.reading import conversation
from app.opencode.reading.item_list import Contents, merge_items
from app.opencode.reading.steps import UniqueIds

MAX_MODELS = 1_000


class _Envelope(msgspec.Struct, frozen=True):
    messages: list[Raw]
    session: Raw = Raw(b"")
    info: Raw = Raw(b"")
    children: Raw = NOTHING
    diffs: Raw = NOTHING
    models: Raw = NOTHING


class StoredSession(msgspec.Struct, frozen=True):
    """A session and its messages, as JSON."""

    session: Raw
    messages: Sequence[Raw]


class _Model(msgspec.Struct, frozen=True):
    id: str
    providerID: str = ""  # noqa: N815 - OpenCode's name
    name: str = ""


def read_conversation(document: JSON) -> Conversation:
    """The conversation in a document of JSON as `as_utf8` returns it. Raises UnreadableDocument."""
    with as_unreadable():
        contents = open_document(document)
        ids = UniqueIds()
        session = conversation.read(contents.session, contents.messages, ids)
        session.diffs = contents.diffs
        session.children = {
            id: conversation.read(child.session, child.messages, ids)
            for id, child in stored_children(contents).items()
        }
        names = model_names(contents.models)
        for each in session.walk():
            # Sub-agents may call others, which are all in one place.
            each.children = session.children
            # The steps keep the ids, which no two models share.
            each.models = [names.get(model, model) for model in each.models]
        return session


def describe_document(document: JSON) -> Description:
    """The description of the session in such a document, of which as little as possible is read.

    Raises UnreadableDocument.
    """
    with as_unreadable():
        contents = open_document(document)
        return description_of(conversation.read_head(contents.session, contents.messages))


@contextmanager
def as_unreadable() -> Iterator[None]:
    """Turns what decoding raises into UnreadableDocument with the reason."""
    try:
        yield
    except RecursionError:
        raise UnreadableDocument("The document is nested too deeply.") from None
    except msgspec.ValidationError:
        raise UnreadableDocument("The document is not a session of OpenCode.") from None
    except UnicodeDecodeError:
        raise UnreadableDocument("The document is neither UTF-8 nor UTF-16.") from None
    except msgspec.DecodeError as error:
        # The words of msgspec for JSON that ends too early.
        is_cut = "truncated" in str(error)
        reason = "not valid JSON; it was cut short" if is_cut else "not valid JSON"
        raise UnreadableDocument(f"The document is {reason}.") from None


def open_document(document: JSON, *, is_counted: bool = False) -> Contents:
    """The parts of a document, whichever its form. Raises what `as_unreadable` handles.

    One that `is_counted` has passed `check_counts` before.
    """
    if not is_counted:
        check_counts(document)
    envelope = msgspec.json.decode(document, type=_Envelope | list[Raw])
    if isinstance(envelope, list):
        return merge_items(envelope)
    session = envelope.session or envelope.info
    if not session:
        raise msgspec.ValidationError("there is no session")
    return Contents(session, envelope.messages, envelope.diffs, envelope.children, envelope.models)


def stored_children(contents: Contents) -> dict[str, StoredSession]:
    """The sessions of sub-agents by id; a broken one is left out, as if it had never been stored."""
    children: dict[str, StoredSession] = {}
    try:
        encoded = objects(contents.children, MAX_CHILDREN)
    except msgspec.ValidationError:
        return {}
    own_id = conversation.id_of(contents.session)
    for raw in encoded:
        try:
            child = msgspec.json.decode(raw, type=StoredSession)
            id = conversation.id_of(child.session)
        except msgspec.ValidationError:
            continue
        if id not in ("", own_id):
            children.setdefault(id, child)
    return children


def model_names(field: Raw) -> dict[str, str]:
    """Display names by `provider/model`; none for a broken list."""
    try:
        models = [msgspec.json.decode(model, type=_Model) for model in objects(field, MAX_MODELS)]
    except msgspec.ValidationError:
        return {}
    return {model_name(model.providerID, model.id): model.name for model in models if model.name}
