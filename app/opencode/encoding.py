"""Brings a document into UTF-8, and makes sure that every text of it can be decoded.

Exports come as programs and shells wrote them: with a byte order mark, as UTF-16 (Windows PowerShell), or
after a line that a program printed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple

# A document as it came, or grown in place.
JSON = bytes | bytearray

CHUNK_BYTES = 1024 * 1024

_HIGH = rb"\\u[dD][89abAB][\da-fA-F][\da-fA-F]"
_LOW = rb"\\u[dD][c-fC-F][\da-fA-F][\da-fA-F]"
_ANY_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
# An unpaired UTF-16 surrogate escape, as JavaScript's String.slice leaves, and the replacement character.
_LONE_ESCAPE = re.compile(rb"%b(?!%b)|(?<!%b)%b" % (_HIGH, _LOW, _HIGH, _LOW))
_ESCAPE_OF_REPLACEMENT = rb"\\ufffd"
# Where a piece of JSON ends with what the next piece may continue: an escape, or the first of a pair.
_OPEN_ESCAPE = re.compile(rb"(?:%b)?(?:\\(?:u.{0,3})?)?\Z" % _HIGH, re.DOTALL)
_LONGEST_OPEN_ESCAPE = len(rb"\ud800\udc0")
# A surrogate that was encoded by itself, as UTF-8 forbids and CESU-8 does.
_RAW_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_OPEN_RAW = re.compile(rb"(?:\xed[\xa0-\xbf]?)?\Z")
_LONGEST_OPEN_RAW = 2
# An escaped backslash, and what stands for it meanwhile, which no UTF-8 contains.
_BACKSLASH, _MASK = rb"\\", b"\xff\xff"

# How much may stand before the JSON.
MAX_PREAMBLE_BYTES = 4096
# Not `[12:30] Exporting`.
_BEGINNING = re.compile(rb'\{\s*["}]|\[\s*(?:[\[{\]"]|(?:null|true|false|-?\d+)\s*[,\]])')
_SPACE = b" \t\r\n"


class UnreadableDocument(Exception):
    """A document exists but cannot be shown; the text is a sentence that says why."""


class Utf8Document(NamedTuple):
    """JSON that can be decoded, and whether a document had to be changed for that."""

    json: JSON
    is_changed: bool


def as_utf8(document: JSON) -> Utf8Document:
    """A document as UTF-8 that begins with its JSON, with U+FFFD for every unpaired surrogate.

    A bytearray is changed in place, bytes are copied if they have to be changed. Raises UnreadableDocument
    with the name of an encoding that cannot be read.
    """
    if document.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise UnreadableDocument("The document is UTF-32; save it as UTF-8.")
    is_utf16 = document.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if is_utf16:
        document = _from_utf16(document)
    elif b"\0" in document[:2]:
        raise UnreadableDocument("The document is UTF-16 without a byte order mark; save it as UTF-8.")
    start = _start_of_json(document)
    if start:
        document = bytearray(document) if isinstance(document, bytes) else document
        del document[:start]
    try:
        clean = replace_lone_surrogates(document)
    except UnicodeDecodeError:
        raise UnreadableDocument("The document is neither UTF-8 nor UTF-16.") from None
    return Utf8Document(clean.json, is_utf16 or bool(start) or clean.is_changed)


def _start_of_json(document: JSON) -> int:
    """How many bytes stand before the JSON: a byte order mark, space, or what a program printed."""
    mark = len(codecs.BOM_UTF8) if document.startswith(codecs.BOM_UTF8) else 0
    preamble = document[mark : mark + MAX_PREAMBLE_BYTES]
    start = mark + len(preamble) - len(preamble.lstrip(_SPACE))
    if _BEGINNING.match(document, start):
        return mark
    beginning = _BEGINNING.search(document, start, mark + MAX_PREAMBLE_BYTES)
    return beginning.start() if beginning else mark


def _from_utf16(document: JSON) -> bytearray:
    if len(document) % 2:
        raise UnreadableDocument("The document is UTF-16 that ends within a character; it was cut short.")
    # In pieces, because the text needs twice or four times the memory.
    decode = codecs.getincrementaldecoder("utf-16")("replace").decode
    utf8 = bytearray()
    rest = bytearray(document) if isinstance(document, bytes) else document
    while rest:
        utf8 += decode(bytes(rest[:CHUNK_BYTES])).encode()
        # Gives the memory back as the text grows.
        del rest[:CHUNK_BYTES]
    return utf8 + decode(b"", final=True).encode()


def replace_lone_surrogates(document: JSON) -> Utf8Document:
    """A document with a replacement character (U+FFFD) for every unpaired surrogate, escaped or raw.

    A bytearray is changed in place. Raises UnicodeDecodeError when it is not UTF-8 otherwise.
    """
    result = Utf8Document(document, is_changed=False)
    if not document.isascii() and _RAW_SURROGATE.search(document):
        result = _in_pieces(document, _without_raw_surrogates)
    _require_utf8(result.json)
    if not _ANY_ESCAPE.search(result.json):
        return result
    json, is_changed = _in_pieces(result.json, _without_lone_escapes)
    return Utf8Document(json, is_changed or result.is_changed)


def _require_utf8(document: JSON) -> None:
    if document.isascii():
        return
    decode = codecs.getincrementaldecoder("utf-8")().decode
    view = memoryview(document)
    for start in range(0, len(view), CHUNK_BYTES):
        decode(view[start : start + CHUNK_BYTES])
    decode(b"", final=True)


def _in_pieces(document: JSON, clean: Callable[[bytes], bytes]) -> Utf8Document:
    """The document with each piece replaced by what `clean` makes of its beginning, of the same length.

    In pieces, because a pattern's `sub` keeps a list of all that it has found. `clean` leaves out what it
    cannot judge before it sees the next piece.
    """
    is_changed = False
    start = 0
    while cleaned := clean(piece := bytes(document[start : start + CHUNK_BYTES])):
        end = start + len(cleaned)
        if not piece.startswith(cleaned):
            document = bytearray(document) if isinstance(document, bytes) else document
            document[start:end] = cleaned
            is_changed = True
        start = end
    return Utf8Document(document, is_changed)


def _without_raw_surrogates(piece: bytes) -> bytes:
    end = _OPEN_RAW.search(piece, max(0, len(piece) - _LONGEST_OPEN_RAW))
    return _RAW_SURROGATE.sub("\ufffd".encode(), piece[: end.start()] if end else piece)


def _without_lone_escapes(piece: bytes) -> bytes:
    masked = piece.replace(_BACKSLASH, _MASK)
    end = _OPEN_ESCAPE.search(masked, max(0, len(masked) - _LONGEST_OPEN_ESCAPE))
    clean = _LONE_ESCAPE.sub(_ESCAPE_OF_REPLACEMENT, masked[: end.start()] if end else masked)
    return clean.replace(_MASK, _BACKSLASH)
