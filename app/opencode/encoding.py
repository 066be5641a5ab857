"""Brings a document into UTF-8, and makes sure that every text of it can be decoded.

Exports come as programs and shells wrote them: with a byte order mark, as UTF-16 (Windows PowerShell), or
after a line that a program printed.
"""

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


# How much may stand before the JSON.
MAX_PREAMBLE_BYTES = 4096
# Not `[12:30] Exporting`.
_BEGINNING = re.compile(rb'\{\s*["}]|\[\s*(?:[\[{\]"]|(?:null|true|false|-?\d+)\s*[,\]])')
_SPACE = b" \t\r\n"


class UnreadableDocument(Exception):
    """A document exists but cannot be shown; the text is a sentence that says why."""


def as_utf8(document: JSON) -> JSON:
    """A document as UTF-8 that begins with its JSON; the document itself if it is that already.

    Raises UnreadableDocument with the name of an encoding that cannot be read.
    """
    if document.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise UnreadableDocument("The document is UTF-32; save it as UTF-8.")
    if document.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        document = _from_utf16(document)
    elif b"\0" in document[:2]:
        raise UnreadableDocument("The document is UTF-16 without a byte order mark; save it as UTF-8.")
    if document.startswith(codecs.BOM_UTF8):
        document = document[len(codecs.BOM_UTF8) :]
    start = len(document[:MAX_PREAMBLE_BYTES]) - len(document[:MAX_PREAMBLE_BYTES].lstrip(_SPACE))
    if _BEGINNING.match(document, start):
        return document
    beginning = _BEGINNING.search(document, start, MAX_PREAMBLE_BYTES)
    return document[beginning.start() :] if beginning else document


def _from_utf16(document: JSON) -> bytearray:
    if len(document) % 2:
        raise UnreadableDocument("The document is UTF-16 that ends within a character; it was cut short.")
    # In pieces, because the text needs twice or four times the memory.
    decode = codecs.getincrementaldecoder("utf-16")("replace").decode
    utf8 = bytearray()
    for start in range(0, len(document), CHUNK_BYTES):
        utf8 += decode(document[start : start + CHUNK_BYTES]).encode()
    return utf8 + decode(b"", final=True).encode()


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
