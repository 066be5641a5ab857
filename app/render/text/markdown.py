"""Renders Markdown as HTML without inline styles and without requests to other servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

from app.lib.budget import Budget
from app.lib.time_limit import TimeLimitExceeded
from app.render.addresses import is_link
from app.render.filters import visible
from app.render.text.cjk_emphasis import CjkFriendlyInline
from app.render.text.highlight import highlight

# Nested brackets take quadratic time; what is nested deeper than MAX_NESTING is left out.
MAX_CHARACTERS = 64 * 1024
MAX_NESTING = 40
MAX_SECONDS = 1.0


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
        self.enable(["table", "strikethrough"])

    def validateLink(self, url: str) -> bool:  # noqa: N802 - markdown-it's name
        """What is no link stays the text that it was."""
        return is_link(url)


_parser = _Parser()


def parser(text: str) -> MarkdownIt:
    """The parser for a text."""
    return _parser


def markdown(text: str, budget: Budget) -> Markup:
    """`text`, of at most MAX_CHARACTERS, as HTML; as plain text if it takes too long to parse."""
    env: dict[str, Any] = {"budget": budget}
    try:
        with budget.time_limit(MAX_SECONDS):
            # markdown-it escapes text and drops dangerous links; the rules above escape what they add.
            return Markup(_parser.render(visible(text), env))  # noqa: S704
    except TimeLimitExceeded:
        return plain(text)


def plain(text: str) -> Markup:
    return Markup('<div class="plain">{}</div>').format(visible(text))


def code_block(code: str, language: str, budget: Budget) -> Markup:
    lines = highlight(code.removesuffix("\n"), language, budget)
    label = Markup(' data-language="{}"').format(language) if language else ""
    html = Markup('<pre class="code"{} tabindex="0"><code>{}</code></pre>\n')
    return html.format(label, Markup("\n").join(lines))
