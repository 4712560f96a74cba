"""Every format of a report says the same, in every cell, and nothing in it is ever executed."""

import io
import json
import re
from zipfile import ZipFile

import pytest
from hypothesis import given, settings

from services.reporting.rendering import Format, Language, render, sheet_of
from services.reporting.rendering.spreadsheets import harmless
from shared.contracts import ReportPublished
from shared.contracts.directory import Label
from shared.contracts.report import Cause, Column
from tests.examples_rendering import (
    EXAMPLES,
    HOSTILE,
    any_report,
    content,
    named,
    public,
    report,
    second,
)
from tests.readers_rendering import bare, figure_of, read_csv, read_html, read_xlsx

VI, EN = Language


def rows_of(sheet):
    return [(line.name, line.cells) for line in sheet.all_lines]


def heads_of(sheet):
    return {(h.text, h.row, h.column, h.rows, h.columns) for h in sheet.heads}


def assert_all_formats_say(of: ReportPublished, language: Language) -> None:
    sheet = sheet_of(of, language)

    header, *lines = read_csv(content(of, Format.CSV, language))
    assert [bare(code) for code in header] == ["unit", "name", *sheet.codes]
    *units, total = [(bare(line[1]), tuple(map(figure_of, line[2:]))) for line in lines]
    assert [*units, (sheet.total.name, total[1])] == rows_of(sheet)
    assert [line[0] for line in lines] == [*(line.unit for line in sheet.lines), "total"]

    book = read_xlsx(content(of, Format.XLSX, language), len(sheet.codes), sheet.depth)
    page = read_html(content(of, Format.HTML, language)).read
    for read in (book, page):
        assert read.rows == rows_of(sheet)
        assert read.heads == heads_of(sheet)
        for note in (*sheet.notes, sheet.period, sheet.days, sheet.unit, *sheet.numbers):
            assert note in read.texts or not note

    assert ReportPublished.model_validate_json(content(of, Format.JSON, language)) == of


class TestAllFormats:
    @pytest.mark.parametrize("language", Language)
    @pytest.mark.parametrize("of", EXAMPLES, ids=lambda r: f"{r.form}-{r.edition}-r{r.revision}")
    def test_say_the_same(self, of, language):
        assert_all_formats_say(of, language)

    @settings(max_examples=150, deadline=None)
    @given(any_report())
    def test_say_the_same_of_any_report(self, of):
        assert_all_formats_say(of, EN)

    @pytest.mark.parametrize("text", HOSTILE)
    def test_say_a_hostile_name_as_it_is(self, text):
        assert_all_formats_say(named(text), VI)

    @pytest.mark.parametrize("format_", Format)
    def test_are_the_same_bytes_each_time(self, format_):
        first, again = (render(second(), format_, VI, [report(year=2025)]) for _ in range(2))

        assert first == again

    @pytest.mark.parametrize("format_", Format)
    def test_have_a_name_and_a_media_type(self, format_):
        _, media_type, name = render(public(), format_, EN)

        assert name == f"01-xld.tinh.2026-h1.r1.public.en.{format_}"
        assert "/" in media_type

    def test_keep_the_name_that_an_export_always_had(self):
        assert render(report(), Format.CSV)[2] == "01-xld.tinh.2026-h1.r1.csv"


