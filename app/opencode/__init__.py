"""OpenCode's sessions as plain data: read from a document, cut into pages, merged from sync batches.

Plain functions over bytes and dataclasses; nothing here knows Flask or a database.
"""

from app.opencode.description import Description, description_of
from app.opencode.encoding import JSON, UnreadableDocument, Utf8Document, as_utf8, replace_lone_surrogates
from app.opencode.model import Conversation, Step, Turn
from app.opencode.paging.index_extender import Extension, extend_index
from app.opencode.paging.index_reader import DocumentIndex, IndexedSession
from app.opencode.paging.index_writer import write_index
from app.opencode.paging.pieces import DamagedIndex
from app.opencode.reading.envelope import as_unreadable, describe_document, read_conversation
from app.opencode.sync.changes import NeedsWholeDocument
from app.opencode.sync.export import sync_items
from app.opencode.sync.merge import DocumentHeader, header_of, merge_batches
from app.opencode.sync.older_importers import is_older_importer
from app.opencode.sync.sanitize import sanitize_item
from app.opencode.sync.validate import require_spare_levels, validate_batch, validate_snapshot
from app.opencode.sync.weight import MAX_WEIGHT, weight_of, weight_of_document
from app.opencode.sync_items import CHANGE_TYPES, Item

__all__ = [
    "CHANGE_TYPES",
    "JSON",
    "MAX_WEIGHT",
    "Conversation",
    "DamagedIndex",
    "Description",
    "DocumentHeader",
    "DocumentIndex",
    "Extension",
    "IndexedSession",
    "Item",
    "NeedsWholeDocument",
    "Step",
    "Turn",
    "UnreadableDocument",
    "Utf8Document",
    "as_unreadable",
    "as_utf8",
    "describe_document",
    "description_of",
    "extend_index",
    "header_of",
    "is_older_importer",
    "merge_batches",
    "read_conversation",
    "replace_lone_surrogates",
    "require_spare_levels",
    "sanitize_item",
    "sync_items",
    "validate_batch",
    "validate_snapshot",
    "weight_of",
    "weight_of_document",
    "write_index",
]
