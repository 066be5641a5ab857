"""The bytes of a session document, read into a Conversation; plain functions over data."""

from app.session.envelope import read_conversation
from app.session.errors import UnreadableDocument
from app.session.index import write_index
from app.session.indexed import Chapter, Index
from app.session.items import native_items
from app.session.model import Conversation, Step, Turn

__all__ = [
    "Chapter",
    "Conversation",
    "Index",
    "Step",
    "Turn",
    "UnreadableDocument",
    "native_items",
    "read_conversation",
    "write_index",
]
