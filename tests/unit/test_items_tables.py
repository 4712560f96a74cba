"""CSV in any code and XLSX by its values: read, or refused once; nothing costs too much."""

import json
import random
import unicodedata
import zipfile
from datetime import date, datetime, time
from functools import partial
from pathlib import Path

import openpyxl
import pytest

from deploy.items import tables, xlsx
from deploy.items.tables import sniffed
from tests.examples_items import (
    CALLS,
    HEADINGS,
    LETTERS,
    data,
    items,
    mapping_of,
    write_csv,
    write_xlsx,
)


@pytest.fixture
def mapped(tmp_path):
    return partial(mapping_of, tmp_path)


class TestCsv:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    def test_every_unicode_encoding_is_read(self, tmp_path, encoding):
        path = write_csv(tmp_path / "so.csv", [HEADINGS, *LETTERS], encoding=encoding)

        assert [data(i)["register_number"] for i in items(path)] == ["12/ĐT", "13/ĐT"]

    def test_windows_1258_is_read_and_flagged(self, tmp_path):
        text = "Số đơn,Ngày nhận,Nội dung\n12,05/01/2026,Tôi phản ánh cán bộ không đến cơ quan\n"
        path = tmp_path / "so.csv"
        path.write_bytes(_windows_1258(text))

        [letter] = items(path)

        assert data(letter)["summary"] == "Tôi phản ánh cán bộ không đến cơ quan"
        assert "charset-guessed" in letter.flags

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_the_delimiter_is_found(self, tmp_path, delimiter):
        rows = [HEADINGS, *([n, d, f"{s}, và, rồi; thế", *o] for n, d, s, *o in LETTERS)]
        path = write_csv(tmp_path / "so.csv", rows, delimiter)

        assert [i.fate for i in items(path)] == [None, None]
        assert sniffed(path.read_text()) == delimiter

    def test_a_line_break_in_a_quoted_cell_is_no_new_row(self, tmp_path):
        rows = [HEADINGS, ["14", "05/01/2026", "dòng một\r\ndòng hai\nba", "", ""], LETTERS[0]]

        first, second = items(write_csv(tmp_path / "so.csv", rows))

        assert data(first)["summary"] == "dòng một\r\ndòng hai\nba"
        assert second.path.endswith(":3")

    def test_an_open_quotation_mark_does_not_swallow_the_rest_in_silence(self, tmp_path):
        path = tmp_path / "so.csv"
        path.write_text(
            'Số đơn,Ngày nhận,Nội dung\n1,05/01/2026,x\n2,05/01/2026,"y\n3,05/01/2026,z\n'
        )

        first, broken = items(path)

        assert first.fate is None
        assert (broken.fate, broken.problems[0].rule) == ("refused", "open-quote")
        assert broken.path.endswith(":3")

    def test_too_many_columns_are_one_refusal(self, tmp_path):
        path = tmp_path / "so.csv"
        path.write_text(",".join(["x"] * 1_000_000))

        assert [i.problems[0].rule for i in items(path)] == ["too-many-columns"]

    def test_a_file_too_large_to_hold_is_one_refusal(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tables, "MOST_BYTES", 100)
        path = write_csv(tmp_path / "so.csv", [HEADINGS, *LETTERS])

        assert [i.problems[0].rule for i in items(path)] == ["too-large"]

    def test_rows_beyond_count_are_one_refusal_behind_the_others(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tables, "MOST_ROWS", 2)

        first, refused = items(write_csv(tmp_path / "so.csv", [HEADINGS, *LETTERS]))

        assert first.fate is None
        assert (refused.problems[0].rule, refused.problems[0].row) == ("too-many-rows", 3)

    def test_an_archive_under_the_name_of_a_csv_is_one_refusal(self, tmp_path):
        path = write_xlsx(tmp_path / "so.xlsx", [HEADINGS]).rename(tmp_path / "so.csv")

        assert [i.problems[0].rule for i in items(path)] == ["not-csv"]

    def test_any_bytes_are_refused_or_read_and_never_raise(self, tmp_path):
        draw = random.Random(7)
        path = tmp_path / "so.csv"
        for _ in range(60):
            path.write_bytes(draw.randbytes(draw.randrange(400)))

            assert all(i.fate == "refused" for i in items(path))


