"""What Outlook hides in `winmail.dat` (MS-OXTNEF): files, and sometimes the whole text."""

import struct
from dataclasses import dataclass

from tnefparse import TNEF  # type: ignore[import-untyped]

from services.intake.domain.charset import decode

MOST_OBJECTS = 1_000
"""An attachment has about six; the library copies what follows for each."""

_HEADER = struct.Struct("<BHHI")
_CHECKSUM_BYTES = 2
_SIGNATURE_BYTES = 6
_OF_MESSAGE = frozenset({TNEF.ATTBODY, TNEF.ATTMAPIPROPS})
"""The message's other objects repeat what the mail says, and are often broken."""


class Unreadable(ValueError):
    """It is no TNEF, or more than may be read."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """`files` by name; `text` and `page` (HTML) may both be empty."""

    files: tuple[tuple[str, bytes], ...]
    text: str
    page: str


def unpack(content: bytes) -> Unpacked:
    """Files and text in it; what only Outlook understands is left out. Raises `Unreadable`."""
    try:
        message, *files = _pieces(content)
        read = TNEF(message, do_checksum=False)
        return Unpacked(
            tuple(_file(TNEF(file, do_checksum=False)) for file in files),
            _text(read.body, read.codepage),
            _text(read.htmlbody, read.codepage),
        )
    except (
        *(ValueError, LookupError, TypeError, AttributeError, struct.error),
        *(ArithmeticError, AssertionError, RecursionError),
    ) as broken:
        raise Unreadable(type(broken).__name__) from None


def _pieces(content: bytes) -> list[bytes]:
    """The message, then each file: apart, since the library copies all that follows an object.

    An object that is cut off is given as far as it goes.
    """
    beginning = content[:_SIGNATURE_BYTES]
    pieces: list[list[bytes]] = [[beginning]]
    place = _SIGNATURE_BYTES
    for _ in range(MOST_OBJECTS):
        if place + _HEADER.size > len(content):
            return [b"".join(piece) for piece in pieces]
        level, name, _, length = _HEADER.unpack_from(content, place)
        start, place = place, place + _HEADER.size + length + _CHECKSUM_BYTES
        if name == TNEF.ATTOEMCODEPAGE:
            beginning += content[start:place]
            pieces[0].append(content[start:place])
        elif name == TNEF.ATTATTACHRENDDATA:
            pieces.append([beginning, content[start:place]])
        elif name in _OF_MESSAGE or (level == TNEF.LVL_ATTACHMENT and len(pieces) > 1):
            pieces[0 if name in _OF_MESSAGE else -1].append(content[start:place])
    raise Unreadable("objects")


def _file(read: TNEF) -> tuple[str, bytes]:
    [attachment] = read.attachments
    titles = [item.data for item in read.objects if item.name == TNEF.ATTATTACHTITLE]
    try:
        name = attachment.long_filename()
    except UnicodeDecodeError:  # a title alone, in the sender's own code: the library knows UTF-8
        name = titles[-1]
    return _text(name, read.codepage), bytes(attachment.data)


def _text(value: object, charset: str | None) -> str:
    if isinstance(value, str):
        value, charset = value.encode("utf-8", "surrogatepass"), "utf-8"
    return decode(value.rstrip(b"\0"), charset).text if isinstance(value, bytes) else ""
