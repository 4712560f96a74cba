"""Refuses mails that would cost too much, before anything is parsed.

CPython's parser takes seconds or gigabytes for what fits in a megabyte: deep multiparts, a
subject of ten thousand encoded words, comments within comments. Looking for them takes a few
passes over the mail, however it is made.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

MEGABYTE = 1024 * 1024
MOST_BYTES = 25 * MEGABYTE
MOST_HEADER_BLOCK = 256 * 1024
MOST_HEADER = 64 * 1024
MOST_ENCODED_WORDS = 500
MOST_ADDRESSES = 1_000
MOST_LITERALS = 100
"""Opening square brackets in one address header: CPython starts over at each."""

MOST_COMMENT_DEPTH = 50
MOST_PARTS = 1_000
MOST_MULTIPARTS = 200
MOST_DEPTH = 50
MOST_ATTACHMENTS = 100
MOST_LINES = 600_000
MOST_COMPARISONS = 4_000_000
"""Lines times multiparts open at once: CPython holds each line against each boundary."""

MOST_PARAMETERS = 200
MOST_PARAMETERS_TOGETHER = 3_000
MOST_PARAMETER_HEADER = 32 * 1024
MOST_CONTINUATIONS = 100
"""RFC 2231 sections of parameters, in all headers of all parts together."""

_HEADER_END = re.compile(rb"\r?\n\r?\n|\r\r")
_FOLDED = re.compile(rb"(?:\r\n?|\n)[ \t]+")
_BOUNDARY = re.compile(
    rb"boundary(?P<section>[*0-9]*)[\s\x1c-\x1f]*=[\s\x1c-\x1f]*"
    rb'(?:(?:"(?P<quoted>[^"\\\r\n]{1,200})"|(?P<bare>[^\s;"<]{1,200}))(?=[ \t]*(?:[;\r\n]|\Z)))?',
    re.IGNORECASE,
)
_DELIMITER = (re.compile(rb"\n--([^\r\n]*)"), re.compile(rb"\r--([^\r\n]*)"))
"""Two, since only what begins with fixed bytes is looked for quickly."""

_ATTACHED_MAIL = re.compile(rb"^content-type:\s*message/", re.IGNORECASE | re.MULTILINE)
_ATTACHED = re.compile(rb"^content-disposition:\s*attachment", re.IGNORECASE | re.MULTILINE)
_CONTINUATION = re.compile(rb"\*\d+\*?\s*=")
_ADDRESS_HEADER = re.compile(
    rb"^(?:from|sender|to|cc|bcc|reply-to):([^\r\n]*)", re.IGNORECASE | re.MULTILINE
)
_PARAMETER_HEADER = re.compile(rb"^content-[a-z]+:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Delimiter:
    """A line that may begin a part (`opens`) or, with dashes behind its name, end a multipart."""

    start: int
    end: int
    name: bytes
    opens: bool


def exceeded(raw: bytes) -> str | None:
    """The cap that this mail goes beyond, e.g. `encoded-words`; None if it may be parsed."""
    if len(raw) > MOST_BYTES:
        return "size"
    lines = raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")
    if lines > MOST_LINES:
        return "lines"
    header = _block(raw, 0, len(raw))
    return _block_cap(header) or _author_cap(header) or _structure_cap(raw, header, lines)


def _block(raw: bytes, start: int, stop: int) -> bytes:
    """The header block that begins there, or a byte more than may be of it; folds undone."""
    most = min(stop, start + MOST_HEADER_BLOCK + 1)
    end = _HEADER_END.search(raw, start, most)
    block = raw[start : end.start() if end else most]
    return block if len(block) > MOST_HEADER_BLOCK else _FOLDED.sub(b" ", block)


def _block_cap(block: bytes) -> str | None:
    if len(block) > MOST_HEADER_BLOCK:
        return "header-block"
    if len(block) > MOST_HEADER and any(len(line) > MOST_HEADER for line in block.splitlines()):
        return "header"
    if block.count(b"=?") > MOST_ENCODED_WORDS:
        return "encoded-words"
    for value in _PARAMETER_HEADER.findall(block):
        if value.count(b";") > MOST_PARAMETERS or len(value) > MOST_PARAMETER_HEADER:
            return "parameters"
    return None


def _author_cap(block: bytes) -> str | None:
    """Of the mail's own header alone: nobody reads the addresses of an attached mail."""
    addressed = _ADDRESS_HEADER.findall(block)
    if sum(value.count(b",") for value in addressed) >= MOST_ADDRESSES or any(
        value.count(b"[") > MOST_LITERALS for value in addressed
    ):
        return "addresses"
    if any(_comment_depth(line) > MOST_COMMENT_DEPTH for line in block.splitlines()):
        return "comment-depth"
    return None