class TestSheet:
    def test_stands_as_the_statutory_form_does(self):
        sheet = sheet_of(report())

        assert sheet.number == "Biểu số: 01/XLD"
        assert sheet.days == "Số liệu tính từ ngày 15/12/2025 đến ngày 14/06/2026"
        assert sheet.numbers == tuple(f"({n})" for n in range(1, 27))
        assert sheet.depth == 2

    def test_merges_what_shares_a_heading(self):
        heads = heads_of(sheet_of(report()))

        assert ("Đơn vị", 0, 0, 2, 1) in heads
        assert ("Tổng số đơn", 0, 1, 2, 1) in heads
        assert ("Phân loại đơn theo nội dung", 0, 11, 1, 3) in heads
        assert ("Tố cáo", 1, 12, 1, 1) in heads

    def test_reads_the_path_of_a_column_that_has_one(self):
        class Nested(Column):
            path: tuple[Label, ...] = ()

        def nested(code, *path):
            labels = tuple(Label(vi=each) for each in path)
            return Nested(code=code, label=Label(vi=": ".join(path)), path=labels)

        columns = (nested("1", "A", "B", "c"), nested("2", "A", "B", "d"), nested("3", "A", "e"))
        of = report().model_copy(update={"columns": columns})

        assert heads_of(sheet_of(of)) == {
            ("Đơn vị", 0, 0, 3, 1),
            ("A", 0, 1, 1, 3),
            ("B", 1, 1, 1, 2),
            ("e", 1, 3, 2, 1),
            ("c", 2, 1, 1, 1),
            ("d", 2, 2, 1, 1),
        }

    def test_leaves_a_colon_alone_that_no_neighbour_shares(self):
        heads = heads_of(sheet_of(report("s-124")))

        assert ("Trong số ý kiến chưa trả lời: đã quá hạn", 0, 17, 1, 1) in heads

    def test_numbers_columns_that_have_words_for_codes(self):
        sheet = sheet_of(report("s-124"))

        assert sheet.numbers[-1] == "(17)"
        assert any("(12) + (13) = (14) + (15) + (16)" in note for note in sheet.notes)

    def test_explains_what_is_withheld(self):
        assert "“…”" in sheet_of(public(k=10)).notes[0]
        assert "10" in sheet_of(public(k=10)).notes[0]
        assert not any("“…”" in note for note in sheet_of(report()).notes)

    def test_says_what_a_revision_changed(self):
        sheet = sheet_of(second(causes=[Cause(event="e", about="concluded")]))

        assert "Thay lần công bố 1" in sheet.replaces
        assert "1 sự kiện" in sheet.replaces
        assert [(d.unit, d.number, d.before, d.now) for d in sheet.differences] == [
            ("Sở Y tế", "(9)", 4, 7),
            ("Tổng số", "(9)", 41, 44),
            ("Tỉnh Vạn Xuân (riêng đơn vị)", "(10)", None, 12),
        ]

    def test_says_when_a_period_was_closed_too_early(self):
        assert any("2 sự kiện" in note for note in sheet_of(report(in_flight=2)).notes)

    def test_says_when_a_revision_may_lack_something(self):
        notes = sheet_of(report(in_flight=2, revision=2)).notes
        assert any("tổng hợp lại còn 2 sự kiện" in note for note in notes)

    def test_falls_back_to_vietnamese(self):
        title = Label(vi="Tổng hợp kết quả xử lý đơn")

        assert sheet_of(report(title=title), EN).title == title.vi


class TestHarmless:
    @pytest.mark.parametrize("text", HOSTILE[:29])
    def test_what_may_be_a_formula_gets_one_quote(self, text):
        assert harmless(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["Sở Y tế", "1", "a=1", "Xã An-Thái", "", " ", "{=1}", "…"])
    def test_anything_else_is_left_as_it_is(self, text):
        assert harmless(text) == text

    def test_csv_has_no_cell_that_begins_a_formula(self):
        for text in HOSTILE:
            for line in read_csv(content(named(text), Format.CSV)):
                assert not any(
                    re.match(r"[\s\u200b\ufeff]*[=+\-@＝＋－＠−]", cell) for cell in line
                )

    def test_xlsx_has_no_formula_and_leads_nowhere(self):
        for text in HOSTILE:
            with ZipFile(io.BytesIO(content(named(text), Format.XLSX))) as book:
                parts = {name: book.read(name).decode() for name in book.namelist()}
            assert not any(re.search(r"<f[ >/]", part) for part in parts.values())
            assert not any("TargetMode" in part for part in parts.values())
            assert not any("external" in name or "hyperlink" in name for name in parts)

    def test_xlsx_names_nobody_and_no_moment(self):
        with ZipFile(io.BytesIO(content(report(), Format.XLSX))) as book:
            core = book.read("docProps/core.xml").decode()
            assert {info.date_time[0] for info in book.infolist()} == {1980}

        assert "openpyxl" not in core
        assert "dcterms" not in re.sub(r"xmlns:\w+=\S+", "", core)


