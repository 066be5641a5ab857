"""Formulas in LaTeX as MathML, which browsers draw without a script or a style.

latex2mathml gives the tree. Its own serialisation would let HTML in a formula through, and its attributes can
hold styles and links, so the tree is written here, from known elements and attributes.
"""

from __future__ import annotations

import html
import re
from xml.etree.ElementTree import Element

from latex2mathml.converter import Converter
from markupsafe import Markup, escape

from app.lib.budget import Budget
from app.lib.time_limit import TimeLimitExceeded, cpu_time_limit

MAX_CHARACTERS = 4000
MAX_DEPTH = 60
MAX_SECONDS = 0.2
# MathML is so many times longer than its source, about.
BYTES_PER_CHARACTER = 8

# Without links, actions and colours; those of a formula would be unreadable in some themes.
ELEMENTS = re.compile(
    "math|menclose|mfrac|mi|mmultiscripts|mn|mo|mover|mpadded|mphantom|mprescripts|mroot|mrow|mspace|msqrt|mstyle|"
    "msub|msubsup|msup|mtable|mtd|mtext|mtr|munder|munderover|none"
)
ATTRIBUTES = re.compile(
    "accent|accentunder|depth|display|displaystyle|fence|form|height|linethickness|lspace|mathvariant|maxsize|"
    "minsize|movablelimits|notation|rspace|scriptlevel|separator|stretchy|symmetric|voffset|width"
)
# How many children browsers expect. The converter gives the base of a script as several, if it has brackets.
CHILDREN = {
    "mfrac": 2,
    "mroot": 2,
    "msub": 2,
    "msup": 2,
    "munder": 2,
    "mover": 2,
    "msubsup": 3,
    "munderover": 3,
}
ALIGNMENTS = frozenset(("left", "center", "right"))
# Lengths that cannot reach what stands around the formula.
_VALUE = re.compile(r"[a-z-]{1,30}|(?:-[01]?|\+?\d?)(?:\.\d{1,9})?(?:em|ex|pt|px|mu)?", re.ASCII)

# A macro that calls itself twice, and so on, grows faster than a time limit could stop it.
_DEFINITION = re.compile(r"\\(?:[a-z]*command|[egx]?def|let|DeclareMathOperator)", re.IGNORECASE)
# Environments that the converter knows, and others that look the same.
_MATRICES = ("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix")
_ENVIRONMENTS = {
    **{name: name for name in (*_MATRICES, "align", "align*", "array", "cases", "split")},
    **dict.fromkeys(("aligned", "eqnarray", "equation", "equation*"), "align*"),
    **dict.fromkeys(("gathered", "gather", "gather*", "multline", "multline*"), "matrix"),
}
_ENVIRONMENT = re.compile(r"\\(begin|end)\{([^{}]*)\}")
_ESCAPED = re.compile(r"\\.", re.DOTALL)


class NotConvertible(Exception):
    """A formula with something that MathML, or the converter, does not know."""


def mathml(latex: str, budget: Budget, *, is_display: bool) -> Markup | None:
    """A formula as a `math` element; None if it cannot be converted, or only beyond the budget."""
    if len(latex) > MAX_CHARACTERS or _DEFINITION.search(latex):
        return None
    if not budget.take(len(latex) * BYTES_PER_CHARACTER):
        return None
    try:
        with cpu_time_limit(MAX_SECONDS):
            return _converted(_readable(latex), "block" if is_display else "inline")
    except (TimeLimitExceeded, Exception):  # whatever the converter does, the reader gets the source
        return None


def _readable(latex: str) -> str:
    """A formula as the converter reads it, which leaves out what it does not know and what is not closed."""
    braces = _ESCAPED.sub("", latex)
    if braces.count("{") != braces.count("}"):
        raise NotConvertible(latex)
    return _ENVIRONMENT.sub(_with_known_environment, latex)


def _with_known_environment(match: re.Match[str]) -> str:
    name = _ENVIRONMENTS.get(match[2])
    if name is None:
        raise NotConvertible(match[2])
    return rf"\{match[1]}{{{name}}}"


def _converted(latex: str, display: str) -> Markup:
    try:
        return _written(Converter(display=display).convert_to_element(latex))
    except NotConvertible:
        # Lines without an environment, as in many an answer.
        if r"\\" not in latex or r"\begin" in latex:
            raise
        lines = rf"\begin{{align*}}{latex}\end{{align*}}"
        return _written(Converter(display=display).convert_to_element(lines))


def _written(element: Element, depth: int = 0) -> Markup:
    text = html.unescape(element.text or "")
    is_command = text.startswith("\\") and len(text) > 1
    is_unknown = not ELEMENTS.fullmatch(element.tag) or is_command or (text == "&" and element.tag == "mi")
    if is_unknown or depth > MAX_DEPTH or element.get("linebreak"):
        raise NotConvertible(element.tag)
    attributes = "".join(
        f' {name}="{value}"'
        for name, value in element.attrib.items()
        if ATTRIBUTES.fullmatch(name) and _VALUE.fullmatch(value)
    )
    # MathML Core leaves the alignment of columns to styles.
    if element.get("columnalign") in ALIGNMENTS:
        attributes += f' class="align-{element.get("columnalign")}"'
    inside = "".join(_written(child, depth + 1) for child in _children(element))
    # The names and values are those that are known, and the text is escaped.
    return Markup(f"<{element.tag}{attributes}>{escape(text)}{inside}</{element.tag}>")  # noqa: S704


def _children(element: Element) -> list[Element]:
    children = list(element)
    surplus = len(children) - CHILDREN.get(element.tag, len(children))
    if surplus < 0:
        raise NotConvertible(element.tag)
    if not surplus:
        return children
    base = Element("mrow")
    base.extend(children[: surplus + 1])
    return [base, *children[surplus + 1 :]]
