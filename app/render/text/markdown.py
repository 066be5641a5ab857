"""Renders Markdown as HTML without inline styles and without requests to other servers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape
from mdit_py_plugins.footnote import footnote_plugin

from app.lib.budget import Budget
from app.lib.time_limit import TimeLimitExceeded
from app.render.addresses import is_link
from app.render.filters import short, visible
from app.render.text.bare_addresses import bare_addresses, has_bare_addresses
from app.render.text.cjk_emphasis import CjkFriendlyInline
from app.render.text.highlight import highlight
from app.render.text.html_tags import has_tags, tags
from app.render.text.mathematics import has_mathematics, mathematics

# Nested brackets take quadratic time; what is nested deeper than MAX_NESTING is left out.
MAX_CHARACTERS = 64 * 1024
MAX_NESTING = 40
MAX_SECONDS = 1.0
MAX_LABEL_CHARACTERS = 60

DIAGRAMS = {"mermaid": "Mermaid diagram", "plantuml": "PlantUML diagram", "dot": "Graphviz diagram"}

# The script makes the button visible, whose word is drawn: it is not part of the text.
CODE_BLOCK = Markup(
    '<div class="listing"><p class="bar"><span dir="auto">{}</span>'
    '<button type="button" class="copy" aria-label="Copy code"></button></p>'
    '<pre class="code" tabindex="0"><code>{}</code></pre></div>\n'
)

_FOOTNOTE = re.compile(r"^[ \t>]*\[\^([^\]\s]+)\]:.*$", re.MULTILINE)
_FOOTNOTE_REFERENCE = re.compile(r"\[\^([^\]\s]+)\](?!:)")


class _Renderer(RendererHTML):
    def fence(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        language = tokens[index].info.strip().split(" ")[0]
        return str(code_block(tokens[index].content, language, env["budget"]))

    def code_block(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return str(code_block(tokens[index].content, "", env["budget"]))

    def image(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        # An image would tell another server who reads the page, so it becomes a link.
        token = tokens[index]
        label = self.renderInlineAsText(token.children or [], options, env) or "image"
        link = Markup('<a href="{}" rel="noopener noreferrer nofollow" class="remote-image">{}</a>')
        return str(link.format(token.attrGet("src") or "", label))

    def link_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        tokens[index].attrSet("rel", "noopener noreferrer nofollow")
        return self.renderToken(tokens, index, options, env)

    def list_item_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        html = self.renderToken(tokens, index, options, env)
        if "checked" not in tokens[index].meta:
            return html
        state = " checked" if tokens[index].meta["checked"] else ""
        return f'{html}<input class="task" type="checkbox" aria-label="Done" disabled{state}> '

    def table_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        # A wide table scrolls in its own box; the keyboard reaches that only if it can have the focus.
        return f'<div class="table" tabindex="0">{self.renderToken(tokens, index, options, env)}'

    def table_close(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return f"{self.renderToken(tokens, index, options, env)}</div>\n"

    def th_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return self._cell(tokens, index, options, env)

    def td_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return self._cell(tokens, index, options, env)

    def _cell(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        """The alignment of a column as a class: the Content-Security-Policy forbids style attributes."""
        style = str(tokens[index].attrs.pop("style", ""))
        if style:
            tokens[index].attrSet("class", f"align-{style.removeprefix('text-align:')}")
        return self.renderToken(tokens, index, options, env)


class _Parser(MarkdownIt):
    def __init__(self) -> None:
        super().__init__(renderer_cls=_Renderer)
        self.inline = CjkFriendlyInline()
        self.configure("commonmark", {"html": False, "maxNesting": MAX_NESTING})
        self.options["tasklists"] = True
        self.options["alerts"] = True
        self.enable(["table", "strikethrough"])

    def validateLink(self, url: str) -> bool:  # noqa: N802 - markdown-it's name
        """What is no link stays the text that it was."""
        return is_link(url)


def _has_footnotes(text: str) -> bool:
    """Whether there are footnotes, and the text refers to each: the parser leaves out the others."""
    if "[^" not in text:
        return False
    labels = _FOOTNOTE.findall(text)
    references = set(_FOOTNOTE_REFERENCE.findall(_FOOTNOTE.sub("", text)))
    return len(labels) == len(set(labels)) > 0 and references >= set(labels)


def _footnotes(parser: MarkdownIt) -> None:
    footnote_plugin(parser, inline=False)


# What a text may hold, and the rules that read it: they cost time, so only such texts pay for them.
EXTENSIONS: Sequence[tuple[Callable[[str], bool], Callable[[MarkdownIt], None]]] = (
    (has_bare_addresses, bare_addresses),
    (_has_footnotes, _footnotes),
    (has_tags, tags),
    (has_mathematics, mathematics),
)


def parser(text: str) -> MarkdownIt:
    """The parser for a text, with the extensions that it needs."""
    return _parser(tuple(extend for is_used, extend in EXTENSIONS if is_used(text)))


@cache
def _parser(extensions: Sequence[Callable[[MarkdownIt], None]]) -> MarkdownIt:
    parser = _Parser()
    for extend in extensions:
        extend(parser)
    return parser


def markdown(text: str, budget: Budget, name: str = "") -> Markup:
    """`text`, of at most MAX_CHARACTERS, as HTML; as plain text if it takes too long to parse.

    The ids of its footnotes carry `name`, which is unique on the page.
    """
    # "docId" is what the plugin for footnotes reads.
    env: dict[str, Any] = {"budget": budget, "docId": str(escape(name))}
    text = visible(text)
    try:
        with budget.time_limit(MAX_SECONDS):
            # markdown-it escapes text and drops dangerous links; the rules above escape what they add.
            return Markup(parser(text).render(text, env))  # noqa: S704
    except TimeLimitExceeded:
        return plain(text)


def plain(text: str) -> Markup:
    return Markup('<div class="plain">{}</div>').format(visible(text))


def code_block(code: str, language: str, budget: Budget) -> Markup:
    lines = highlight(code.removesuffix("\n"), language, budget)
    label = DIAGRAMS.get(language.lower(), short(language, MAX_LABEL_CHARACTERS)) or "Code"
    return CODE_BLOCK.format(label, Markup("\n").join(lines))
