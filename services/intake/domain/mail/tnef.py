"""What Outlook hides in `winmail.dat` (MS-OXTNEF): files, and sometimes the whole text."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tnefparse import TNEF

from services.intake.domain.charset import decode

MOST_OBJECTS = 1_000
"""An attachment has about six; the library copies all that follows for each."""

_HEADER = struct.Struct("<BHHI")
_CHECKSUM_BYTES = 2
_SIGNATURE_BYTES = 6
_OF_MESSAGE = frozenset({TNEF.ATTOEMCODEPAGE, TNEF.ATTBODY, TNEF.ATTMAPIPROPS})
"""The rest of the message's own objects says nothing that the mail does not, and is often broken."""


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
        read = TNEF(content[:_SIGNATURE_BYTES] + b"".join(_objects(content)), do_checksum=False)
        charset = read.codepage
        names = _names(read)
        return Unpacked(
            tuple(
                (name, bytes(attachment.data))
                for attachment, name in zip(read.attachments, names, strict=True)
            ),
            _text(read.body, charset),
            _text(read.htmlbody, charset),
        )
    except (
        *(ValueError, LookupError, TypeError, AttributeError, struct.error),
        *(ArithmeticError, AssertionError, RecursionError),
    ) as broken:
        raise Unreadable(type(broken).__name__) from None


def _objects(content: bytes) -> Iterator[bytes]:
    """The objects that are read, as they stand; the last may be cut off."""
    place, count, attachments = _SIGNATURE_BYTES, 0, 0
    while place + _HEADER.size <= len(content):
        level, name, _, length = _HEADER.unpack_from(content, place)
        end = place + _HEADER.size + length + _CHECKSUM_BYTES
        count += 1
        if count > MOST_OBJECTS:
            raise Unreadable("objects")
        attachments += name == TNEF.ATTATTACHRENDDATA
        if name in _OF_MESSAGE or (level == TNEF.LVL_ATTACHMENT and attachments):
            yield content[place:end]
        place = end


def _names(read: TNEF) -> list[str]:
    """The long name of each attachment, or the title that is written in the sender's own code."""
    titles: list[bytes] = []
    for item in read.objects:
        if item.name == TNEF.ATTATTACHRENDDATA:
            titles.append(b"")
        elif item.name == TNEF.ATTATTACHTITLE and titles:
            titles[-1] = item.data
    names = []
    for attachment, title in zip(read.attachments, titles, strict=True):
        try:
            long = attachment.long_filename()
        except UnicodeDecodeError:  # there is a title alone, and the library takes it for UTF-8
            long = title
        names.append(_text(long, read.codepage))
    return names


def _text(value: object, charset: str | None) -> str:
    match value:
        case str():
            value = value.encode("utf-8", "surrogatepass")
            charset = "utf-8"
        case bytes():
            pass
        case _:
            return ""
    return decode(value.rstrip(b"\0"), charset).text
