"""What a person says in a mail, apart from the mails quoted below it and the signature.

Line by line, in one pass: what people write is no grammar, and what attackers write must cost no
more. In doubt a line was said: whoever is cut short is not heard.
"""

import re

MOST_SIGNATURE_LINES = 12
MOST_LINE = 1_000
"""Characters of a line that may introduce a quotation."""

_QUOTED = re.compile(r"[ \t]?>")
_WROTE = re.compile(
    r"(?:wrote|đã viết|viết|writes|a écrit|schrieb|escribió|ha scritto|skrev|schreef|"
    r"napisał(?:\(a\))?)[ \t\xa0]*:$",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"(?:on|vào|vào lúc|ngày|lúc|le|am|el|il|den|op|w dniu|dnia|\d|thứ|chủ nhật|th \d)\b",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(r"<[^<>\s]+@[^<>\s]+>")
"""Programs write it so, and people do not."""

_ORIGINAL = re.compile(
    r"-{2,}\s*(?:original message|original appointment|thư gốc|tin nhắn gốc|thông điệp gốc|"
    r"nội dung gốc|message d'origine|ursprüngliche nachricht)\s*-{2,}",
    re.IGNORECASE,
)
_FROM = re.compile(r"[* ]*(?:from|từ|người gửi)\s*:[* ]*\S", re.IGNORECASE)
_SENT = re.compile(
    r"[* ]*(?:sent|date|đã gửi|ngày gửi|gửi lúc|thời gian|ngày)\s*:[* ]*\S", re.IGNORECASE
)
_TO_OR_SUBJECT = re.compile(
    r"[* ]*(?:to|cc|subject|tới|đến|gửi đến|người nhận|chủ đề|tiêu đề|đồng gửi)\s*:", re.IGNORECASE
)
_RULE = re.compile(r"[_-]{20,}")
_DEVICE = re.compile(
    r"(?:sent from (?:my |mail for |yahoo|outlook)|get outlook for |"
    r"(?:đã |được )?gửi từ (?:iphone|ipad|điện thoại|thiết bị|máy tính|mail dành|mail cho|"
    r"ứng dụng|yahoo|outlook|samsung|android)|tải outlook (?:cho|dành))[^\n]{0,80}",
    re.IGNORECASE,
)
_FORWARDED = re.compile(r"\s*(?:fwd?|tr|chuyển tiếp)\s*:", re.IGNORECASE)


def said(text: str, subject: str = "") -> str:
    """The text without quoted history and signature; all of it if nothing else is left.

    A forwarded mail is no history: to pass it on is what its sender wants to say.
    """
    lines = text.split("\n")
    end = _end(lines, forwarded=_FORWARDED.match(subject) is not None)
    kept = _without_quotes(lines[:end])
    kept = _without_signature(kept)
    return "\n".join(kept).strip() or text


def _end(lines: list[str], *, forwarded: bool) -> int:
    """Where the history begins that goes on to the end, unmarked."""
    for number, line in enumerate(lines):
        bare = line.strip()
        if not bare or len(bare) > MOST_LINE:
            continue
        if not forwarded and _ORIGINAL.fullmatch(bare):
            return number
        if not forwarded and _FROM.match(bare) and _is_header(lines, number):
            ruled = number and _RULE.fullmatch(lines[number - 1].strip())
            return number - 1 if ruled else number
        if _ADDRESSED.search(bare) and (start := _introduces(lines, number)) is not None:
            following = _next(lines, number)
            if following is None or not _QUOTED.match(lines[following]):
                return start
    return len(lines)


def _is_header(lines: list[str], start: int) -> bool:
    """Whether the lines of a mail's header follow there, as Outlook writes them."""
    following = [line.strip()[:MOST_LINE] for line in lines[start + 1 : start + 9]]
    following = [line for line in following if line][:4]
    return any(map(_SENT.match, following)) and any(map(_TO_OR_SUBJECT.match, following))


def _introduces(lines: list[str], number: int) -> int | None:
    """Where `On …, … wrote:` begins, if it ends in that line; programs cut it in two."""
    bare = lines[number].strip()
    if len(bare) > MOST_LINE or not _WROTE.search(bare[-30:]):
        return None
    if _BEGINS.match(bare) and any(map(str.isdigit, bare)):
        return number
    before = lines[number - 1].strip() if number else ""
    if len(before) <= MOST_LINE and _BEGINS.match(before) and any(map(str.isdigit, before)):
        return number - 1
    return None


def _next(lines: list[str], number: int) -> int | None:
    """The next line that is not empty, among the few that may follow."""
    return next(
        (n for n in range(number + 1, min(number + 4, len(lines))) if lines[n].strip()), None
    )


def _without_quotes(lines: list[str]) -> list[str]:
    """Without the lines that `>` marks, and the line that introduces them."""
    kept: list[str] = []
    for number, line in enumerate(lines):
        if not _QUOTED.match(line):
            kept.append(line)
            continue
        if number and _QUOTED.match(lines[number - 1]):
            continue
        while kept and not kept[-1].strip():
            kept.pop()
        if kept and (start := _introduces(kept, len(kept) - 1)) is not None:
            del kept[start:]
    return kept


def _without_signature(lines: list[str]) -> list[str]:
    """Without what follows `-- ` (RFC 3676, section 4.3), and the line that names a device."""
    kept = list(lines)
    while kept and not kept[-1].strip():
        kept.pop()
    for number in range(len(kept) - 1, max(-1, len(kept) - 2 - MOST_SIGNATURE_LINES), -1):
        if kept[number].rstrip() == "--":
            kept = kept[:number]
            break
    while kept and (not kept[-1].strip() or _DEVICE.fullmatch(kept[-1].strip())):
        kept.pop()
    return kept
