"""Reads the pages of `docs`: named blocks, sections, links."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "docs" / "samples"
AGENCIES = ROOT / "docs" / "agencies.md"

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def block(name: str, page: Path = AGENCIES) -> str:
    """A fenced block, by the name behind its language."""
    text = page.read_text(encoding="utf-8")
    [found] = re.findall(rf"^```\w+ {re.escape(name)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return found


def prose(page: Path) -> str:
    """A page without its fenced blocks, in which a line may look like a heading."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def section(heading: str, page: Path = AGENCIES) -> str:
    """From a heading that begins so to the next of its level or above."""
    text = prose(page)
    found = re.search(rf"^(#+) `?{re.escape(heading)}.*$", text, re.MULTILINE)
    rest = text[found.end() :]
    return re.split(rf"^#{{1,{len(found[1])}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
