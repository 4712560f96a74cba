"""What a file is by its first bytes, whatever it is said to be."""

import re
from dataclasses import dataclass

LOOKED_AT = 1024
"""Bytes from the beginning."""

_NOT_SAID = ("", "application/octet-stream", "binary/octet-stream", "application/x-download")


@dataclass(frozen=True, slots=True)
class _Kind:
    """`said` are pieces of the names under which such a file is honestly sent."""

    type: str
    begins: re.Pattern[bytes]
    said: tuple[str, ...]


def _kind(name: str, begins: bytes, *said: str) -> _Kind:
    return _Kind(name, re.compile(begins, re.DOTALL | re.IGNORECASE), said)


TNEF = "application/ms-tnef"
_OFFICE = ("officedocument", "opendocument", "msword", "vnd.ms-", "word", "excel", "powerpoint")
_KINDS = (
    _kind("image/png", rb"\x89PNG\r\n\x1a\n", "png"),
    _kind("image/jpeg", rb"\xff\xd8\xff", "jpeg", "jpg"),
    _kind("image/gif", rb"GIF8[79]a", "gif"),
    _kind("image/webp", rb"RIFF....WEBP", "webp"),
    _kind("application/zip", rb"PK(?:\x03\x04|\x05\x06|\x07\x08)", "zip", "archive", *_OFFICE),
    _kind("application/gzip", rb"\x1f\x8b\x08", "gzip", "gz", "tar"),
    _kind("application/vnd.rar", rb"Rar!\x1a\x07", "rar"),
    _kind("application/x-7z-compressed", rb"7z\xbc\xaf\x27\x1c", "7z"),
    _kind("application/x-ole-storage", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", *_OFFICE),
    _kind("application/rtf", rb"\{\\rtf", "rtf", "richtext", *_OFFICE),
    _kind("audio/wav", rb"RIFF....WAVE", "wav"),
    _kind("audio/ogg", rb"OggS\0", "ogg", "opus"),
    _kind("audio/mpeg", rb"ID3[\x02-\x04]|\xff[\xf2\xf3\xfb]", "mpeg", "mp3"),
    _kind("video/mp4", rb"....ftyp", "mp4", "m4a", "quicktime", "3gp", "heic", "heif", "aac"),
    _kind(TNEF, rb"\x78\x9f\x3e\x22", "tnef"),
    _kind(
        "application/x-msdownload", rb"MZ.{58}.{4}.{0,900}PE\0\0", "msdownload", "dosexec", "exe"
    ),
    _kind("application/x-elf", rb"\x7fELF", "elf", "executable", "sharedlib"),
    _kind("text/x-shellscript", rb"#!\s*/", "script", "x-sh", "python", "perl"),
    _kind(
        "text/html",
        rb"(?:\xef\xbb\xbf)?\s{0,200}<(?:!doctype\s+html|html|head|body|script|iframe|svg)[\s>]",
        *("html", "svg"),
    ),
    _kind("application/pdf", rb".{0,1000}%PDF-\d", "pdf"),  # readers look for it that far
)


def found_type(content: bytes) -> str:
    """The media type that the content itself shows; empty if it shows none of the known ones."""
    beginning = content[:LOOKED_AT]
    return next((kind.type for kind in _KINDS if kind.begins.match(beginning)), "")


def disagree(said: str, found: str) -> bool:
    """Whether a file is passed off as something else; one that is called nothing is not."""
    if not found or said.lower() in _NOT_SAID:
        return False
    kind = next(kind for kind in _KINDS if kind.type == found)
    return not any(piece in said.lower() for piece in kind.said)