class TestXlsx:
    @pytest.mark.parametrize(("form", "size"), [("01-xld", "8"), ("s-124", "9")])
    def test_is_set_up_to_be_printed(self, form, size):
        with ZipFile(io.BytesIO(content(report(form), Format.XLSX))) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
            named_parts = book.read("xl/workbook.xml").decode()

        assert f'orientation="landscape" paperSize="{size}"' in sheet
        assert 'fitToHeight="0" fitToWidth="1"' in sheet
        assert 'state="frozen"' in sheet
        assert "_xlnm.Print_Titles" in named_parts


class TestHtml:
    @pytest.mark.parametrize("text", ["Sở Y tế", *HOSTILE])
    def test_runs_nothing_and_fetches_nothing(self, text):
        of = named(text)
        elements = read_html(content(of, Format.HTML)).elements

        assert {tag for tag, _ in elements} <= {
            *("html", "head", "meta", "title", "style", "body", "article", "header", "div", "p"),
            *("h1", "h2", "table", "caption", "colgroup", "col", "thead", "tbody", "tr", "th"),
            *("td", "abbr", "data", "section", "ul", "li"),
        }
        assert not any(
            name in {"src", "href", "style", "action"} or name.startswith("on")
            for _, attributes in elements
            for name in attributes
        )
        drawn = content(report(), Format.HTML).decode()
        assert not re.search(r"url\((?!#)|@import|https?:", drawn)

    @pytest.mark.parametrize("of", EXAMPLES[:4], ids=lambda r: f"{r.form}-{r.edition}")
    def test_each_cell_names_its_headings(self, of):
        elements = read_html(content(of, Format.HTML)).elements
        ids = [a["id"] for _, a in elements if "id" in a]
        cells = [a["headers"].split() for tag, a in elements if tag == "td" and "headers" in a]

        assert len(ids) == len(set(ids))
        assert len(cells) == (len(of.rows) + 1) * len(of.columns)
        assert all(set(named_by) <= set(ids) for named_by in cells)
        assert all(a["scope"] in {"row", "col", "colgroup"} for tag, a in elements if tag == "th")

    def test_is_in_the_language_that_it_says(self):
        assert '<html lang="en">' in content(report(), Format.HTML, EN).decode()


def test_json_is_the_report_word_for_word():
    of = public()

    assert json.loads(content(of, Format.JSON)) == of.model_dump(mode="json")


@pytest.mark.parametrize(
    ("identity", "printed"),
    [
        ("1 = 01-xld.20", "(1) = 01/XLD (20)"),
        ("4 <= s-124.open", "(4) ≤ s-124.open"),
        ("1 = .20", "(1) = .20"),
        ("1 = 2.", "(1) = 2."),
    ],
)
def test_a_column_of_another_form_is_named_as_it_is_printed(identity, printed):
    numbered = (Column(code="1", label=Label(vi="a")), Column(code="4", label=Label(vi="b")))
    of = named("x").model_copy(update={"columns": numbered, "identities": (identity,)})
    of = of.model_copy(update={"rows": (), "totals": (1, 2), "changes": ()})

    assert f"Đã kiểm tra: {printed}" in sheet_of(of, Language.VIETNAMESE).notes


@pytest.mark.parametrize(("form", "cited"), [("01-xld", "biểu 01/XLD"), ("s-124", "mẫu S-124")])
def test_a_form_is_cited_as_its_head_names_it(form, cited):
    sheet = sheet_of(report(form), Language.VIETNAMESE)

    [cite] = [note for note in sheet.notes if note.startswith("Trích dẫn")]
    assert cited in cite
    assert sheet.number.lower().replace("số: ", "").replace(":", "") == cited.lower()
