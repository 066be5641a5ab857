"""What reading a document may raise."""


class UnreadableDocument(Exception):
    """A document is there but cannot be shown; the text is a sentence that says why."""
