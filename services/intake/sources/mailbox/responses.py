"""Reads what an IMAP server says (RFC 3501 §9). Pure: lines in, values out."""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

ENDS_IN_LITERAL = re.compile(rb"\{(\d{1,10})\}$")
_TOKEN = re.compile(rb' *(?:([()])|"((?:[^"\\]|\\.)*)"|([^ ()"]+))', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_CODE = re.compile(rb"\[([A-Z0-9-]{1,40})(?: ([^\]]{0,4000}))?\]", re.IGNORECASE)
_DATE = re.compile(rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct",
           b"nov", b"dec")  # fmt: skip
_STATUS = re.compile(rb"[^ ]{1,20} (?:OK|NO|BAD|BYE|PREAUTH)(?: |$)", re.IGNORECASE)
_DEEPEST = 20


class Unreadable(ValueError):
    """What was said is not IMAP; it is never quoted."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A literal that was larger than what is taken: its bytes were read and let go."""

    size: int


Value = bytes | PassedOver | list["Value"]


@dataclass(frozen=True, slots=True)
class Response:
    """`tag` is `*`, `+` or a command's; a status (OK, NO, BAD, BYE, PREAUTH) has its code apart."""

    tag: bytes
    values: list[Value]
    code: bytes = b""
    code_value: bytes = b""

    @property
    def word(self) -> bytes:
        """What kind of response this is; of `* 5 EXISTS` the second word."""
        return self._word(1) if self._word(0).isdigit() else self._word(0)

    @property
    def number(self) -> int:
        """The 5 of `* 5 EXISTS`; 0 where there is none."""
        return int(self._word(0)) if self._word(0).isdigit() else 0

    def _word(self, place: int) -> bytes:
        value = self.values[place] if len(self.values) > place else b""
        return value.upper() if isinstance(value, bytes) else b""


def is_status(line: bytes) -> bool:
    """A status ends in free text, in which `{5}` announces nothing."""
    return _STATUS.match(line) is not None


def read_response(line: bytes, literals: Sequence[bytes | PassedOver] = ()) -> Response:
    """One response; `line` holds `{size}` where each of the `literals` stood."""
    tag, _, rest = line.partition(b" ")
    if tag == b"+":
        return Response(tag, [])
    if is_status(line):
        word, _, text = rest.partition(b" ")
        code = _CODE.match(text)
        if code is None:
            return Response(tag, [word])
        return Response(tag, [word], code[1].upper(), code[2] or b"")
    return Response(tag, _values(rest, literals))


def _values(text: bytes, literals: Sequence[bytes | PassedOver]) -> list[Value]:
    left = iter(literals)
    open_lists: list[list[Value]] = [[]]
    text, place = text.rstrip(b" "), 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise Unreadable
        place = token.end()
        parenthesis, quoted, atom = token.groups()
        if parenthesis == b"(":
            if len(open_lists) > _DEEPEST:
                raise Unreadable
            open_lists.append([])
        elif parenthesis == b")":
            if len(open_lists) == 1:
                raise Unreadable
            closed = open_lists.pop()
            open_lists[-1].append(closed)
        elif quoted is not None:
            open_lists[-1].append(_ESCAPED.sub(rb"\1", quoted))
        elif ENDS_IN_LITERAL.fullmatch(atom):
            open_lists[-1].append(next(left, b""))
        else:
            open_lists[-1].append(atom)
    if len(open_lists) != 1:
        raise Unreadable
    return open_lists[0]


def attributes(response: Response) -> dict[bytes, Value]:
    r"""The names and values of `* 5 FETCH (UID 9 FLAGS (\Seen) …)`; names in capitals."""
    last = response.values[-1] if response.values else b""
    if not isinstance(last, list):
        raise Unreadable
    names = last[::2]
    return {
        name.upper(): value
        for name, value in zip(names, last[1::2], strict=False)
        if isinstance(name, bytes)
    }


def internal_date(text: bytes, otherwise: datetime) -> datetime:
    """When the server took the mail, in its own zone; `otherwise` if that cannot be read."""
    found = _DATE.fullmatch(text)
    if found is None or found[2].lower() not in _MONTHS:
        return otherwise
    sign = -1 if found[7] == b"-" else 1
    offset = timedelta(hours=int(found[8]), minutes=int(found[9])) * sign
    day, year, hour, minute, second = (int(found[part]) for part in (1, 3, 4, 5, 6))
    try:
        return datetime(
            year, _MONTHS.index(found[2].lower()) + 1, day, hour, minute, second,
            tzinfo=timezone(offset),
        )  # fmt: skip
    except ValueError:
        return otherwise


def quoted(text: str) -> bytes:
    """An ASCII text as a quoted string; raises `ValueError` where it cannot be one."""
    if not text.isascii() or any(c in text for c in "\r\n\0"):
        raise ValueError("this text cannot be a quoted string")
    return b'"' + text.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def folder_name(name: str) -> bytes:
    """A folder's name, quoted, in modified UTF-7 (RFC 3501 §5.1.3)."""
    parts = re.split("([^ -~]+)", name.replace("&", "&-"))
    return quoted("".join(_shifted(p) if i % 2 else p for i, p in enumerate(parts)))


def _shifted(text: str) -> str:
    encoded = b64encode(text.encode("utf-16-be")).decode()
    return f"&{encoded.rstrip('=').replace('/', ',')}-"


def number_set(numbers: Sequence[int]) -> bytes:
    """A sequence set; neighbours are told as a range."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in ranges).encode()
