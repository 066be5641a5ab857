"""Makes sure that every text of a document can be decoded, so that none fails later, on its page."""

from __future__ import annotations

import codecs
import re

# A document as it came, or grown in place.
JSON = bytes | bytearray

CHUNK_BYTES = 1024 * 1024

_ANY_SURROGATE = re.compile(rb"\\u[dD]")
# An unpaired UTF-16 surrogate escape, as JavaScript's String.slice leaves. Full pairs match as well, and are
# put back by sub().
_SURROGATES = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..)", re.DOTALL
)


class UnreadableDocument(Exception):
    """A document exists but cannot be shown; the text is a sentence that says why."""


def replace_lone_surrogates(document: JSON) -> JSON:
    """The document, with a replacement character (U+FFFD) for every unpaired surrogate.

    Raises UnicodeDecodeError when it is not UTF-8.
    """
    if not document.isascii():
        decode = codecs.getincrementaldecoder("utf-8")().decode
        for start in range(0, len(document), CHUNK_BYTES):
            decode(document[start : start + CHUNK_BYTES])
        decode(b"", final=True)
    if not _ANY_SURROGATE.search(document):
        return document
    return _SURROGATES.sub(lambda match: match[1] + (match[2] or rb"\ufffd"), document)
