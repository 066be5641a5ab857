"""The outermost JSON of a document: checks its size in parts and hands its messages to their reader."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from app.session import v1
from app.session.errors import UnreadableDocument
from app.session.limits import check_counts
from app.session.model import Conversation


class _Envelope(msgspec.Struct):
    """`{shareId, sessionId, createdAt, updatedAt, session, messages}` as the plugin uploads it."""

    session: Raw
    messages: list[Raw]


def read_conversation(document: bytes) -> Conversation:
    """The conversation in a document of JSON. Raises UnreadableDocument with the reason."""
    try:
        check_counts(document)
        envelope = msgspec.json.decode(document, type=_Envelope)
        return v1.read(envelope.session, envelope.messages)
    except RecursionError:
        raise UnreadableDocument("The document is nested too deeply.") from None
    except msgspec.ValidationError:
        raise UnreadableDocument("The document is not a session of OpenCode.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UnreadableDocument("The document is not valid JSON; it may have been cut short.") from None
