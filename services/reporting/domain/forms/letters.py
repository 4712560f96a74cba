"""Form 01/XLD: how letters were handled (Circular 01/2024/TT-TTCP).

Columns 9 to 26 count eligible letters only, and no duplicate that was joined to another case. A
letter is one case, and a part that was split from it is a letter of its own, so letters (9) and
cases (10) are the same number. Column 27 is a note, and no figure.
"""

from services.reporting.domain.forms.form import Column, Fact, Form, Sum, cases
from services.reporting.domain.forms.identity import Identity
from shared.contracts.directory import Label

_RECEIVED = ("Số đơn tiếp nhận trong kỳ", "Received in the period")
_CARRIED = ("Số đơn kỳ trước chuyển sang", "Carried over")
_ELIGIBLE = ("Đủ điều kiện xử lý", "Eligible")
_CONTENT = ("Phân loại đơn theo nội dung", "By content")
_STATE = ("Phân loại đơn theo tình trạng giải quyết", "By state")
_WITHIN = ("Kết quả xử lý đơn thuộc thẩm quyền", "Within competence")
_NOT_WITHIN = ("Kết quả xử lý đơn không thuộc thẩm quyền", "Not within competence")

_SEVERAL = ("Đơn có nhiều người đứng tên", "several signatures")
_ONE = ("Đơn có một người đứng tên", "one signature")
_OTHER = ("Đơn khác", "other")
_COMPLAINT = ("Khiếu nại", "complaints")
_DENUNCIATION = ("Tố cáo", "denunciations")
_PETITION = ("Kiến nghị, phản ánh", "petitions and reflections")


def _label(*parts: tuple[str, str]) -> Label:
    """`heading: column`, as the printed form stacks them."""
    return Label(vi=": ".join(vi for vi, _ in parts), en=": ".join(en for _, en in parts))


LETTERS = Form(
    code="01-xld",
    title=Label(vi="Tổng hợp kết quả xử lý đơn", en="Handling of letters"),
    citation="Biểu số 01/XLD, Thông tư số 01/2024/TT-TTCP của Thanh tra Chính phủ",
    columns=(
        Column("1", _label(("Tổng số đơn", "Letters, total")), Sum(("2", "3", "4", "5", "6", "7"))),
        Column("2", _label(_RECEIVED, _SEVERAL), cases(Fact.RECEIVED, Fact.SEVERAL_SIGNED)),
        Column("3", _label(_RECEIVED, _ONE), cases(Fact.RECEIVED, Fact.ONE_SIGNED)),
        Column("4", _label(_RECEIVED, _OTHER), cases(Fact.RECEIVED, Fact.OTHER_SIGNED)),
        Column("5", _label(_CARRIED, _SEVERAL), cases(Fact.CARRIED_OVER, Fact.SEVERAL_SIGNED)),
        Column("6", _label(_CARRIED, _ONE), cases(Fact.CARRIED_OVER, Fact.ONE_SIGNED)),
        Column("7", _label(_CARRIED, _OTHER), cases(Fact.CARRIED_OVER, Fact.OTHER_SIGNED)),
        Column("8", _label(("Số đơn đã xử lý", "Handled")), cases(Fact.HANDLED)),
        Column("9", _label(_ELIGIBLE, ("Số đơn", "letters")), cases(Fact.ELIGIBLE)),
        Column("10", _label(_ELIGIBLE, ("Số vụ việc", "cases")), cases(Fact.ELIGIBLE)),
        Column("11", _label(_CONTENT, _COMPLAINT), cases(Fact.ELIGIBLE, Fact.COMPLAINT)),
        Column("12", _label(_CONTENT, _DENUNCIATION), cases(Fact.ELIGIBLE, Fact.DENUNCIATION)),
        Column(
            "13", _label(_CONTENT, _PETITION), cases(Fact.ELIGIBLE, Fact.PETITION_OR_REFLECTION)
        ),
        Column(
            "14",
            _label(_STATE, ("Đã giải quyết lần đầu", "settled once")),
            cases(Fact.ELIGIBLE, Fact.SETTLED_ONCE),
        ),
        Column(
            "15",
            _label(_STATE, ("Đã giải quyết nhiều lần", "settled several times")),
            cases(Fact.ELIGIBLE, Fact.SETTLED_AGAIN),
        ),
        Column(
            "16",
            _label(_STATE, ("Đang giải quyết", "being settled")),
            cases(Fact.ELIGIBLE, Fact.BEING_SETTLED),
        ),
        Column(
            "17",
            _label(_STATE, ("Chưa giải quyết", "not settled")),
            cases(Fact.ELIGIBLE, Fact.NOT_SETTLED),
        ),
        Column(
            "18",
            _label(_WITHIN, ("Tổng số", "total")),
            cases(Fact.ELIGIBLE, Fact.WITHIN_COMPETENCE),
        ),
        Column(
            "19",
            _label(_WITHIN, _COMPLAINT),
            cases(Fact.ELIGIBLE, Fact.WITHIN_COMPETENCE, Fact.COMPLAINT),
        ),
        Column(
            "20",
            _label(_WITHIN, _DENUNCIATION),
            cases(Fact.ELIGIBLE, Fact.WITHIN_COMPETENCE, Fact.DENUNCIATION),
        ),
        Column(
            "21",
            _label(_WITHIN, _PETITION),
            cases(Fact.ELIGIBLE, Fact.WITHIN_COMPETENCE, Fact.PETITION_OR_REFLECTION),
        ),
        Column(
            "22",
            _label(_NOT_WITHIN, ("Tổng số", "total")),
            cases(Fact.ELIGIBLE, Fact.NOT_WITHIN_COMPETENCE),
        ),
        Column(
            "23",
            _label(_NOT_WITHIN, ("Hướng dẫn", "sender guided")),
            cases(Fact.ELIGIBLE, Fact.GUIDED),
        ),
        Column(
            "24",
            _label(_NOT_WITHIN, ("Chuyển đơn", "forwarded")),
            cases(Fact.ELIGIBLE, Fact.FORWARDED),
        ),
        Column(
            "25",
            _label(_NOT_WITHIN, ("Đôn đốc giải quyết", "urged to settle")),
            cases(Fact.ELIGIBLE, Fact.URGED),
        ),
        Column(
            "26",
            _label(("Số văn bản phúc đáp nhận được do chuyển đơn", "Replies to forwarded letters")),
            cases(Fact.ELIGIBLE, Fact.FORWARDED, Fact.ANSWERED),
        ),
    ),
    identities=(
        Identity.parse("1 = 2 + 3 + 4 + 5 + 6 + 7"),
        Identity.parse("8 <= 1"),
        Identity.parse("9 = 11 + 12 + 13 = 14 + 15 + 16 + 17 = 18 + 22"),
        Identity.parse("10 <= 9 <= 1"),
        Identity.parse("18 = 19 + 20 + 21"),
        Identity.parse("22 = 23 + 24 + 25"),
        Identity.parse("26 <= 24"),
    ),
)
