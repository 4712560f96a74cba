"""Names of attached files: kept as data, shown as what cannot do harm."""

import re
import unicodedata

MOST_BYTES = 255
"""Of a name in UTF-8, kept or shown: as long as file systems take one."""

MOST_SUFFIX_BYTES = 20
NAMELESS = "tệp đính kèm"

_SEPARATORS = re.compile(
    r'[/\\:*?"<>|\u2044\u2215\u2216\u29f5\u29f8\u29f9\ufe68\uff0f\uff1a\uff3c]'
)
_HIDDEN_SEPARATOR = re.compile(r"%(?=(?:2[ef]|5c|3a|0|1|7f|25))", re.IGNORECASE)
"""For a careless reader a dot, a separator, a control character or a percent sign again."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\..*)?", re.IGNORECASE
)


def kept_name(name: str) -> tuple[str, bool]:
    """The name up to `MOST_BYTES`, and whether it is whole."""
    return _cut(name, MOST_BYTES), len(name.encode()) <= MOST_BYTES


def shown_name(name: str) -> str:
    """The name for display and download: one path component on every system, never empty.

    Without control, bidirectional and invisible characters; no device of Windows, no hidden file.
    """
    seen = "".join(c for c in name if unicodedata.category(c) not in _UNSEEN)
    seen = " ".join(unicodedata.normalize("NFC", seen).split())
    seen = _HIDDEN_SEPARATOR.sub("_", _SEPARATORS.sub("_", seen)).strip(" .")
    if _DEVICE.fullmatch(seen):
        seen = f"_{seen}"
    return _shortened(seen) or NAMELESS


def _shortened(name: str) -> str:
    """Cut before its suffix, so that it still tells what it is."""
    if len(name.encode()) <= MOST_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > MOST_SUFFIX_BYTES:
        stem, dot, suffix = name, "", ""
    return _cut(stem, MOST_BYTES - len(f"{dot}{suffix}".encode())).rstrip(" .") + dot + suffix


def _cut(text: str, most: int) -> str:
    return text.encode("utf-8", "ignore")[:most].decode("utf-8", "ignore")
