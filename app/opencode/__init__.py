"""The bytes of a session document, read into a Conversation; plain functions over data."""

from app.opencode.encoding import JSON, decodable
from app.opencode.errors import UnreadableDocument
from app.opencode.model import Conversation, Step, Turn
from app.opencode.paging.index_reader import Chapter, Index
from app.opencode.paging.index_writer import write_index
from app.opencode.reading.envelope import read_conversation, refusals
from app.opencode.sync.export import native_items
from app.opencode.sync.merge import Head, merged, revision_of
from app.opencode.sync.validate import take_in
from app.opencode.sync.weight import MAX_WEIGHT, weight_of, weight_of_document
from app.opencode.sync_items import Item

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
