"""Makes sure that every text of a document can be decoded, so that none fails later, on its page."""

from __future__ import annotations

import codecs
import re

# A document, as it came or grown in place.
JSON = bytes | bytearray

CHUNK_BYTES = 1024 * 1024

_ANY_SURROGATE = re.compile(rb"\\u[dD]")
# Half a character, as is left where JavaScript cut a text; whole ones match too, so that they are kept.
_SURROGATES = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..)", re.DOTALL
)


def decodable(document: JSON) -> JSON:
    """The document, with a replacement character for every half one.

    Raises UnicodeDecodeError when it is not UTF-8.
    """
    if not document.isascii():
        decode = codecs.getincrementaldecoder("utf-8")().decode
        for start in range(0, len(document), CHUNK_BYTES):
            decode(document[start : start + CHUNK_BYTES])
        decode(b"", final=True)
    if not _ANY_SURROGATE.search(document):
        return document
    return _SURROGATES.sub(lambda found: found[1] + (found[2] or rb"\ufffd"), document)
