"""A mapping file says what the rows of a table become."""

import json
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from deploy import sample
from deploy.items import read_mapping
from deploy.rules import Invalid
from tests.examples_items import CALLS, data, items, mapping_of, write_csv, write_xlsx

FOLDER = Path(sample.__file__).parent / "mapping"
ROWS = {
    "telephone-log": {"Số": 12, "Ngày": "05/01/2026", "Giờ": "08:30", "Loại": "Phản ánh"},
    "paper-box": {"Số thứ tự": 3, "Ngày mở hòm": "05/01/2026", "Người gửi": "Nặc danh"},
    "dialogues": {
        "Ngày": "05/01/2026", "Người chủ trì": "Chủ tịch UBND tỉnh", "Số người dự": 90,
        "Ý kiến nhận": 12, "Ý kiến tiếp thu": 9,
    },
}  # fmt: skip


@pytest.fixture
def mapped(tmp_path):
    return partial(mapping_of, tmp_path)


class TestAMapping:
    def test_columns_joined_tell_the_moment(self, mapped, tmp_path):
        rows = [
            ["Mã cuộc gọi", "Ngày", "Giờ", "Nội dung", "Số máy"],
            ["170.5", "05/01/2026", "08:30", "Hỏi thủ tục", "0900 000 000"],
        ]

        [call] = items(write_csv(tmp_path / "b.csv", rows), mapped(CALLS))

        assert json.loads(call.body)["time"] == "2026-01-05T08:30:00+07:00"
        assert data(call) == {
            "call": "170.5",
            "note": "Hỏi thủ tục",
            "reporter": {"phone": "0900 000 000"},
        }

    def test_an_activity_happens_on_its_day(self, mapped, tmp_path):
        mapping = mapped(
            "type: supervision.recorded.v1\n"
            "fields: {held: Ngày, mode: Hình thức, form: Loại, body: Cơ quan}\n"
            "values:\n  mode: {Trực tiếp: direct, Gián tiếp: indirect}\n"
            "  body: {Mặt trận: b-mttq}\n  form: {Đoàn giám sát: team}\n"
        )
        rows = [
            ["Ngày", "Hình thức", "Loại", "Cơ quan"],
            ["5/1/2026", "TRỰC TIẾP", "đoàn giám sát", "Mặt  trận"],
        ]

        [activity] = items(write_csv(tmp_path / "b.csv", rows), mapping)

        assert activity.problems == ()
        assert data(activity) == {
            "held": "2026-01-05", "mode": "direct", "form": "team", "body": "b-mttq"
        }  # fmt: skip

    def test_a_dialogue_counts_in_whole_numbers(self, mapped, tmp_path):
        mapping = mapped(
            "type: dialogue.held.v1\n"
            "fields: {held: Ngày, participants: Dự, opinions_received: Nhận}\n"
            "constants: {opinions_accepted: 0}\n"
        )
        rows = [["Ngày", "Dự", "Nhận"], [date(2026, 1, 5), 120.0, 7]]

        [dialogue] = items(write_xlsx(tmp_path / "b.xlsx", rows), mapping)

        assert dialogue.fate is None
        assert data(dialogue)["participants"] == "120"

    def test_a_form_may_be_read_from_a_table(self, mapped, tmp_path):
        mapping = mapped(
            "type: form.submitted.v1\nfields: {time: created, text: [type, descriptor]}\n"
            "dates: ['%m/%d/%Y %I:%M:%S %p']\nzone: America/New_York\n"
        )
        rows = [["created", "type", "descriptor"], ["01/31/2026 09:00:00 PM", "Noise", "loud"]]

        [form] = items(write_csv(tmp_path / "b.csv", rows), mapping)

        assert json.loads(form.body)["time"] == "2026-01-31T21:00:00-05:00"
        assert data(form) == {"text": "Noise loud"}

    def test_a_column_that_the_table_lacks_is_named(self, mapped, tmp_path):
        [refused] = items(
            write_csv(tmp_path / "b.csv", [["Ngày", "Giờ", "Nội dung"]]), mapped(CALLS)
        )

        assert "“Mã cuộc gọi”, “Số máy”" in str(refused.problems[0])

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (("note:", "notes:"), "no field 'notes'"),
            (("time: [Ngày, Giờ]", "caller: Máy"), "no column feeds `time`"),
            (("key: [Mã cuộc gọi]", "key: [số máy]"), "ids are seen"),
            (("key: [Mã cuộc gọi]", "zone: Asia/Atlantis"), "no time zone"),
            (("hotline-call.logged", "channel.published"), "type"),
            (("note: Nội dung", "recording: Tệp"), "no field 'recording'"),
        ],
    )
    def test_a_mistake_in_it_is_said(self, mapped, change, said):
        with pytest.raises(Invalid) as caught:
            mapped(CALLS.replace(*change))

        assert any(said in line for line in caught.value.lines)


class TestTheSampleMappings:
    @pytest.mark.parametrize("name", ROWS)
    def test_each_reads_a_row_of_its_kind(self, tmp_path, name):
        mapping = read_mapping(FOLDER / f"{name}.yaml")
        columns = {c for cs in mapping.columns.values() for c in cs}
        row = dict.fromkeys(columns - {"Nội dung"}, "") | ROWS[name]
        row |= {"Nội dung": "Hỏi"} if "Nội dung" in columns else {}

        [item] = items(write_csv(tmp_path / "a.csv", [list(row), list(row.values())]), mapping)

        assert item.problems == ()

    def test_none_is_left_out(self):
        assert {path.stem for path in FOLDER.iterdir()} == ROWS.keys()
