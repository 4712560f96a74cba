"""Folds Vietnamese for comparing: with and without diacritics, in capitals or not, are equal."""

import re
import unicodedata
from itertools import chain

_WORD = re.compile(r"[^\W_]+")
LONGEST_SYLLABLE = 8
"""`nghiêng,` has eight characters; so may a word that is decomposed, and then it is folded anew."""
MOST_SYLLABLES = 16_384
"""With capitals and punctuation."""
_PLAIN_D = str.maketrans({"đ": "d", "Đ": "d"})


def fold(text: str) -> str:
    """Words in small letters without marks, one space apart; for comparing, never for storing."""
    return " ".join(tokens(text))


def tokens(text: str) -> list[str]:
    """The folded words of a text, in order."""
    if text.isascii():
        return _WORD.findall(text.lower())
    # No mark reaches across a space, so each piece folds by itself.
    return list(chain.from_iterable(map(_REMEMBERED.__getitem__, text.split())))


def _folded(text: str) -> tuple[str, ...]:
    if text.isascii():
        return tuple(_WORD.findall(text.lower()))
    bare = unicodedata.normalize("NFD", text.translate(_PLAIN_D).casefold())
    return tuple(_WORD.findall("".join(c for c in bare if not unicodedata.combining(c))))


class _Syllables(dict[str, tuple[str, ...]]):
    """Vietnamese is written with some 7,000 syllables: to find one is quicker than to fold it.

    Longer pieces, such as numbers and addresses, are never remembered.
    """

    def __missing__(self, piece: str) -> tuple[str, ...]:
        folded = _folded(piece)
        if len(piece) <= LONGEST_SYLLABLE and len(self) < MOST_SYLLABLES:
            self[piece] = folded
        return folded


_REMEMBERED = _Syllables()
