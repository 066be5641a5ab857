"""Themes: the palette of a page and the colours of its code, both derived from one Pygments style."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pygments.style import Style
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Comment, Generic, Keyword, Name, Number, String, Token, _TokenType

from app.render.themes import colours, terminal_palette
from app.render.themes.colours import mix, readable


@dataclass(frozen=True)
class Theme:
    """A theme; `style` names the Pygments style, whose background and text `paper` and `ink` replace."""

    name: str
    label: str
    is_dark: bool
    style: str
    paper: str = ""
    ink: str = ""


THEMES: dict[str, Theme] = {
    theme.name: theme
    for theme in (
        Theme("paper", "Paper", False, "lovelace", "#ffffff", "#1c2128"),
        Theme("default", "Pygments", False, "default"),
        Theme("friendly", "Friendly", False, "friendly", "#f7f7f7"),
        Theme("gruvbox-light", "Gruvbox light", False, "gruvbox-light"),
        Theme("lovelace", "Lovelace", False, "lovelace"),
        Theme("manni", "Manni", False, "manni"),
        Theme("solarized-light", "Solarized light", False, "solarized-light"),
        Theme("tango", "Tango", False, "tango"),
        Theme("vs", "Visual Studio", False, "vs"),
        Theme("xcode", "Xcode", False, "xcode"),
        Theme("ink", "Ink", True, "github-dark", "#14171c", "#e4e8ee"),
        Theme("dracula", "Dracula", True, "dracula"),
        Theme("github-dark", "GitHub dark", True, "github-dark"),
        Theme("gruvbox-dark", "Gruvbox dark", True, "gruvbox-dark"),
        Theme("lightbulb", "Lightbulb", True, "lightbulb"),
        Theme("material", "Material", True, "material"),
        Theme("monokai", "Monokai", True, "monokai"),
        Theme("night-owl", "Night Owl", True, "night-owl"),
        Theme("nord", "Nord", True, "nord"),
        Theme("nord-darker", "Nord darker", True, "nord-darker"),
        Theme("one-dark", "One Dark", True, "one-dark"),
        Theme("solarized-dark", "Solarized dark", True, "solarized-dark"),
        Theme("zenburn", "Zenburn", True, "zenburn"),
    )
}

# Token types whose colours are tried, in order, before the usual colour: hues must mean what readers expect.
GOOD = (Generic.Inserted, String, Name.Function, Keyword)
BAD = (Generic.Deleted, Name.Exception, Keyword, Name.Tag)
BUSY = (Number, Name.Decorator, String)
LINK = (Name.Function, Name.Tag, Keyword, Name.Class, Number)
GREEN, RED, AMBER, BLUE = (80, 165), (345, 15), (25, 55), (185, 240)
# The maximal contrast of a tint to its background, in light and in dark themes.
PAPER_LIMITS, WORD_LIMITS = {False: 1.2, True: 1.12}, {False: 1.45, True: 1.4}
FALLBACK_INK = {False: "#1f2328", True: "#e6e6e6"}
USUAL = {
    False: ("#1a7f37", "#b42318", "#8a5a00", "#0b5cad"),
    True: ("#56d364", "#ff8577", "#e3b341", "#79b8ff"),
}


@cache
def stylesheet(name: str) -> str:
    """The CSS of a theme; it overrides everything of a theme that was applied before."""
    theme = THEMES[name]
    style = get_style_by_name(theme.style)
    palette = _palette(theme, style)
    papers = [value for property_, value in palette.items() if _is_paper(property_)]
    ansi = terminal_palette.DARK_16 if theme.is_dark else terminal_palette.LIGHT_16
    return "".join(
        [
            f":root{{color-scheme:{'dark' if theme.is_dark else 'light'};",
            "".join(f"--{property_}:{value};" for property_, value in palette.items()),
            terminal_palette.properties([readable(value, papers) for value in ansi]),
            "}\n",
            *_code_rules(style, palette["ink"], papers),
        ]
    )


def default_stylesheet(light: str, dark: str) -> str:
    """The CSS of two themes, of which `prefers-color-scheme` selects one."""
    return f"{stylesheet(light)}@media (prefers-color-scheme:dark){{\n{stylesheet(dark)}}}\n"


def _palette(theme: Theme, style: type[Style]) -> dict[str, str]:
    """The custom properties of a page: backgrounds from the style's own, texts readable on all of them."""
    paper = theme.paper or style.background_color
    good, bad, busy, link = (
        _with_hue(style, kinds, hues, paper) or usual
        for kinds, hues, usual in zip(
            (GOOD, BAD, BUSY, LINK), (GREEN, RED, AMBER, BLUE), USUAL[theme.is_dark], strict=True
        )
    )
    ink = theme.ink or _colour(style, Token) or _colour(style, Name) or FALLBACK_INK[theme.is_dark]
    comment = _colour(style, Comment)
    quiet = comment if comment and colours.is_greyish(comment) else mix(ink, paper, 0.35)
    raised = mix(paper, ink, 0.04)
    papers = {
        "paper": paper,
        "raised": raised,
        "bad-paper": _tinted(raised, bad, 0.25, PAPER_LIMITS[theme.is_dark]),
        "added-paper": _tinted(raised, good, 0.35, PAPER_LIMITS[theme.is_dark]),
        "removed-paper": _tinted(raised, bad, 0.35, PAPER_LIMITS[theme.is_dark]),
    }
    words = {
        "added-word": _tinted(raised, good, 0.7, WORD_LIMITS[theme.is_dark]),
        "removed-word": _tinted(raised, bad, 0.7, WORD_LIMITS[theme.is_dark]),
    }
    texts = {"quiet": quiet, "link": link, "good": good, "busy": busy, "bad": bad}
    return {
        **papers,
        **words,
        "line": mix(paper, ink, 0.17),
        "ink": readable(ink, [*papers.values(), *words.values()]),
        **{property_: readable(text, list(papers.values())) for property_, text in texts.items()},
    }