def _structure_cap(raw: bytes, header: bytes, lines: int) -> str | None:
    multiparts = _first(_BOUNDARY, raw, MOST_MULTIPARTS + 1)
    if len(multiparts) > MOST_MULTIPARTS:
        return "parts"
    mails = _first(_ATTACHED_MAIL, raw, MOST_DEPTH + 1)
    if len(mails) > MOST_DEPTH:
        return "depth"
    if len(_first(_ATTACHED, raw, MOST_ATTACHMENTS + 1)) > MOST_ATTACHMENTS:
        return "attachments"
    if len(_first(_CONTINUATION, raw, MOST_CONTINUATIONS + 1)) > MOST_CONTINUATIONS:
        return "continuations"
    named = [_name(multipart) for multipart in multiparts]
    delimiters = list(islice(_delimiters(raw, named), MOST_PARTS + 1))
    if len(delimiters) > MOST_PARTS:
        return "parts"
    depth = _depth(raw, multiparts, named, delimiters)
    if depth > MOST_DEPTH or depth * lines > MOST_COMPARISONS:
        return "depth"
    together = _parameters(header)
    for block in _inner_blocks(raw, mails, delimiters):
        cap = _block_cap(block)
        if cap is not None:
            return cap
        together += _parameters(block)
    return "parameters" if together > MOST_PARAMETERS_TOGETHER else None


def _first(pattern: re.Pattern[bytes], raw: bytes, count: int) -> list[re.Match[bytes]]:
    return list(islice(pattern.finditer(raw), count))


def _name(multipart: re.Match[bytes]) -> bytes | None:
    """A boundary; None if it is written in a way of which only a full parser can make sense."""
    if multipart["section"]:
        return None
    return (multipart["quoted"] or multipart["bare"] or b"").rstrip() or None


def _delimiters(raw: bytes, named: list[bytes | None]) -> Iterator[_Delimiter]:
    """Lines that a boundary makes; every line with dashes if one of the boundaries is unknown."""
    names = frozenset(named)
    for pattern in _DELIMITER:
        for line in pattern.finditer(raw):
            name = line[1].rstrip(b" \t")
            opens = None in names or name in names
            if opens or name.removesuffix(b"--") in names:
                yield _Delimiter(line.start(), line.end(), name, opens)


def _depth(
    raw: bytes,
    multiparts: list[re.Match[bytes]],
    named: list[bytes | None],
    delimiters: list[_Delimiter],
) -> int:
    """How many multiparts are open at once, at most; one that is never closed stays open."""
    closed = {d.name: d.end for d in sorted(delimiters, key=lambda d: d.end)}
    deepest = 0
    ends: list[int] = []
    for multipart, name in zip(multiparts, named, strict=True):
        ends = [end for end in ends if end > multipart.start()]
        ends.append(closed.get(name + b"--", len(raw)) if name else len(raw))
        deepest = max(deepest, len(ends))
    return deepest


def _inner_blocks(
    raw: bytes, mails: list[re.Match[bytes]], delimiters: list[_Delimiter]
) -> Iterator[bytes]:
    """The header blocks of parts and of attached mails, each up to the next part at most."""
    starts = [delimiter.end for delimiter in delimiters if delimiter.opens]
    for mail in mails:
        end = _HEADER_END.search(raw, mail.start(), mail.start() + MOST_HEADER_BLOCK)
        if end:
            starts.append(end.end())
    stops = [delimiter.start for delimiter in delimiters] + [len(raw)]
    stops.sort(reverse=True)
    for start in sorted(starts):
        while stops[-1] < start:
            stops.pop()
        yield _block(raw, start, stops[-1])


def _parameters(block: bytes) -> int:
    return sum(value.count(b";") for value in _PARAMETER_HEADER.findall(block))


def _comment_depth(line: bytes) -> int:
    if line.count(b"(") <= MOST_COMMENT_DEPTH:
        return 0
    depth = deepest = 0
    for byte in line:
        if byte == ord("("):
            depth += 1
            deepest = max(deepest, depth)
        elif byte == ord(")"):
            depth = max(0, depth - 1)
    return deepest
