"""Folds Vietnamese for comparing: with and without diacritics, in capitals or not, are equal."""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
LONGEST_SYLLABLE = 8
"""`nghiêng,` has eight characters; so may a word that is decomposed, and then it is folded anew."""
_PLAIN_D = str.maketrans({"đ": "d", "Đ": "d"})


def fold(text: str) -> str:
    """Words in small letters without marks, one space apart; for comparing, never for storing."""
    return " ".join(tokens(text))


def tokens(text: str) -> list[str]:
    """The folded words of a text, in order."""
    if text.isascii():
        return _WORD.findall(text.lower())
    words: list[str] = []
    for piece in text.split():  # no mark reaches across a space
        words += _syllable(piece) if len(piece) <= LONGEST_SYLLABLE else _folded(piece)
    return words


def _folded(text: str) -> tuple[str, ...]:
    if text.isascii():
        return tuple(_WORD.findall(text.lower()))
    bare = unicodedata.normalize("NFD", text.translate(_PLAIN_D).casefold())
    return tuple(_WORD.findall("".join(c for c in bare if not unicodedata.combining(c))))


_syllable = lru_cache(maxsize=16_384)(_folded)
"""Vietnamese is written with some 7,000 syllables, and to fold one takes longer than to find it.
Longer pieces, such as numbers and addresses, are never remembered."""
