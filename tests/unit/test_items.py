"""Files to items: registers, telephone logs and exchanges' records."""

import json
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from deploy.items import Reader, UnknownAgency
from deploy.items.tables import csv_rows, csv_text
from tests.examples_items import (
    AGENCY,
    CALLS,
    HEADINGS,
    LETTERS,
    NOW,
    data,
    ids,
    items,
    mapping_of,
    write_csv,
    write_xlsx,
)


@pytest.fixture
def mapped(tmp_path):
    return partial(mapping_of, tmp_path)


@pytest.fixture
def register(tmp_path):
    return write_csv(tmp_path / "so.csv", [HEADINGS, *LETTERS])


class TestARegisterOfLetters:
    def test_a_row_becomes_a_registered_letter(self, register):
        first, _ = items(register)

        assert first.type == "letter.registered.v1"
        assert first.fate is None
        assert data(first) == {
            "register_number": "12/ĐT",
            "summary": "Tố cáo Trưởng phòng vắng mặt",
            "reporter": {"name": "Nguyễn Văn A"},
            "kind": "denunciation",
            "signatures": 1,
        }

    def test_a_day_begins_where_the_register_is_kept(self, register):
        assert json.loads(items(register)[0].body)["time"] == "2026-01-05T00:00:00+07:00"

    def test_who_is_registered_as_nobody_has_no_name(self, register):
        _, second = items(register)

        assert "reporter" not in data(second)
        assert data(second)["signatures"] == 0

    def test_signatures_told_by_a_name_are_flagged(self, register):
        assert items(register)[0].flags == ("signatures-by-name",)

    def test_headings_are_known_however_they_are_written(self, tmp_path):
        headings = ["SỐ  ĐƠN", "ngày nhận", "Nội\ndung"]
        path = write_csv(tmp_path / "so.csv", [headings, ["1", "2026-01-05", "Kính gửi"]])

        assert [i.fate for i in items(path)] == [None]

    def test_english_headings_are_known(self, tmp_path):
        rows = [["Register number", "Date received", "Summary"], ["1", "2026-01-05", "x"]]

        [letter] = items(write_csv(tmp_path / "so.csv", rows))

        assert data(letter)["register_number"] == "1"

    def test_a_title_above_the_headings_is_passed(self, tmp_path):
        rows = [["SỔ THEO DÕI ĐƠN THƯ"], ["Năm 2026"], [], HEADINGS, *LETTERS]

        found = items(write_csv(tmp_path / "so.csv", rows))

        assert [Path(i.path).name for i in found] == ["so.csv:5", "so.csv:6"]

    def test_a_table_without_the_headings_says_which_are_needed(self, tmp_path):
        [refused] = items(write_csv(tmp_path / "so.csv", [["a", "b"], ["1", "2"]]))

        assert refused.fate == "refused"
        assert "Số đơn" in str(refused.problems[0])

    def test_a_row_that_cannot_be_read_is_refused_by_row_and_column(self, tmp_path):
        rows = [HEADINGS, ["14", "hôm qua", "x", "", ""], *LETTERS]

        first, *others = items(write_csv(tmp_path / "so.csv", rows))

        [problem] = first.problems
        assert (first.fate, problem.row, problem.column) == ("refused", 2, "Ngày nhận")
        assert [i.fate for i in others] == [None, None]

    def test_what_intake_would_refuse_is_told_by_its_column(self, tmp_path):
        rows = [HEADINGS, ["14", "05/01/2026", "x", "", "Đơn lạ"]]

        [refused] = items(write_csv(tmp_path / "so.csv", rows))

        [problem] = refused.problems
        assert (problem.rule, problem.column, problem.field) == ("enum", "Loại đơn", "/data/kind")

    def test_a_refusal_never_quotes_the_cell(self, tmp_path):
        rows = [HEADINGS, ["14", "Nguyễn Thị B", "x", "", "Nguyễn Thị B"]]

        [refused] = items(write_csv(tmp_path / "so.csv", rows))

        assert refused.problems
        assert "Nguyễn" not in " ".join(map(str, refused.problems))

    def test_a_row_with_a_cell_too_many_is_refused(self, tmp_path):
        rows = [HEADINGS, [*LETTERS[0], "tràn"]]

        [refused] = items(write_csv(tmp_path / "so.csv", rows))

        assert [p.rule for p in refused.problems] == ["too-many-cells"]

    def test_blank_rows_are_no_items(self, tmp_path):
        rows = [HEADINGS, LETTERS[0], ["", "", " ", "", ""], [], LETTERS[1]]

        assert len(items(write_csv(tmp_path / "so.csv", rows))) == 2

    def test_whose_it_is_must_be_known(self, register):
        with pytest.raises(UnknownAgency):
            items(register, agency=None)


