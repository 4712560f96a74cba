"""Folds Vietnamese for comparing: with and without diacritics, in capitals or not, are equal."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_PLAIN_D = str.maketrans({"đ": "d", "Đ": "d"})


def fold(text: str) -> str:
    """Words in small letters without marks, one space apart; for comparing, never for storing."""
    return " ".join(tokens(text))


def tokens(text: str) -> list[str]:
    """The folded words of a text, in order."""
    if text.isascii():
        return _WORD.findall(text.lower())
    bare = unicodedata.normalize("NFD", text.translate(_PLAIN_D).casefold())
    return _WORD.findall("".join(c for c in bare if not unicodedata.combining(c)))
