"""Queries, and folding: neither case nor accents matter, and places in the folded text lead back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.render.search.folding import CHUNK_CHARACTERS, find_all, find_first, fold
from app.render.search.prefilter import WINDOW_BYTES, Prefilter
from app.render.search.query import MAX_QUERY_CHARACTERS, MAX_QUERY_TERMS, Query, parse_query

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        ("  \t ", Query()),
        ("Retry  AFTER", Query(("retry", "after"))),
        ("same Same", Query(("same",))),
        ('"Retry After"  x', Query(("retry after", "x"))),
        ('"not  closed', Query(("not closed",))),
        ('a"b c"d', Query(("a", "b c", "d"))),
        ('""', Query()),
        ("tool:Bash", Query(tools=("bash",))),
        ("TOOL:bash tool:read", Query(tools=("bash", "read"))),
        ('file:"my app.py"', Query(files=("my app.py",))),
        (r"file:src\App.py", Query(files=("src/app.py",))),
        ("is:error timeout", Query(("timeout",), is_error=True)),
        ("IS:Error", Query(is_error=True)),
        ("is:open", Query(("is:open",))),
        ("tool: x", Query(("tool:", "x"))),
        ("https://a.b/c?d=(.*)", Query(("https://a.b/c?d=(.*)",))),
        ("Ça ÉTÉ", Query(("ca", "ete"))),
        ("\u0301", Query()),
    ],
)
def test_a_query_is_words_phrases_and_operators(text: str, query: Query) -> None:
    assert parse_query(text) == query
    assert bool(parse_query(text)) == (query != Query())


def test_a_long_query_counts_up_to_its_limits() -> None:
    assert len(parse_query(" ".join(map(str, range(100)))).terms) == MAX_QUERY_TERMS
    assert parse_query("x" * 1_000).terms == ("x" * MAX_QUERY_CHARACTERS,)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ÉTÉ", "ete"),
        ("e\u0301te\u0301", "ete"),
        ("Straße", "strasse"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("ﬁn ２", "fin 2"),
        ("İstanbul", "istanbul"),
        ("a\tb\nc\u00a0d", "a b c d"),
        ("שָׁלוֹם", "שלום"),
    ],
)
def test_case_and_accents_do_not_matter(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_letters_that_only_look_accented_stay_apart() -> None:
    assert fold("か") != fold("が")
    assert fold("が") == fold("か\u3099")


@given(WORDS, WORDS)
def test_a_text_folds_as_its_pieces_do(first: str, second: str) -> None:
    assert fold(first + second) == fold(first) + fold(second)
    assert fold(fold(first)) == fold(first)


def test_many_different_characters_fold_as_few_do() -> None:
    text = "".join(map(chr, range(0xC0, 0x250)))
    assert fold(text) == "".join(map(fold, text))


@given(WORDS, WORDS, WORDS)
def test_what_was_found_is_a_range_of_the_text(before: str, word: str, after: str) -> None:
    term = fold(word)
    text = before + word + after
    if not term:
        return
    ranges = find_all(text, [term])
    assert ranges
    assert all(term in fold(text[start:end]) for start, end in ranges)
    assert ranges[0][0] == find_first(text, [term])


def test_a_place_in_a_long_text_is_found_again() -> None:
    text = "Ça ﬁnit… " * CHUNK_CHARACTERS + "Où ?"
    assert text[find_first(text, ["ou ?"]) :] == "Où ?"


def test_marked_words_include_their_accents_and_do_not_overlap() -> None:
    text = "cafe\u0301s Café"
    assert [text[start:end] for start, end in find_all(text, ["cafe", "fe"])] == ["cafe\u0301", "Café"]


def may_match(query: str, text: str, *, ascii_only: bool = False) -> bool:
    encoded = json.dumps({"text": text}, ensure_ascii=ascii_only).encode()
    return Prefilter(parse_query(query)).may_match(memoryview(encoded))


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("retry", "a RETRY b"),
        ("cafe", "Le Café"),
        ("café", "CAFE"),
        ("日本", "日本語"),
        ("strasse", "Straße"),
        ("cafes", "cafe\u0301s"),
        ("fin", "ﬁn"),
        ('"b c"', "a b\nc"),
        ('"say "', 'say "x"'),
        ("C:\\x", "c:\\X\\y"),
        ("src/app", "SRC/app"),
        ("foobar", "foo\x1b[1;31mbar\x1b[0m"),
        ("red", "\x1b[31mred\x1b[0m — é"),
        ("\\", "a \\ b"),
    ],
)
def test_json_that_has_the_words_passes_the_filter(query: str, text: str, ascii_only: bool) -> None:
    assert may_match(query, text, ascii_only=ascii_only)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.booleans())
def test_the_filter_never_drops_what_the_text_has(
    before: str, word: str, after: str, ascii_only: bool
) -> None:
    text = (before + word + after).replace("\x1b", "")
    encoded = json.dumps(text, ensure_ascii=ascii_only).encode(errors="replace")
    query = parse_query(word)
    folded = fold(json.loads(encoded))
    if all(term in folded for term in query.terms) and not (query.tools or query.files or query.is_error):
        assert Prefilter(query).may_match(memoryview(encoded))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("retry", "a try"),
        ("retry after", "retry"),
        ("日本", "日和"),
        ("cafe", "日本 — x → …"),
        ("word", "\x1b[31mred\x1b[0m"),
        ("is:error", "fine"),
    ],
)
def test_json_without_the_words_does_not_pass_the_filter(query: str, text: str) -> None:
    assert not may_match(query, text)


def test_a_word_across_two_windows_is_found() -> None:
    for shift in range(0, 12, 3):
        assert may_match("needle", "x" * (WINDOW_BYTES - 10 - shift) + " needle " + "y" * 100)


@pytest.mark.parametrize(
    "fields", ['{"status": "error"}', '{"exit": 1}', '{"exit":-1}', '{"exit" : 127}', '{"status": "timeout"}']
)
def test_json_of_failures_passes_the_filter(fields: str) -> None:
    prefilter = Prefilter(Query(is_error=True))
    assert prefilter.may_match(memoryview(fields.encode()))
    assert not prefilter.may_match(memoryview(b'{"status": "completed", "exit": 0}'))
