"""The bytes of a session document, read into a Conversation; plain functions over data."""

from app.session.envelope import read_conversation
from app.session.errors import UnreadableDocument
from app.session.model import Conversation, Step, Turn

__all__ = ["Conversation", "Step", "Turn", "UnreadableDocument", "read_conversation"]
