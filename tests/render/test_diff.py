"""Diffs: read from what OpenCode and git write, computed, and shown."""

import json
import random
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser

import pytest

from app.lib.budget import MAX_CODE_BYTES, Budget
from app.render.diff.html import MAX_MARKED_PAIRS, MAX_ROW_CHARACTERS, MAX_ROWS, ROW_CHARACTERS, diff_lines
from app.render.diff.model import MAX_COMPARED_LINES, FileDiff, diff_texts
from app.render.diff.patch_parser import read_apply_patch, read_patch
from app.render.diff.words import MAX_LINE_CHARACTERS, changed_words, mark
from app.render.text.highlight import highlight
from tests.support.paths import FIXTURES

WITH_PATCHES = (
    "apply-patch.json",
    "rate-limit-feature.json",
    "tools-gallery.json",
    "unicode-and-injection.json",
)


def strings(fixture: str, *keys: str) -> list[str]:
    """All texts under these keys, in the order of the document."""

    def walk(value: object, key: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for name, child in value.items():
                yield from walk(child, name)
        elif isinstance(value, list):
            for child in value:
                yield from walk(child, key)
        elif isinstance(value, str) and key in keys:
            yield value

    return list(walk(json.loads((FIXTURES / fixture).read_text())))


def rows(file: FileDiff) -> list[tuple[str, int | None, int | None, str]]:
    return [row[:4] for hunk in file.hunks for row in hunk.rows]


def facts(file: FileDiff) -> tuple[str, str | None, str, int, int]:
    return file.path, file.old_path, file.status, file.added, file.removed


def shown(patch: str) -> list[str]:
    return [line.html for line in diff_lines(read_patch(patch)[0], Budget()).lines]


def text_of(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


class Nesting(HTMLParser):
    """Fails where a tag is closed that is not the innermost open one, or stays open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


# Reading


def test_the_recorded_summary_of_a_prompt_tells_what_happened_to_each_file():
    patches = strings("apply-patch.json", "patch")[:5]
    assert [facts(read_patch(patch)[0]) for patch in patches] == [
        ("acme_api/__init__.py", None, "modified", 1, 1),
        ("acme_api/money.py", None, "added", 2, 0),
        ("docs/architecture.md", None, "deleted", 0, 5),
        ("docs/design.md", None, "added", 5, 0),
        ("web/src/client.ts", None, "deleted", 0, 7),
    ]


def test_several_recorded_files_in_one_patch_are_parted():
    patch = next(text for text in strings("apply-patch.json", "diff") if text.count("Index:") > 1)
    assert [(file.path.rpartition("/")[2], file.status) for file in read_patch(patch)] == [
        ("money.py", "added"),
        ("__init__.py", "modified"),
        ("architecture.md", "modified"),
        ("client.ts", "deleted"),
    ]


def test_lines_are_numbered_on_both_sides():
    patch = next(text for text in strings("tools-gallery.json", "diff") if "at all" in text)
    assert rows(read_patch(patch)[0])[3:] == [
        ("context", 4, 4, "* `acme_api/models.py` holds data classes."),
        ("removed", 5, None, "* Nothing is stored on disk yet."),
        ("added", None, 5, "* Nothing at all is stored on disk yet."),
    ]


def test_a_recorded_diff_of_git_is_read():
    [patch] = [text for text in strings("reverted.json", "diff") if text.startswith("diff --git")]
    [file] = read_patch(patch)
    assert facts(file) == ("poem.txt", None, "modified", 0, 1)
    assert rows(file)[-1] == ("removed", 2, None, "Anvils are grey")


def test_every_recorded_patch_keeps_all_of_its_lines():
    for fixture in WITH_PATCHES:
        for patch in strings(fixture, "patch", "diff"):
            body = [
                line[1:]
                for line in patch.split("\n")
                if line[:1] in ("+", "-", " ") and line and not line.startswith(("--- ", "+++ "))
            ]
            assert [row[3] for file in read_patch(patch) for row in rows(file)] == body


GIT = """\
diff --git a/old name.py b/new name.py
similarity index 90%
rename from old name.py
rename to new name.py
--- a/old name.py\t
+++ b/new name.py\t
@@ -1 +1 @@ def f():
-a
\\ No newline at end of file
+b
diff --git a/new.txt b/new.txt
new file mode 100644
index 000..111
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+x
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/moved.bin b/there/moved.bin
similarity index 100%
rename from moved.bin
rename to there/moved.bin
diff --git a/logo.png b/logo.png
new file mode 100644
Binary files /dev/null and b/logo.png differ
diff --git "a/caf\\303\\251.txt" "b/caf\\303\\251.txt"
--- "a/caf\\303\\251.txt"
+++ "b/caf\\303\\251.txt"
@@ -1,2 +1,2 @@
--- looks like a header
+++ looks like another
 same
"""


def test_all_that_git_does_to_files_is_understood():
    assert [facts(file) for file in read_patch(GIT)] == [
        ("new name.py", "old name.py", "renamed", 1, 1),
        ("new.txt", None, "added", 1, 0),
        ("gone.txt", None, "deleted", 0, 1),
        ("there/moved.bin", "moved.bin", "renamed", 0, 0),
        ("logo.png", None, "added", 0, 0),
        ("café.txt", None, "modified", 1, 1),
    ]


def test_a_missing_newline_is_told_of_the_line_before():
    removed, added = read_patch(GIT)[0].hunks[0].rows
    assert (removed.ends_with_newline, added.ends_with_newline) == (False, True)


def test_lines_that_look_like_headers_are_lines_inside_a_hunk():
    texts = [text for *_, text in rows(read_patch(GIT)[5])]
    assert texts == ["-- looks like a header", "++ looks like another", "same"]


def test_files_follow_each_other_without_an_index_line():
    files = read_patch("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-c\n+d\n")
    assert [facts(file) for file in files] == [("x", None, "modified", 1, 1), ("y", None, "modified", 1, 1)]


@pytest.mark.parametrize(
    "patch",
    [
        "",
        "not a patch",
        "@@",
        "--- ",
        "+++ b/x",
        "Index: ",
        "diff --git",
        "diff --git a b",
        'diff --git "a/\\x" "b/\\777"',
        "\\ No newline",
        "@@ -1 +1 @@\n\\ No newline",
        f"@@ -{'9' * 5000} +1 @@\n+x",
        "@@ -1,999999999 +1,999999999 @@\n x\nIndex: y\n--- y\n+++ y\n@@ -1 +1 @@\n-a",
        '--- "a/\u20ac\\q"\n+++ "b/\\"\n@@ -1 +1 @@\n-a\n+b',
    ],
)
def test_malformed_patches_are_read_as_far_as_they_go(patch):
    for file in read_patch(patch):
        diff_lines(file, Budget())
    read_apply_patch(patch)


def test_a_hunk_with_wrong_counts_loses_no_line():
    [file] = read_patch("--- x\n+++ x\n@@ -1,1 +1,1 @@\n-a\n+b\n+c\n d\n")
    assert [row[3] for row in rows(file)] == ["a", "b", "c", "d"]
    one, other = read_patch("Index: x\n@@ -1,50 +1,50 @@\n-a\n\n+b\nIndex: y\n@@ -1 +1 @@\n-c\n")
    assert [row[3] for row in rows(one)] == ["a", "", "b"]
    assert [row[3] for row in rows(other)] == ["c"]


def test_random_cuts_and_swaps_of_a_patch_never_fail():
    chance = random.Random(1)
    for _ in range(300):
        lines = GIT.split("\n")
        chance.shuffle(lines)
        patch = "\n".join(lines)[chance.randrange(50) : chance.randrange(50, 800)]
        for file in read_patch(patch) + read_apply_patch(patch):
            diff_lines(file, Budget())


def test_a_recorded_apply_patch_is_read():
    files = read_apply_patch(strings("apply-patch.json", "patchText")[0])
    assert [facts(file) for file in files] == [
        ("acme_api/money.py", None, "added", 2, 0),
        ("acme_api/__init__.py", None, "modified", 1, 1),
        ("docs/design.md", "docs/architecture.md", "renamed", 1, 1),
        ("web/src/client.ts", None, "deleted", 0, 0),
    ]
    assert rows(files[0])[1] == ("added", None, 2, '    return f"{cents / 100:.2f} €"')
    assert rows(files[1])[0] == ("removed", None, None, '__version__ = "0.4.2"')


def test_hunks_of_an_apply_patch_keep_their_place_names():
    hunks = "@@ class A\n x\n@@ class B\n-y\n*** End of File\n"
    [file] = read_apply_patch(f"*** Begin Patch\n*** Update File: a.py\n{hunks}*** End Patch\n+z")
    assert [hunk.header for hunk in file.hunks] == ["@@ class A", "@@ class B"]
    assert [text for *_, text in rows(file)] == ["x", "y"]


# Comparing


def test_the_difference_of_two_texts_has_context_and_numbers():
    before = "".join(f"{number}\n" for number in range(1, 21))
    file = diff_texts(before, before.replace("10\n", "ten\nand a half\n"), "x.txt")
    assert facts(file) == ("x.txt", None, "modified", 2, 1)
    assert file.hunks[0].header == "@@ -7,7 +7,8 @@"
    assert rows(file)[2:7] == [
        ("context", 9, 9, "9"),
        ("removed", 10, None, "10"),
        ("added", None, 10, "ten"),
        ("added", None, 11, "and a half"),
        ("context", 11, 12, "11"),
    ]


def test_far_changes_are_in_hunks_of_their_own():
    before = "".join(f"{number}\n" for number in range(100))
    file = diff_texts(before, before.replace("20\n", "x\n").replace("80\n", "y\n"), "x")
    assert [hunk.header for hunk in file.hunks] == ["@@ -18,7 +18,7 @@", "@@ -78,7 +78,7 @@"]


@pytest.mark.parametrize(
    ("before", "after", "status", "added", "removed"),
    [("", "a\nb", "added", 2, 0), ("a\n", "", "deleted", 0, 1), ("a", "a", "modified", 0, 0)],
)
def test_texts_that_appear_vanish_or_stay(before, after, status, added, removed):
    assert facts(diff_texts(before, after, "x")) == ("x", None, status, added, removed)


def test_what_is_too_long_to_compare_is_listed_as_removed_and_added():
    count = MAX_COMPARED_LINES + 1
    before = "first\n" + "a\nb\n" * count + "last\n"
    file = diff_texts(before, "first\n" + "b\na\n" * count + "last\n", "x")
    assert file.added == file.removed == 2 * count
    assert rows(file)[0] == ("context", 1, 1, "first")
    assert rows(file)[-1] == ("context", 2 * count + 2, 2 * count + 2, "last")


def test_a_small_change_in_a_huge_text_is_still_found():
    lines = [str(number) for number in range(200_000)]
    after = [*lines[:100_000], "new", *lines[100_000:]]
    assert facts(diff_texts("\n".join(lines), "\n".join(after), "x"))[3:] == (1, 0)


def test_applying_a_difference_gives_the_other_text():
    chance = random.Random(2)
    for _ in range(100):
        old, new = ([chance.choice("abcdef") for _ in range(chance.randrange(40))] for _ in range(2))
        result, place = [], 0
        for hunk in diff_texts("\n".join(old), "\n".join(new), "x").hunks:
            start, count = (int(number) for number in re.findall(r"\d+", hunk.header)[:2])
            first = start - 1 if count else start
            before = [row.text for row in hunk.rows if row.kind != "added"]
            assert before == old[first : first + count]
            result += old[place:first] + [row.text for row in hunk.rows if row.kind != "removed"]
            place = first + count
        assert result + old[place:] == new


# Showing


def test_each_side_is_highlighted_as_the_text_it_belongs_to():
    patch = "--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n-x = [\n+x = '''\n return\n-]\n+'''\n"
    _, old, new, context, *_ = shown(patch)
    assert '<span class="p"><mark>[</mark></span>' in old
    assert "<span class=\"s1\"><mark>'''</mark></span>" in new
    assert context == '<span class="s1">return</span>'


def test_a_recorded_edit_is_highlighted_with_its_changed_words_marked():
    patch = next(text for text in strings("rate-limit-feature.json", "diff") if "*headers" in text)
    added = next(html for html in shown(patch) if "respond" in html and "<mark>" in html)
    assert '<span class="nf">respond</span>' in added
    marked = "".join(re.findall(r"<mark>(.*?)</mark>", added))
    assert text_of(marked) == ", *headers"


def test_marks_never_cross_a_span():
    for fixture in WITH_PATCHES:
        for patch in strings(fixture, "patch", "diff"):
            for html in shown(patch):
                assert Nesting(html).tags <= {"span", "mark"}
                for inside in re.findall(r"<mark>(.*?)</mark>", html):
                    assert "<" not in inside


def test_markup_in_paths_headers_and_lines_is_escaped():
    attack = '<img src=x onerror="alert(1)">&lt;</mark><script>'
    patch = f"--- {attack}.py\n+++ {attack}.py\n@@ -1 +1 @@ {attack}\n-a {attack} b\n+a {attack} c\n"
    for html in shown(patch):
        assert Nesting(html).tags <= {"span", "mark"}
    assert shown(patch)[0].endswith("&#34;alert(1)&#34;&gt;&amp;lt;&lt;/mark&gt;&lt;script&gt;")


def test_control_characters_and_lone_returns_are_pictures():
    assert shown("--- x\n+++ x\n@@ -0,0 +1 @@\n+a\x1bb\rc\x00\n")[1] == "a␛b␍c␀"


def test_windows_lines_are_shown_without_their_returns_unless_those_changed():
    assert shown("--- x\n+++ x\n@@ -1 +1 @@\n-a\r\n+b\r\n")[1:] == ["a", "b"]
    assert shown("--- x\n+++ x\n@@ -1 +1 @@\n-a\r\n+a\n")[1:] == ["a<mark>␍</mark>", "a"]


def test_a_long_diff_is_cut_and_says_by_how_much(monkeypatch):
    file = diff_texts("", "line\n" * (MAX_ROWS + 20), "x")
    found = diff_lines(file, Budget())
    assert (len(found.lines), found.hidden_rows, found.hidden_characters) == (MAX_ROWS + 1, 20, 80)
    monkeypatch.setattr("app.render.diff.html.MAX_CHARACTERS", 41)
    assert diff_lines(file, Budget()).hidden_rows == MAX_ROWS + 10


def test_a_page_has_rows_for_so_much_and_a_long_row_counts_for_several():
    short, long = diff_texts("", "x\n" * 20, "x"), diff_texts("", f"{'x' * ROW_CHARACTERS}\n" * 20, "x")
    budget = Budget(max_rows=50)
    assert [diff_lines(file, budget).hidden_rows for file in (short, long, short)] == [0, 5, 20]


def test_a_long_line_is_cut():
    found = diff_lines(diff_texts("", "x" * 1_000_000, "bundle.js"), Budget())
    assert len(found.lines[1].html) == MAX_ROW_CHARACTERS + 1
    assert (found.hidden_rows, found.hidden_characters) == (0, 1_000_000 - MAX_ROW_CHARACTERS)


def test_the_head_of_a_hunk_is_cut_too():
    [head, *_] = shown(f"--- x\n+++ x\n@@ -1 +1 @@ {'x' * 100_000}\n+a\n")
    assert len(head) < 1_000


def test_a_hunk_larger_than_a_block_is_highlighted_in_portions(monkeypatch):
    text = "def f(): pass  # something\n" * (2 * MAX_CODE_BYTES // 27)
    monkeypatch.setattr("app.render.diff.html.MAX_ROWS", 10_000)
    found = diff_lines(diff_texts("", text, "x.py"), Budget(max_rows=10_000))
    assert all('<span class="k">def</span>' in line.html for line in found.lines[1:])


def test_without_budget_the_text_is_plain_and_whole():
    patch = strings("rate-limit-feature.json", "diff")[0]
    spent = diff_lines(read_patch(patch)[0], Budget(max_bytes=0)).lines
    assert [unescape(text_of(html)) for html in shown(patch)] == [unescape(line.html) for line in spent]


def test_very_different_lines_and_very_long_ones_are_not_marked():
    assert changed_words("    return a + b", "    raise ValueError(x)") == ([], [])
    assert changed_words("x" * MAX_LINE_CHARACTERS + "a", "x" * MAX_LINE_CHARACTERS + "b") == ([], [])


def test_the_most_words_that_two_lines_can_share_are_not_marked():
    assert changed_words("a b " * 120, "b a " * 120) == ([(477, 479)], [(0, 2)])


def test_words_parted_only_by_space_are_one_mark():
    assert changed_words("keep old word here too", "keep new thing here too") == ([(5, 13)], [(5, 14)])


def test_a_mark_counts_an_entity_as_one_character():
    html = highlight("a < b", None, Budget())[0]
    assert mark(html, [(2, 3)]) == "a <mark>&lt;</mark> b"


def test_only_so_many_lines_are_compared_by_words():
    count = MAX_MARKED_PAIRS + 50
    before = "".join(f"value number {n} is old\n" for n in range(count))
    found = diff_lines(diff_texts(before, before.replace("old", "new"), "x"), Budget())
    assert sum("<mark>" in line.html for line in found.lines) == 2 * MAX_MARKED_PAIRS


def test_windows_lines_of_a_file_without_a_last_line_end_are_shown_without_returns() -> None:
    file = diff_texts("one\r\ntwo\r\nthree", "one\r\n2\r\nthree", "x.txt")
    assert "␍" not in "".join(line.html for line in diff_lines(file, Budget()).lines)


def test_a_line_end_that_changed_is_shown() -> None:
    file = diff_texts("one\r\ntwo\r\n", "one\ntwo\r\n", "x.txt")
    assert "␍" in "".join(line.html for line in diff_lines(file, Budget()).lines)
