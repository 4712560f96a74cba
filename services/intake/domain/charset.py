"""Bytes to text, Vietnamese first: declared charset → strict UTF-8 → the best of the old codes.

Old Vietnamese mail comes in windows-1258, TCVN 5712, VISCII and VNI, often under another name or
none. Which one fits is told by the letters that come out: Vietnamese has few, and uses them.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from encodings import normalize_encoding
from encodings.aliases import aliases

GUESSED, UNDECODABLE, REPLACED = "charset-guessed", "undecodable", "replacement-character"

# The upper halves as RFC 1456 (VISCII) and TCVN 5712:1993 (VN1) print them, and the few letters
# that both keep among the control characters.
_TCVN_HIGH = (
    "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ\xa0ĂÂÊÔƠƯĐăâêôơưđẰ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệ"
    "ìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"
)
_TCVN_LOW = {1: "Ú", 2: "Ụ", 4: "Ừ", 5: "Ử", 6: "Ữ", 17: "Ứ", 18: "Ự", 19: "Ỳ", 20: "Ỷ", 21: "Ỹ"}
_TCVN_LOW |= {22: "Ý", 23: "Ỵ"}
_VISCII_HIGH = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừử"
    "ÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)
_VISCII_LOW = {2: "Ẳ", 5: "Ẵ", 6: "Ẫ", 20: "Ỷ", 25: "Ỹ", 30: "Ỵ"}

# VNI writes a vowel and a mark behind it: two bytes for one letter.
_VNI_MARKS = {
    "ø": "\u0300", "ù": "\u0301", "û": "\u0309", "õ": "\u0303", "ï": "\u0323",
    "â": "\u0302", "à": "\u0302\u0300", "á": "\u0302\u0301", "å": "\u0302\u0309",
    "ã": "\u0302\u0303", "ä": "\u0302\u0323", "ê": "\u0306", "è": "\u0306\u0300",
    "é": "\u0306\u0301", "ú": "\u0306\u0309", "ü": "\u0306\u0303", "ë": "\u0306\u0323",
}  # fmt: skip
_VNI_LETTERS = {
    "ñ": "đ", "ô": "ơ", "ö": "ư", "ì": "ì", "í": "í", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ",
}  # fmt: skip
_VNI_TRANSLATION = {
    ord(form(old)): form(new)
    for old, new in _VNI_LETTERS.items()
    for form in (str.lower, str.upper)
}
_VNI_VOWEL = re.compile("([aeouyAEOUYôöÔÖ])([øùûõïâàáåãäêèéúüëØÙÛÕÏÂÀÁÅÃÄÊÈÉÚÜË])")


def _table(high: str, low: dict[int, str]) -> tuple[str, ...]:
    table = [chr(byte) for byte in range(0x80)]
    for byte, letter in low.items():
        table[byte] = letter
    return (*table, *high)


_TCVN, _VISCII = _table(_TCVN_HIGH, _TCVN_LOW), _table(_VISCII_HIGH, _VISCII_LOW)


def _vni(raw: bytes) -> str:
    text = raw.decode("cp1252", "surrogateescape")

    def marked(match: re.Match[str]) -> str:
        vowel, mark = match.groups()
        return vowel + _VNI_MARKS[mark.lower()]

    text = _VNI_VOWEL.sub(marked, text)
    return text.translate(_VNI_TRANSLATION)


_OLD: dict[str, Callable[[bytes], str]] = {
    "windows-1258": lambda raw: raw.decode("cp1258"),
    "tcvn": lambda raw: "".join(_TCVN[byte] for byte in raw),
    "viscii": lambda raw: "".join(_VISCII[byte] for byte in raw),
    "vni": _vni,
}
_NAMES = {
    "windows-1258": "windows-1258", "cp1258": "windows-1258", "x-windows-1258": "windows-1258",
    "tcvn": "tcvn", "tcvn-5712": "tcvn", "tcvn5712-1": "tcvn", "tcvn5712": "tcvn",
    "x-viet-tcvn": "tcvn", "x-viet-tcvn5712": "tcvn", "viscii": "viscii", "csviscii": "viscii",
    "viscii1.1-1": "viscii", "x-viet-vni": "vni", "vni": "vni", "vni-win": "vni",
}  # fmt: skip

_NOT_FOR_TEXT = frozenset(
    {"base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"}
    | {"mbcs", "punycode", "unicode_escape", "raw_unicode_escape"}
)
_CODECS = (
    frozenset(name for name, codec in aliases.items() if codec not in _NOT_FOR_TEXT)
    | frozenset(aliases.values())
    | {"koi8_u", "koi8_t", "cp874", "utf_8_sig"}
) - _NOT_FOR_TEXT
"""Codecs that a mail may name. CPython remembers every other name for ever, and some are slow."""

_TONES = "\u0300\u0301\u0303\u0309\u0323"
_VIETNAMESE = frozenset(
    unicodedata.normalize("NFC", letter + tone)
    for letter in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY"
    for tone in ("", *_TONES)
) | frozenset("đĐ“”‘’–—…•\xa0")
_WORDS = re.compile(
    r"\b(?:không|của|và|được|người|việc|quý|vị|ông|bà|tôi|các|những|đã|là|có|này|với|phản|ánh|"
    r"kính|gửi|đơn|cơ|cán|bộ|về|đến|thể|sẽ|để|trưởng|chủ|tịch|giám|đốc)\b",
    re.IGNORECASE,
)
_HIGH_BYTES = bytes(range(0x80, 0x100))
_SURROGATE = re.compile("[\ud800-\udfff\x00]")

MOST_MARKS = 30
"""On one letter, as stream-safe text has them (UAX #15, section 13)."""

_JOINER, _BEYOND = "\u034f", "\U00010000"
_MARKS = "".join(chr(p) for p in range(0x300, 0x1E94B) if unicodedata.combining(chr(p)))
_MARKS += "\u0f73\u0f75\u0f81"  # no marks, but made of nothing else
_RUN = re.compile(f"[{_MARKS}]{{{MOST_MARKS}}}(?=[{_MARKS}])")
_PERHAPS_RUN = re.compile(
    f"[{''.join(m for m in _MARKS if m < _BEYOND)}{_BEYOND}-\U0010ffff]{{{MOST_MARKS + 1}}}"
)
"""Marks beyond the first plane are too scattered to be looked for quickly."""

WESTERN = ("us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "cp1252", "iso-8859-15")
"""Charsets that are declared by habit; what they are declared for may be anything."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """NFC text without NUL and lone surrogates; `flags` say what had to be guessed or lost."""

    text: str
    flags: tuple[str, ...] = ()


def decode(raw: bytes, declared: str | None = None) -> Decoded:
    """Text of any bytes whatever; never raises."""
    name = (declared or "").strip().strip("\"'").lower()
    if raw.isascii() and not name.startswith(("utf-16", "utf-32", "iso-2022", "hz", "utf-7")):
        return _clean(raw.decode("ascii"))
    if name and name not in WESTERN:
        text = _declared(raw, name)
        if text is not None:
            return _clean(text)
    try:
        return _clean(raw.decode("utf-8"), () if name in ("", "utf-8") else (GUESSED,))
    except UnicodeDecodeError:
        pass
    damaged = _damaged_utf8(raw)
    if damaged is not None:
        return _clean(damaged, (UNDECODABLE,))
    best, score = _best_old(raw)
    if score > 0:
        return _clean(best, (GUESSED,))
    if name in WESTERN and name not in ("us-ascii", "ascii"):
        text = _declared(raw, name)
        if text is not None:
            return _clean(text)
    guess = raw.decode("cp1252", "replace")
    return _clean(guess, (UNDECODABLE,))


def _declared(raw: bytes, name: str) -> str | None:
    if name in _NAMES:
        name = _NAMES[name]
        try:
            return _OLD[name](raw)
        except (UnicodeDecodeError, IndexError):
            return None
    codec = normalize_encoding(name).lower()
    if codec not in _CODECS:
        return None
    try:
        return raw.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _damaged_utf8(raw: bytes) -> str | None:
    """Text cut within a letter, or with a stray byte; no other charset makes whole UTF-8 letters.

    None if what could not be read is more than a third of what is not ASCII.
    """
    text = raw.decode("utf-8", "replace")
    lost = text.count("\ufffd")
    read = len(text) - lost - len(raw.translate(None, _HIGH_BYTES))
    return text if read >= 2 * lost else None


def _best_old(raw: bytes) -> tuple[str, int]:
    candidates = []
    sample = raw[:20_000]
    for name, decoder in _OLD.items():
        try:
            text = _clean(decoder(sample)).text
        except (UnicodeDecodeError, IndexError):
            continue
        candidates.append((_score(text), name))
    score, name = max(candidates, default=(0, ""))
    if score <= 0:
        return "", 0
    try:
        return _OLD[name](raw), score
    except (UnicodeDecodeError, IndexError):
        return "", 0


def _score(text: str) -> int:
    """How Vietnamese it looks: its letters and its commonest words, against everything else.

    Without one such word it may be any language: its letters alone prove nothing.
    """
    others = [c for c in text if not c.isascii()]
    fitting = sum(c in _VIETNAMESE for c in others)
    words = len(_WORDS.findall(text))
    return fitting + 4 * words - 5 * (len(others) - fitting) if words else 0


def _clean(text: str, flags: tuple[str, ...] = ()) -> Decoded:
    if not text.isascii() and _PERHAPS_RUN.search(text):  # to order marks takes their square
        text = _RUN.sub(rf"\g<0>{_JOINER}", text)
    text = unicodedata.normalize("NFC", text)
    if _SURROGATE.search(text):
        text = _SURROGATE.sub("\ufffd", text)
    if "\ufffd" in text:
        flags = (*flags, REPLACED)
    return Decoded(text.removeprefix("\ufeff"), flags)