class TestXlsx:
    def test_cells_read_as_people_see_them(self, tmp_path):
        rows = [
            HEADINGS,
            [14.0, datetime.fromisoformat("2026-01-05T08:30"), "Nội dung", None, "tố cáo"],
        ]

        [letter] = items(write_xlsx(tmp_path / "so.xlsx", rows))

        assert data(letter)["register_number"] == "14"
        assert json.loads(letter.body)["time"] == "2026-01-05T08:30:00+07:00"

    def test_a_whole_number_has_no_fraction(self, tmp_path):
        rows = [HEADINGS, [77, date(2026, 1, 5), "x"]]
        path = _rezipped(tmp_path, lambda xml: xml.replace(b">77<", b">7.7E1<"), rows)

        assert data(items(path)[0])["register_number"] == "77"

    def test_a_formula_is_not_evaluated(self, tmp_path):
        rows = [HEADINGS, ["=1+1", date(2026, 1, 5), "x"]]

        [refused] = items(write_xlsx(tmp_path / "so.xlsx", rows))

        assert [p.column for p in refused.problems] == ["Số đơn"]

    def test_a_sheet_may_be_named(self, mapped, tmp_path):
        path = write_xlsx(tmp_path / "so.xlsx", [["trang bìa"]], "Bìa")
        book = openpyxl.load_workbook(path)
        sheet = book.create_sheet("Nhật ký")
        sheet.append(["Mã cuộc gọi", "Ngày", "Giờ", "Nội dung", "Số máy"])
        sheet.append(["1", date(2026, 1, 5), time(8, 30), "x", None])
        book.save(path)

        [call] = items(path, mapped(CALLS + "sheet: nhật ký\n"))

        assert json.loads(call.body)["time"] == "2026-01-05T08:30:00+07:00"

    def test_a_sheet_that_is_not_there_is_one_refusal(self, mapped, tmp_path):
        path = write_xlsx(tmp_path / "so.xlsx", [HEADINGS])

        [refused] = items(path, mapped(CALLS + "sheet: khác\n"))

        assert refused.problems[0].rule == "no-sheet"

    @pytest.mark.parametrize(
        "content", [b"", b"PK\x03\x04", b"khong phai xlsx" * 99, b"\xd0\xcf\x11\xe0"]
    )
    def test_a_file_that_is_none_is_one_refusal(self, tmp_path, content):
        path = tmp_path / "so.xlsx"
        path.write_bytes(content)

        assert [(i.fate, i.problems[0].rule) for i in items(path)] == [("refused", "not-xlsx")]

    def test_a_broken_file_is_one_refusal_at_most_and_never_raises(self, tmp_path):
        whole = write_xlsx(tmp_path / "so.xlsx", [HEADINGS, *LETTERS]).read_bytes()
        draw = random.Random(7)
        path = tmp_path / "so.xlsx"
        for _ in range(80):
            broken = bytearray(whole[: draw.randrange(1, len(whole) + 1)])
            for _ in range(draw.randrange(6)):
                broken[draw.randrange(len(broken))] = draw.randrange(256)
            path.write_bytes(broken)

            assert sum("xlsx" in i.problems[0].rule for i in items(path) if i.problems) <= 1

    @pytest.mark.filterwarnings("ignore:File contains an invalid specification")
    def test_parts_that_make_no_sense_never_raise(self, tmp_path):
        draw = random.Random(7)

        def spoilt(xml: bytes) -> bytes:
            broken = bytearray(xml)
            for _ in range(draw.randrange(3)):
                broken[draw.randrange(len(broken))] = draw.choice(b'0A<>"/ ')
            return bytes(broken)

        for _ in range(120):
            found = items(_rezipped(tmp_path, spoilt, parts=""))

            assert sum("xlsx" in i.problems[0].rule for i in found if i.problems) <= 1

    def test_a_zip_bomb_is_not_unpacked(self, tmp_path, monkeypatch):
        monkeypatch.setattr(xlsx, "MOST_UNPACKED", 1_000_000)
        path = _rezipped(tmp_path, lambda _xml: b" " * 1_000_000)

        assert [i.problems[0].rule for i in items(path)] == ["too-large"]

    def test_a_row_of_a_million_columns_is_one_refusal(self, tmp_path):
        path = _rezipped(
            tmp_path, lambda xml: _with_rows(xml, b"<row>" + b"<c/>" * 1_000_000 + b"</row>")
        )

        assert [i.problems[0].rule for i in items(path)] == ["too-many-columns"]

    def test_empty_rows_beyond_count_are_one_refusal(self, tmp_path, monkeypatch):
        monkeypatch.setattr(xlsx, "MOST_ELEMENTS", 1_000)
        path = _rezipped(tmp_path, lambda xml: _with_rows(xml, b"<row/>" * 1_001))

        assert [i.problems[0].rule for i in items(path)] == ["too-large"]

    def test_elements_within_elements_are_one_refusal(self, tmp_path):
        path = _rezipped(tmp_path, lambda xml: _with_rows(xml, b"<a>" * 500 + b"</a>" * 500))

        assert [i.problems[0].rule for i in items(path)] == ["too-large"]

    def test_parts_beyond_count_are_one_refusal(self, tmp_path, monkeypatch):
        monkeypatch.setattr(xlsx, "MOST_PARTS", 3)
        path = write_xlsx(tmp_path / "so.xlsx", [HEADINGS])

        assert [i.problems[0].rule for i in items(path)] == ["too-large"]

    def test_a_row_beyond_the_last_that_a_spreadsheet_has_is_one_refusal(self, tmp_path):
        row = b'<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>'
        path = _rezipped(tmp_path, lambda xml: _with_rows(xml, row))

        assert [i.problems[0].rule for i in items(path, mapping=None)] == ["no-headings"]

    def test_entities_are_not_expanded(self, tmp_path):
        bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'
        path = _rezipped(tmp_path, lambda _xml: bomb)

        [refused] = items(path)

        assert "entities" in refused.problems[0].advice


def _rezipped(folder: Path, change, rows=(HEADINGS, *LETTERS), parts="worksheets/") -> Path:
    """A good XLSX whose parts of that name are others."""
    good = write_xlsx(folder / "good.xlsx", rows)
    path = folder / "so.xlsx"
    with (
        zipfile.ZipFile(good) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, change(content) if parts in name else content)
    return path


def _with_rows(xml: bytes, rows: bytes) -> bytes:
    head, _, rest = xml.partition(b"<sheetData>")
    return head + b"<sheetData>" + rows + b"</sheetData>" + rest.partition(b"</sheetData>")[2]


def _windows_1258(text: str) -> bytes:
    """A vowel, then its tone as a letter of its own, as Windows writes it."""
    out = bytearray()
    for letter in unicodedata.normalize("NFC", text):
        try:
            out += letter.encode("cp1258")
        except UnicodeEncodeError:
            bare = unicodedata.normalize("NFD", letter)
            tone = next(c for c in bare if c in "\u0300\u0301\u0303\u0309\u0323")
            rest = unicodedata.normalize("NFC", bare.replace(tone, ""))
            out += (rest + tone).encode("cp1258")
    return bytes(out)
