"""The receipt code: what a person writes down, and the only key to what became of a submission.

27 digits in nine groups of three, so that it can be read over a telephone: 25 that nobody can
guess (83 bits) and two check digits (ISO 7064, MOD 97-10). It is derived, never drawn and never
kept: the database has a slow hash of it, which without the pepper cannot even be tried.
"""

import re
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b, sha512
from hmac import digest

from argon2.low_level import Type, hash_secret_raw

DERIVED_DIGITS, CHECK_DIGITS, GROUP = 25, 2, 3
DIGITS = DERIVED_DIGITS + CHECK_DIGITS
MOST_CHARACTERS = 200
"""Of what a person types; nothing longer is looked at."""

MEMORY_KIB, PASSES, LANES, HASH_BYTES = 19_456, 2, 1, 32
"""Argon2id as OWASP's password storage cheat sheet asks for; each hash takes 19 MiB."""

_USE = b"langnghe receipt code 1\0"
_SALT_USE = b"langnghe receipt"
_BETWEEN = re.compile(r"[\s.,_/>|‐-―−－．。\u200b-\u200d\u2060\ufeff-]+")
_SPELT = re.compile(rf"(?<!\d)\d(?:[\s.,_/>|-]{{0,6}}\d){{{DIGITS - 1}}}(?!\d)")
"""A code in running text: in groups, and cut by the marks of a quoted line."""
BLOTTED = "▇" * 9
_NEVER_A_CODE = "0" * DIGITS
"""Its check digits are wrong, so no submission has it."""


def code_for(submission: str, key: bytes) -> str:
    """The code of a submission, 27 digits: the same each time it is asked.

    HMAC-SHA-512 of the submission under `key`, which must not lie in the database, reduced
    modulo 10^25: of 2^512 values each code has the same share but for a part in 2^428. Among ten
    million submissions two share a code with odds below 1 in 10^11.
    """
    drawn = int.from_bytes(digest(key, _USE + submission.encode(), sha512), "big")
    derived = drawn % 10**DERIVED_DIGITS
    check = 98 - derived * 100 % 97
    return f"{derived:0{DERIVED_DIGITS}}{check:0{CHECK_DIGITS}}"


def read_code(spoken: str) -> str | None:
    """The code that a person typed, with any blanks, dots and hyphens and in any script's digits.

    None if it cannot be one: every wrong digit and every two digits that changed places show.
    """
    if len(spoken) > MOST_CHARACTERS:
        return None
    typed = _BETWEEN.sub("", spoken)
    if len(typed) != DIGITS or not typed.isdecimal():
        return None
    code = "".join(str(unicodedata.decimal(digit)) for digit in typed)
    check = int(code[DERIVED_DIGITS:])
    in_range = 2 <= check <= 98  # noqa: PLR2004 - what 98 less a remainder of 97 can be
    return code if in_range and int(code) % 97 == 1 else None


def shown(code: str) -> str:
    """The code in groups of three, a blank between."""
    return " ".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def slow_hash(code: str, pepper: bytes) -> bytes:
    """What is kept of a code: 32 bytes, the same each time, for a unique index.

    The salt is one for all and derived from the pepper (at most 64 bytes), which must not lie in
    the database: who reads the database cannot try a code. It takes about 20 ms and 19 MiB: call
    it in a bounded thread.
    """
    salt = blake2b(key=pepper, person=_SALT_USE, digest_size=HASH_BYTES).digest()
    return hash_secret_raw(code.encode(), salt, PASSES, MEMORY_KIB, LANES, HASH_BYTES, type=Type.ID)


def lookup_hash(spoken: str, pepper: bytes) -> bytes:
    """The hash to look up for what a person typed: always exactly one slow hash.

    What cannot be a code is hashed too, to what no submission has, so that neither the answer
    nor the time taken tells a slip of the pen from a code that nobody was given.
    """
    return slow_hash(read_code(spoken) or _NEVER_A_CODE, pepper)


def codes_in(text: str) -> Iterator[str]:
    """The codes that stand in a text, in order; digits may be in groups, a sign or two between."""
    for found in _SPELT.finditer(text):
        code = read_code(found.group())
        if code is not None:
            yield code


def without_codes(text: str) -> str:
    """The text with every code in it blotted out: who handles a case must not speak for others."""
    return _SPELT.sub(lambda f: BLOTTED if read_code(f.group()) else f.group(), text)
