"""The bytes of a session document, read into a Conversation; plain functions over data."""

from app.session.batches import Item
from app.session.encoding import JSON, decodable
from app.session.envelope import read_conversation, refusals
from app.session.errors import UnreadableDocument
from app.session.index import write_index
from app.session.indexed import Chapter, Index
from app.session.intake import take_in
from app.session.items import native_items
from app.session.merge import Head, merged, revision_of
from app.session.model import Conversation, Step, Turn
from app.session.weight import MAX_WEIGHT, weight_of, weight_of_document

__all__ = [
    "JSON",
    "MAX_WEIGHT",
    "Chapter",
    "Conversation",
    "Head",
    "Index",
    "Item",
    "Step",
    "Turn",
    "UnreadableDocument",
    "decodable",
    "merged",
    "native_items",
    "read_conversation",
    "refusals",
    "revision_of",
    "take_in",
    "weight_of",
    "weight_of_document",
    "write_index",
]
