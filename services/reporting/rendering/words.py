"""The words of a printed report, Vietnamese and English; and texts that no reader can misread."""

import re
from enum import StrEnum

from shared.contracts.directory import Label


class Language(StrEnum):
    VIETNAMESE = "vi"
    ENGLISH = "en"


WORDS: dict[str, tuple[str, str]] = {
    "form": ("Biểu số: {}", "Form No. {}"),
    "own-form": ("Mẫu: {}", "Form: {}"),
    "reporting": ("Đơn vị báo cáo: {}", "Reporting unit: {}"),
    "from-to": (
        "Số liệu tính từ ngày {} đến ngày {}",
        "Figures from {} to {}",
    ),
    "internal": ("Bản nội bộ", "Internal edition"),
    "public": ("Bản công khai", "Public edition"),
    "revision": ("Lần công bố: {}", "Revision: {}"),
    "unit": ("Đơn vị", "Unit"),
    "own": ("{} (riêng đơn vị)", "{} (the unit itself)"),
    "total": ("Tổng số", "Total"),
    "note": ("Ghi chú", "Notes"),
    "source": ("Căn cứ: {}", "Form under: {}"),
    "withheld": (
        "Dấu “…”: không công bố, để không ai bị nhận ra: nhỏ hơn {}, hoặc làm lộ số nhỏ hơn {}.",
        "“…”: withheld, so that nobody is recognised: below {}, or giving away one below {}.",
    ),
    "withheld-plain": (
        "Dấu “…”: không công bố, để không ai bị nhận ra.",
        "“…”: withheld, so that nobody is recognised.",
    ),
    "withheld-short": ("không công bố", "withheld"),
    "in-flight": (
        "Khi khóa sổ còn {} sự kiện phát sinh trong kỳ chưa được tính.",
        "The period was closed while {} events from before its end were not counted yet.",
    ),
    "in-flight-again": (
        "Khi tổng hợp lại còn {} sự kiện chưa được tính, có thể thuộc kỳ này.",
        "When the period was counted again, {} events were not counted yet; some may belong to it.",
    ),
    "checked": ("Đã kiểm tra: {}", "Checked: {}"),
    "rules": (
        "Danh mục đơn vị: phiên bản {}; bộ quy tắc: phiên bản {}",
        "Directory: version {}; rulebook: version {}",
    ),
    "digest": ("Mã kiểm tra SHA-256: {}", "SHA-256 digest: {}"),
    "cite": (
        "Trích dẫn: {}, biểu {}, {}, {}, lần công bố {}",
        "Cite as: {}, form {}, {}, {}, revision {}",
    ),
    "own-cite": (
        "Trích dẫn: {}, mẫu {}, {}, {}, lần công bố {}",
        "Cite as: {}, form {}, {}, {}, revision {}",
    ),
    "replaces": (
        "Thay lần công bố {}; các số liệu thay đổi:",
        "Replaces revision {}; figures that changed:",
    ),
    "replaces-same": (
        "Thay lần công bố {}; không có số liệu nào thay đổi.",
        "Replaces revision {}; no figure changed.",
    ),
    "caused": (
        "Nguyên nhân: {} sự kiện đến sau hoặc được đính chính sau lần công bố trước.",
        "Causes: {} events that came, or were corrected, after the revision before.",
    ),
    "column": ("Cột", "Column"),
    "content": ("Nội dung", "Content"),
    "before": ("Trước", "Before"),
    "now": ("Nay", "Now"),
    "charts": ("Biểu đồ", "Charts"),
    "kinds": ("Đơn đủ điều kiện xử lý, theo nội dung", "Eligible letters, by content"),
    "outcomes": ("Kết quả giải quyết tố cáo", "Outcomes of denunciations"),
    "punctual": ("Ý kiến đã trả lời và chưa trả lời", "Opinions answered and open"),
    "trend": ("Diễn biến qua các kỳ: {}", "Over the periods: {}"),
    "year-before": ("So với cùng kỳ năm trước", "Against the same period of the year before"),
}
"""By what they are for: Vietnamese in official wording, then English."""

WITHHELD = "…"
"""Stands for a figure that is not said; never an empty cell, which is read as nought."""

_SPACES = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)


def word(key: str, language: Language, *values: object) -> str:
    """Raises `KeyError` for a word that is not in `WORDS`."""
    vietnamese, english = WORDS[key]
    return (vietnamese if language is Language.VIETNAMESE else english).format(*values)


def said(label: Label, language: Language) -> str:
    """In that language; in Vietnamese where nobody translated it."""
    english = label.en if language is Language.ENGLISH else None
    return plain(english or label.vi)


def plain(text: str) -> str:
    """One line that every format can carry; what cannot be seen, or turns others round, is shown.

    Line ends and tabulators become spaces. Control characters, which XML forbids, and marks of
    direction, which could make `12` read `21`, become U+FFFD.
    """
    return _UNSEEN.sub("\ufffd", _SPACES.sub(" ", text))


def figure(cell: int | None, language: Language) -> str:
    """With thousands set apart, as the language does."""
    if cell is None:
        return WITHHELD
    grouped = f"{cell:,}"
    return grouped.replace(",", ".") if language is Language.VIETNAMESE else grouped


def form_number(code: str) -> str:
    """As printed: `01/XLD` of `01-xld`, `S-124` of `s-124`."""
    printed = plain(code).upper()
    return re.sub(r"^(\d+)-", r"\1/", printed)


def days(first: object, last: object, language: Language) -> str:
    """`Số liệu tính từ ngày 15/12/2025 đến ngày 14/06/2026`, as the statutory forms write it."""
    written = "%d/%m/%Y" if language is Language.VIETNAMESE else "%d %B %Y"
    return word("from-to", language, format(first, written), format(last, written))
