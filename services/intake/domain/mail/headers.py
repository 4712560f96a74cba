"""Header values to text: encoded words (RFC 2047), parameters (RFC 2231), raw eight-bit bytes."""

import re
from base64 import b64decode
from binascii import Error as BinasciiError
from binascii import a2b_qp
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from services.intake.domain.charset import Decoded, decode

DEFECT, TRUNCATED = "header-defect", "truncated"
MOST_CHARACTERS = 64 * 1024
"""Of a value, whatever the parser made of it; the rest is not read."""

_WORD = re.compile(r"=\?([^?\s*]*)(?:\*[^?]*)?\?([bBqQ])\?([^?]*)\?=")
_BETWEEN = re.compile(r"(=\?[^?\s]*\?[bBqQ]\?[^?]*\?=)[ \t\r\n]+(?==\?[^?\s]*\?[bBqQ]\?[^?]*\?=)")
_BREAKS = re.compile(r"[\r\n]+[ \t]*")
_WORD_OF_ADDRESS = re.compile(r"[^\s<>\"(),;:]+")
_COMMENT = re.compile(r"\([^()]*\)")
_SECTION = re.compile(r"^(?P<name>[^*]+)\*(?P<number>[0-9]{1,4})?(?P<encoded>\*)?$")


def to_bytes(value: str) -> bytes:
    """The bytes that the parser hid in a string as surrogates."""
    return value.encode("utf-8", "surrogateescape")


def all_of(message: Message, name: str) -> list[str]:
    """Every header of that name, as written."""
    return [str(value) for value in message.get_all(name, [])]


def first(message: Message, name: str) -> str | None:
    """The first header of that name, as written."""
    values = all_of(message, name)
    return values[0] if values else None


def text_of(value: str) -> Decoded:
    """A header's value as people read it."""
    cut = (TRUNCATED,) if len(value) > MOST_CHARACTERS else ()
    value = value[:MOST_CHARACTERS]
    value = _BETWEEN.sub(r"\1", _BREAKS.sub(" ", value))
    pieces: list[tuple[bytes, str | None]] = []
    position = 0
    for match in _WORD.finditer(value):
        if match.start() > position:
            pieces.append((to_bytes(value[position : match.start()]), None))
        charset, how, content = match.groups()
        raw = _unquoted(how, content)
        if pieces and pieces[-1][1] == charset.lower():  # a letter may be cut between two words
            pieces[-1] = (pieces[-1][0] + raw, charset.lower())
        else:
            pieces.append((raw, charset.lower()))
        position = match.end()
    if position < len(value):
        pieces.append((to_bytes(value[position:]), None))
    decoded = [decode(raw, charset) for raw, charset in pieces]
    return Decoded(
        "".join(d.text for d in decoded).strip(),
        tuple(dict.fromkeys((*cut, *(flag for d in decoded for flag in d.flags)))),
    )


def _unquoted(how: str, content: str) -> bytes:
    raw = to_bytes(content)
    if how in "bB":
        try:
            return b64decode(raw + b"=" * (-len(raw) % 4))
        except BinasciiError:
            return raw
    return a2b_qp(raw, header=True)


def addresses(values: list[str]) -> list[tuple[Decoded, str]]:
    """Name and lower-case address of each; the name decoded, whatever cannot be read left out.

    Where the line breaks the grammar, the addresses in it are taken without names, and flagged.
    """
    found = []
    room = MOST_CHARACTERS  # for all together: some of what breaks the grammar costs its square
    for value in values:
        flat = _BREAKS.sub(" ", value[:room])
        room -= len(flat)
        try:
            pairs = getaddresses([flat])
        except (ValueError, IndexError, RecursionError):
            pairs = []
        usable = [(text_of(n), _address(a)) for n, a in pairs if _is_address(a)]
        if not usable:
            bare = _COMMENT.sub("", text_of(flat).text)
            words = filter(_is_address, _WORD_OF_ADDRESS.findall(bare))
            usable = [(Decoded("", (DEFECT,)), _address(a)) for a in words]
        found += [(name, address) for name, address in usable if address]
    return found


def _is_address(written: str) -> bool:
    """One word with something on both sides of an @; in a time that grows with its length."""
    return "@" in written[1:-1] and _WORD_OF_ADDRESS.fullmatch(written) is not None


def _address(written: str) -> str:
    """Empty if it holds what no charset explains."""
    decoded = decode(to_bytes(written.strip().lower()))
    return "" if decoded.flags else decoded.text


def date_of(value: str | None) -> datetime | None:
    """The instant in UTC; a date without a zone is taken as UTC. None if it is no date."""
    if value is None:
        return None
    try:
        date = parsedate_to_datetime(_BREAKS.sub(" ", value).strip())
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def parameter(message: Message, header: str, name: str) -> Decoded | None:
    """A parameter's value, put together from its RFC 2231 sections or encoded words."""
    whole = decode(to_bytes(str(message.get(header, ""))[:MOST_CHARACTERS]))
    found = _parameter(_parameters(header, whole.text), name)
    return Decoded(found.text, (*found.flags, *whole.flags)) if found else None


def _parameters(header: str, value: str) -> list[tuple[str, Any]]:
    """As CPython reads them, from a value whose raw bytes have been made text before."""
    readable = Message()
    readable.set_raw(header, _BREAKS.sub(" ", value))
    return readable.get_params([], header=header, unquote=True) or []


def _parameter(parameters: list[tuple[str, Any]], name: str) -> Decoded | None:
    sections: dict[int, tuple[bool, str]] = {}
    plain: str | None = None
    for key, value in parameters:
        if isinstance(value, tuple):  # CPython has put the sections together already
            if key.lower() == name:
                charset, _, content = value
                return decode(content.encode("latin-1", "replace"), charset)
            continue
        if key.lower() == name:
            plain = value
        elif (match := _SECTION.match(key.lower())) and match["name"] == name:
            sections[int(match["number"] or 0)] = (bool(match["encoded"]), value)
    if sections:
        return _joined(sections)
    return text_of(plain) if plain is not None else None


def _joined(sections: dict[int, tuple[bool, str]]) -> Decoded:
    charset: str | None = None
    raw = b""
    for number, (encoded, value) in sorted(sections.items()):
        if encoded:
            if number == 0 and value.count("'") > 1:
                charset, _, value = value.split("'", 2)  # noqa: PLW2901 - what is left of it
            raw += unquote_to_bytes(value)
        else:
            raw += to_bytes(value)
    return decode(raw, charset)
