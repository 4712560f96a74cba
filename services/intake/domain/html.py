"""HTML to text: what a person would read, without scripts, styles and markup."""

import re
from html.parser import HTMLParser

MOST_CHARACTERS = 1_000_000
"""Of a page, without comments and pictures; the rest is not read."""

MOST_TAGS = 100_000
"""A page with more is read up to there: each takes microseconds."""

MOST_HIDDEN = 50
"""Hidden elements within one another; deeper ones are not told apart."""

_HIDDEN = frozenset({"script", "style", "head", "title", "template", "noscript"})
_BLOCKS = frozenset(
    {"p", "div", "br", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"blockquote", "pre", "hr", "section", "article", "header", "footer", "dt", "dd"}
)
_LEFT_OUT = re.compile(r"<!\[[^<>]*>?|data:image/[^\"'\s<>)]*")
"""Marked sections, of which browsers show nothing, and pictures written into the page."""

_NO_TAG = re.compile(r"<(?=[^<>]*(?:<|\Z))")
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
_LINES = re.compile(r" ?\n ?(?:\s*\n)*")


class _Enough(Exception):
    """A page of which no more is read."""


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._tags = 0
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._count()
        if tag in _HIDDEN and len(self._hidden) < MOST_HIDDEN:
            self._hidden.append(tag)
        elif tag in _BLOCKS:
            self.parts.append("\n")
        if tag == "body":  # an unclosed head hides nothing of the body
            self._hidden.clear()

    def handle_endtag(self, tag: str) -> None:
        self._count()
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data.replace("\n", " "))

    def _count(self) -> None:
        self._tags += 1
        if self._tags > MOST_TAGS:
            raise _Enough


def to_text(html: str) -> tuple[str, bool]:
    """The readable text, and whether it is all of it.

    For any input whatever, in a time that grows with its length.
    """
    page = _LEFT_OUT.sub("", _without_comments(html))
    whole = len(page) <= MOST_CHARACTERS
    page = page[:MOST_CHARACTERS]
    parser = _Text()
    try:
        parser.feed(_NO_TAG.sub("&lt;", page))
        parser.close()
    except _Enough:
        whole = False
    except (AssertionError, ValueError):  # CPython's parser gives up on some marked sections
        parser.parts.append(re.sub(r"<[^<>]*>", " ", page))
    text = _SPACES.sub(" ", "".join(parser.parts))
    return _LINES.sub("\n", text).strip(), whole


def _without_comments(html: str) -> str:
    """CPython's parser looks for the end of everything left open again and again."""
    kept = []
    place = 0
    while (start := html.find("<!--", place)) >= 0:
        kept.append(html[place:start])
        end = html.find("-->", start + 2)  # `<!-->` is a whole comment
        if end < 0:
            return "".join((*kept, html[start + 4 :].replace("<!--", "")))
        place = end + 3
    return "".join((*kept, html[place:]))
