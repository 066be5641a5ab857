"""Compiles the rules of `rules.json`.

The plugin imports the same file: its patterns keep to the syntax that JavaScript and Python have in common.
`<name>` in a pattern stands for the entry of that name in `parts`, and `<provider>` for one of the
providers whose name alone tells what its value is.

A pattern is matched only at the anchors of its rule, which an automaton finds. What it reads from there on is
bounded, or is passed over once it has been read, so that the work is linear in the text.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_data: dict[str, Any] = json.loads((Path(__file__).parent / "rules.json").read_text())
_parts: dict[str, str] = {**_data["parts"], "provider": f"(?:{'|'.join(_data['names']['providers'])})"}


@dataclass(frozen=True)
class Rule:
    """A pattern for one kind of secret.

    `pattern` is matched `before` characters ahead of each of `anchors`, which are in lower case and occur
    in any case; a rule without anchors is tried at every long word. The last group that took part, or the
    whole match, is the secret; it extends backwards over the characters of `extend`. One of `after` must
    stand at most `MAX_CONTEXT` characters ahead in the same line. The secret begins at most `reach`
    characters behind the anchor, and is one that `app.redaction.values` does not skip. `check` is a key of
    `app.redaction.heuristics.CHECKS` that it must also pass.
    """

    name: str
    kind: str
    pattern: re.Pattern[str]
    anchors: tuple[str, ...]
    before: tuple[int, ...] = (0,)
    after: tuple[str, ...] = ()
    extend: str = ""
    reach: int | None = None
    check: str | None = None


@dataclass(frozen=True)
class Role:
    """What a name in snake case promises: a secret of `kind`, whose value passes `check`."""

    kind: str
    check: str
    pattern: re.Pattern[str]


def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(_whole(pattern), re.ASCII | flags)


def format_rule(entry: Mapping[str, Any]) -> Rule:
    """Return the rule for a published format: literal prefixes and a run of an alphabet."""
    letters = f"[{entry['alphabet']}]"
    shortest, longest = _limits(entry["length"])
    run = f"{letters}{{{shortest},{'' if longest is None else longest}}}"
    is_closed = longest is not None and not entry.get("inside")
    end = entry.get("tail", "") + (f"(?!{letters})" if is_closed else "")
    start = "" if entry.get("anywhere") else "<start>"
    prefixes = "|".join(map(_escaped, entry["prefix"]))
    return Rule(
        name=entry["name"],
        kind=entry["kind"],
        pattern=compiled(f"(?=(?:{prefixes}){letters}){start}(?:{prefixes}){run}{end}"),
        anchors=_lower(_followed(entry["prefix"], entry.get("next"))),
        check=entry.get("check", "format"),
    )


def _limits(length: int | list[Any]) -> list[Any]:
    return [length, length] if isinstance(length, int) else length


def _escaped(literal: str) -> str:
    return re.sub(r"[.+|$^()\[\]{}*?\\]", r"\\\g<0>", literal)


def _rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(
        name=entry["name"],
        kind=entry["kind"],
        pattern=compiled(entry["pattern"], re.IGNORECASE if entry.get("ignoreCase") else 0),
        anchors=_lower(_followed(entry["anchors"], entry.get("next"))),
        before=tuple(entry.get("before", [0])),
        after=_lower(entry.get("after", [])),
        extend=_expanded(entry.get("extend", "")),
        reach=entry.get("reach"),
        check=entry.get("check"),
    )


def _followed(anchors: list[str], characters: str | None) -> list[str]:
    return [anchor + end for anchor in anchors for end in characters] if characters else anchors


def _lower(literals: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(literal.lower() for literal in literals))


def _expanded(alphabet: str) -> str:
    """The characters of the inside of a character class: `abc` for `a-c`."""
    return re.sub("(.)-(.)", lambda ends: "".join(map(chr, range(ord(ends[1]), ord(ends[2]) + 1))), alphabet)


def _part(name: re.Match[str]) -> str:
    return _whole(_parts[name[1]])


def _whole(pattern: str) -> str:
    return re.sub("<([a-z]+)>", _part, pattern)


def _lengths() -> dict[str, list[tuple[int, int]]]:
    lengths: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for entry in _data["unprefixed"]:
        least, most = _limits(entry["length"])
        for name in entry["names"]:
            lengths[name].append((least, most))
    return dict(lengths)


RULES = [*map(format_rule, _data["formats"]), *map(_rule, _data["rules"])]
# The least and the most characters of the keys of providers that have nothing but a length.
PROVIDER_LENGTHS = _lengths()
# A value that begins so, or contains this, in lower case, is no secret: placeholders, variables, paths.
PLACEHOLDER_START = compiled("|".join(f"(?:{pattern})" for pattern in _data["innocent"]["start"]))
PLACEHOLDER_PART = compiled("|".join(f"(?:{pattern})" for pattern in _data["innocent"]["anywhere"]))
# Matches what stands between punctuation in names and sentences, and hardly ever in random values.
WORD = compiled(_data["word"])
# What a name contains that may promise a secret.
NAME_ANCHORS = (*_data["names"]["anchors"], *_data["names"]["providers"])
# Names, in snake case, that speak of a secret and whose values are none.
EXCLUDED_NAME = compiled(_data["names"]["excluded"])
ROLES = [Role(role["kind"], role["check"], compiled(role["pattern"])) for role in _data["names"]["roles"]]
# The names of environment variables whose values are secret, however weak.
WEAK_NAME = compiled(_data["names"]["weak"])
