"""The same matter in other words, or from another sender: suggested, never merged.

A text is a set of word triples, folded, each hashed under a key that does not lie in the
database: who reads the signatures cannot ask whether a sentence was said. What they do show is
which texts resemble one another, as the suggestion must. Resembling is sharing turns of phrase:
the same matter told in other words altogether is not found, and a form letter about two offices
is, so suggest only among what concerns the same office or unit.
"""

from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct

from rensa import RMinHash  # type: ignore[import-untyped]

from services.intake.domain.fold import tokens

SHINGLE_WORDS, FEWEST_SHINGLES, SHINGLE_BYTES = 3, 8, 8
SLOTS, SEED = 128, 1
BANDS, BAND_SLOTS, BAND_BYTES = 42, 3, 8
ALGORITHM: int = RMinHash.ALGORITHM_VERSION
"""Of the sketch. Signatures of two versions cannot be compared: score them anew from the texts."""
RELATED = 0.4
"""The score from which two texts are worth showing side by side; short ones have lower scores."""

_BAND = Struct(f">{2 + BAND_SLOTS}I")
_Signature = tuple[int, ...]


def signature(text: str, key: bytes) -> _Signature:
    """128 numbers below 2^32, by which texts are compared; none for a text too short to tell.

    The same text and `key` (at most 64 bytes) give the same numbers on every machine, as long as
    `ALGORITHM` is the same. Marks, capitals, punctuation and repetition make no difference.
    """
    words = tokens(text)
    shingles = {
        " ".join(words[start : start + SHINGLE_WORDS])
        for start in range(len(words) - SHINGLE_WORDS + 1)
    }
    if len(shingles) < FEWEST_SHINGLES:
        return ()
    sketch = RMinHash(num_perm=SLOTS, seed=SEED)
    sketch.update(
        [blake2b(s.encode(), key=key, digest_size=SHINGLE_BYTES).digest() for s in shingles]
    )
    return tuple(sketch.digest())


def bands(signature: Sequence[int]) -> tuple[str, ...]:
    """42 keys for an index: texts that share one are worth scoring; none for no signature.

    Of texts that resemble each other by 0.5 all but one in 270 share a key, by 0.4 fifteen in
    sixteen, by 0.1 one in 25, by 0.02 one in 3,000. Keys of two algorithms are never equal.
    """
    if not signature:
        return ()
    starts = (number * BAND_SLOTS for number in range(BANDS))
    rows = (signature[start : start + BAND_SLOTS] for start in starts)
    return tuple(_band(number, row) for number, row in enumerate(rows))


def score(one: Sequence[int], other: Sequence[int]) -> float:
    """How much two texts resemble each other, 0 to 1: the share of word triples in common.

    An estimate, give or take 0.05; 0 if either has no signature.
    """
    if not one or not other:
        return 0.0
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)


def _band(number: int, row: Sequence[int]) -> str:
    content = _BAND.pack(ALGORITHM, number, *row)
    return blake2b(content, digest_size=BAND_BYTES).hexdigest()