class TestTheIdOfARow:
    def test_sorting_a_file_changes_none(self, register, tmp_path):
        turned = write_csv(tmp_path / "b.csv", [HEADINGS, *reversed(LETTERS)])

        assert set(ids(items(turned))) == set(ids(items(register)))

    def test_adding_rows_changes_none(self, register, tmp_path):
        more = write_csv(tmp_path / "b.csv", [HEADINGS, ["9", "01/01/2026", "x", "", ""], *LETTERS])

        assert set(ids(items(register))) < set(ids(items(more)))

    def test_a_spreadsheet_has_the_same_as_its_export(self, register, tmp_path):
        rows = [[n, datetime.strptime(d, "%d/%m/%Y").date(), *rest] for n, d, *rest in LETTERS]  # noqa: DTZ007

        assert ids(items(write_xlsx(tmp_path / "a.xlsx", [HEADINGS, *rows]))) == ids(
            items(register)
        )

    def test_it_is_each_agencys_own(self, register):
        assert not set(ids(items(register))) & set(ids(items(register, agency="a-tinh")))

    def test_without_a_key_the_whole_row_names_it(self, mapped, tmp_path):
        mapping = mapped(CALLS.replace("key: [Mã cuộc gọi]", ""))
        headings = ["Mã cuộc gọi", "Ngày", "Giờ", "Nội dung", "Số máy", "Ghi chú", "Ghi chú"]
        row = ["1", "05/01/2026", "08:30", "Hỏi thủ tục", "", "a", "b"]
        rows = [headings, row, [*row[:6], "c"], [*row[:5], "c", "b"], row]

        *different, again = ids(items(write_csv(tmp_path / "b.csv", rows), mapping))

        assert len(set(different)) == 3
        assert again == different[0]

    def test_moving_a_column_changes_none(self, mapped, tmp_path):
        mapping = mapped(CALLS.replace("key: [Mã cuộc gọi]", ""))
        rows = [
            ["Mã cuộc gọi", "Ngày", "Giờ", "Nội dung", "Số máy"],
            ["1", "05/01/2026", "08:30", "Hỏi thủ tục", "0900"],
        ]
        moved = [list(reversed(row)) for row in rows]

        first = ids(items(write_csv(tmp_path / "a.csv", rows), mapping))
        second = ids(items(write_csv(tmp_path / "b.csv", moved), mapping))

        assert first == second

    def test_a_row_with_an_empty_key_is_named_by_all_of_it(self, mapped, tmp_path):
        rows = [
            ["Mã cuộc gọi", "Ngày", "Giờ", "Nội dung"],
            ["", "05/01/2026", "08:30", "Hỏi thủ tục"],
            ["", "06/01/2026", "08:30", "Hỏi thủ tục"],
        ]
        mapping = mapped(
            "type: hotline-call.logged.v1\n"
            "fields: {call: Mã cuộc gọi, time: [Ngày, Giờ], note: Nội dung}\n"
            "constants: {call: không có}\nkey: [Mã cuộc gọi]\n"
        )

        found = items(write_csv(tmp_path / "b.csv", rows), mapping)

        assert [i.fate for i in found] == [None, None]
        assert len(set(ids(found))) == 2


class TestWhatAFileIs:
    def test_the_text_of_a_csv_keeps_no_nul(self, tmp_path):
        path = tmp_path / "so.csv"
        path.write_bytes(b"a,b\x00\n1,2\n")

        assert [row.cells for row in csv_rows(csv_text(path).text)] == [
            ("a", "b\ufffd"),
            ("1", "2"),
        ]

    def test_a_folders_other_files_are_passed_over_by_name(self, tmp_path):
        for name in ("a.json", "b.yaml", "c.txt"):
            (tmp_path / name).write_text("{}")
        reader = Reader([], AGENCY, NOW)

        assert list(reader.items(tmp_path)) == []
        assert [p.name for p in reader.passed_over] == ["a.json", "b.yaml", "c.txt"]

    def test_a_named_file_without_calls_is_refused(self, tmp_path):
        path = tmp_path / "a.yaml"
        path.write_text("noi: dung\n")

        assert [i.problems[0].rule for i in items(path)] == ["not-recognised"]

    def test_a_text_that_begins_as_no_mail_is_refused(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_text("81050000, x, 88\n")

        assert [i.problems[0].rule for i in items(path)] == ["not-recognised"]

    @pytest.mark.parametrize("content", ["Subject: x\n\ny", "From a@b Mon Jan  5 2026\nX: y\n"])
    def test_a_named_file_that_begins_as_a_mail_is_one(self, tmp_path, content):
        path = tmp_path / "1767576600.M1P2.mail"
        path.write_text(content)

        assert [i.fate for i in items(path)] == [None]

    def test_a_mapping_makes_every_csv_a_table(self, mapped, tmp_path):
        path = tmp_path / "cdr.csv"
        path.write_text("dcontext,dstchannel,lastapp,billsec\n")

        assert [i.problems[0].rule for i in items(path, mapped(CALLS))] == ["no-headings"]

    def test_without_a_directory_an_event_says_whose_it_is(self, tmp_path):
        path = tmp_path / "a.jsonl"
        path.write_text('{"source": "/agencies/a-tinh"}\n{"source": "/agencies/A B"}\n{}\n')
        reader = Reader([], None, NOW, otherwise="agency")

        assert [i.agency for i in reader.items(path)] == ["a-tinh", "agency", "agency"]