def _tinted(paper: str, hue: str, share: float, limit: float) -> str:
    """A background with a hue in it, within a contrast of `limit` to the paper.

    If both are about equally light, the style's colours of code are readable on both as they are.
    """
    far, first = (colours.BLACK, 6) if colours.is_dark(paper) else (colours.WHITE, 12)
    tints = [mix(paper, mix(colours.vivid(hue), far, step / 20), share) for step in range(first, 20)]
    return next((tint for tint in tints if colours.contrast(tint, paper) <= limit), tints[-1])


def _is_paper(property_: str) -> bool:
    return property_ in ("paper", "raised") or property_.endswith(("-paper", "-word"))


def _with_hue(
    style: type[Style], kinds: Sequence[_TokenType], hues: tuple[int, int], paper: str
) -> str | None:
    """The first of the style's colours that has one of these hues and enough contrast already."""
    for kind in kinds:
        value = _colour(style, kind)
        if value and colours.has_hue(value, *hues) and colours.contrast(value, paper) >= 3:
            return value
    return None


def _colour(style: type[Style], kind: _TokenType) -> str | None:
    value = style.style_for_token(kind)["color"]
    return f"#{value.lower()}" if value else None


def _code_rules(style: type[Style], ink: str, papers: Sequence[str]) -> list[str]:
    """One rule that resets all classes of tokens, then one for each set of declarations."""
    classes: dict[str, list[str]] = defaultdict(list)
    for kind, name in STANDARD_TYPES.items():
        if name and (declarations := _declarations(style, kind, ink, papers)):
            classes[declarations].append(f".{name}")
    every = ",".join(f".{name}" for name in STANDARD_TYPES.values() if name)
    plain = "color:inherit;font-weight:inherit;font-style:inherit;text-decoration:none"
    return [
        f".code span:is({every}){{{plain}}}\n",
        *(f".code span:is({','.join(names)}){{{declarations}}}\n" for declarations, names in classes.items()),
    ]


def _declarations(style: type[Style], kind: _TokenType, ink: str, papers: Sequence[str]) -> str:
    """The declarations for a kind of token; empty if it looks like the text around it."""
    attributes = style.style_for_token(kind)
    colour = _colour(style, kind)
    if colour == style.background_color:  # such styles rely on a background of the token's own
        colour = None
    declarations = {
        "color": readable(colour, papers) if colour else ink,
        "font-weight": "700" if attributes["bold"] else "",
        "font-style": "italic" if attributes["italic"] else "",
        "text-decoration": "underline" if attributes["underline"] else "",
    }
    if declarations["color"] == ink:
        del declarations["color"]
    return ";".join(f"{name}:{value}" for name, value in declarations.items() if value)
