"""Refuses mails that would cost too much, before anything is parsed.

CPython's parser takes seconds or gigabytes for what fits in a megabyte: deep multiparts, a
subject of ten thousand encoded words, comments within comments.
"""

import re
from collections.abc import Iterator

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
MOST_PARAMETERS = 200
MOST_CONTINUATIONS = 100
"""RFC 2231 sections of parameters, in all headers of all parts together."""

_HEADER_END = re.compile(rb"\r?\n\r?\n|\r\r")
_FOLDED = re.compile(rb"\r?\n[ \t]+")
_BOUNDARY = re.compile(
    rb'boundary(?P<section>[*0-9]*)\s*=\s*(?:"(?P<quoted>[^"\\\r\n]{1,200})"|(?P<bare>[^\s;"<]{1,200}))?',
    re.IGNORECASE,
)
_ATTACHED_MAIL = re.compile(rb"^content-type:\s*message/", re.IGNORECASE | re.MULTILINE)
_ATTACHED = re.compile(rb"^content-disposition:\s*attachment", re.IGNORECASE | re.MULTILINE)
_CONTINUATION = re.compile(rb"\*\d+\*?\s*=")
_ADDRESS_HEADER = re.compile(
    rb"^(?:from|sender|to|cc|bcc|reply-to):([^\r\n]*)", re.IGNORECASE | re.MULTILINE
)
_PARAMETER_HEADER = re.compile(rb"^content-[a-z]+:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def exceeded(raw: bytes) -> str | None:
    """The cap that this mail goes beyond, e.g. `encoded-words`; None if it may be parsed."""
    if len(raw) > MOST_BYTES:
        return "size"
    if raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n") > MOST_LINES:
        return "lines"
    return _header(raw, 0) or _structure(raw)


def _header(raw: bytes, start: int) -> str | None:
    """The cap that the header beginning there goes beyond."""
    end = _HEADER_END.search(raw, start, start + MOST_HEADER_BLOCK + 4)
    header = raw[start : end.start() if end else start + MOST_HEADER_BLOCK + 1]
    if len(header) > MOST_HEADER_BLOCK:
        return "header-block"
    unfolded = _FOLDED.sub(b" ", header)
    if any(len(line) > MOST_HEADER for line in unfolded.splitlines()):
        return "header"
    if header.count(b"=?") > MOST_ENCODED_WORDS:
        return "encoded-words"
    addressed = _ADDRESS_HEADER.findall(unfolded)
    if sum(value.count(b",") for value in addressed) >= MOST_ADDRESSES or any(
        value.count(b"[") > MOST_LITERALS for value in addressed
    ):
        return "addresses"
    if any(value.count(b";") > MOST_PARAMETERS for value in _PARAMETER_HEADER.findall(unfolded)):
        return "parameters"
    if any(_comment_depth(line) > MOST_COMMENT_DEPTH for line in unfolded.splitlines()):
        return "comment-depth"
    return None


def _structure(raw: bytes) -> str | None:
    multiparts = list(_BOUNDARY.finditer(raw))
    if len(multiparts) > MOST_MULTIPARTS:
        return "parts"
    inner = list(_ATTACHED_MAIL.finditer(raw))
    if len(inner) > MOST_DEPTH or _depth(raw, multiparts) > MOST_DEPTH:
        return "depth"
    if len(_ATTACHED.findall(raw)) > MOST_ATTACHMENTS:
        return "attachments"
    if len(_CONTINUATION.findall(raw)) > MOST_CONTINUATIONS:
        return "continuations"
    names = {name for multipart in multiparts if (name := _name(multipart))}
    if any(_name(multipart) is None for multipart in multiparts):
        delimiters = raw.count(b"\n--") + raw.count(b"\r--")  # any line may be one
    else:
        delimiters = sum(raw.count(b"--" + name) for name in names)
    if delimiters > MOST_PARTS:
        return "parts"
    for start in _inner_headers(raw, names, inner):
        cap = _header(raw, start)
        if cap is not None:
            return cap
    return None


def _name(multipart: re.Match[bytes]) -> bytes | None:
    """A boundary; None if it is written in a way of which only a full parser can make sense."""
    if multipart["section"]:
        return None
    return multipart["quoted"] or multipart["bare"]


def _depth(raw: bytes, multiparts: list[re.Match[bytes]]) -> int:
    """How many multiparts are open at once, at most; one that is never closed stays open."""
    if len(multiparts) <= MOST_DEPTH:
        return len(multiparts)
    deepest = 0
    ends: list[int] = []
    for multipart in multiparts:
        name = _name(multipart)
        closing = [
            found.end()
            for found in re.finditer(
                rb"[\r\n]--" + re.escape(name or b"") + rb"--[ \t]*[\r\n]", raw
            )
        ]
        ends = [end for end in ends if end > multipart.start()]
        ends.append(max(closing, default=len(raw)) if name else len(raw))
        deepest = max(deepest, len(ends))
    return deepest


def _inner_headers(raw: bytes, names: set[bytes], inner: list[re.Match[bytes]]) -> Iterator[int]:
    """Where the headers of parts and of attached mails begin."""
    for name in names:
        for delimiter in re.finditer(rb"[\r\n]--" + re.escape(name) + rb"[ \t]*\r?\n", raw):
            yield delimiter.end()
    for attached in inner:
        end = _HEADER_END.search(raw, attached.start())
        if end:
            yield end.end()


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
