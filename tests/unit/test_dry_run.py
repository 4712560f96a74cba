"""What would become of each item, said before anything is sent."""

import json
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from deploy.dry_run import in_words, rows
from deploy.items import Item, Reader
from deploy.rules import RULE_FILES, read_rules
from deploy.sample.compose import HERE
from tests.examples_items import AGENCY, HEADINGS, LETTERS, NOW, write_csv


def told(*paths: Path, agency: str | None = AGENCY, now: datetime = NOW):
    reader = Reader([], agency, now, otherwise="agency")
    return list(rows((item for path in paths for item in reader.items(path)), now))


def mail(subject="Phản ánh", text="Cán bộ vắng mặt", message_id="<1@example.vn>") -> bytes:
    message = EmailMessage()
    message["From"] = "Nguyễn Văn A <A@example.vn>"
    message["Date"] = "Mon, 05 Jan 2026 08:30:00 +0700"
    message["Subject"], message["Message-ID"] = subject, message_id
    message.set_content(text)
    message.add_attachment(b"abc", maintype="image", subtype="png", filename="ảnh.png")
    return message.as_bytes()


def event(kind="hotline-call.logged.v1", **changed):
    data = changed.pop("data", {"call": "170.5", "note": "Hỏi", "caller": "0900"})
    whole = {
        "specversion": "1.0",
        "id": "1",
        "source": f"/agencies/{AGENCY}",
        "type": kind,
        "time": "2026-01-05T08:30:00+07:00",
        "data": data,
    }
    return whole | changed


def feed(folder: Path, *events) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(e) + "\n" for e in events))
    return path


class TestAMail:
    @pytest.fixture
    def row(self, tmp_path):
        (tmp_path / "a.eml").write_bytes(mail())
        [row] = told(tmp_path)
        return row

    def test_it_is_shown_as_intake_reads_it(self, row, tmp_path):
        assert row == {
            "path": str(tmp_path / "a.eml"),
            "fate": "would-keep",
            "channel": "mailbox",
            "from": "a@example.vn",
            "subject": "Phản ánh",
            "message_id": "<1@example.vn>",
            "date": "2026-01-05T01:30:00Z",
            "text": "Cán bộ vắng mặt\n",
            "attachments": [
                {
                    "name": "ảnh.png",
                    "type": "image/png",
                    "size": 3,
                    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                }
            ],
            "call": None,
            "flags": [],
            "problems": [],
        }

    def test_at_most_400_characters_are_shown(self, tmp_path):
        (tmp_path / "a.eml").write_bytes(mail(text="ơ" * 500))

        assert told(tmp_path)[0]["text"] == "ơ" * 400

    def test_the_same_mail_by_another_way_is_a_duplicate(self, tmp_path):
        (tmp_path / "a.eml").write_bytes(mail())
        (tmp_path / "b.eml").write_bytes(b"Received: from x\r\n" + mail())

        assert [row["fate"] for row in told(tmp_path)] == ["would-keep", "duplicate"]

    def test_the_same_id_with_other_words_is_another_mail(self, tmp_path):
        (tmp_path / "a.eml").write_bytes(mail())
        (tmp_path / "b.eml").write_bytes(mail(text="Việc khác"))

        assert [row["fate"] for row in told(tmp_path)] == ["would-keep", "would-keep"]

    def test_a_file_name_that_is_no_text_is_shown_all_the_same(self):
        item = Item("a\udcff.eml", AGENCY, "mailbox-message.arrived.v1", b"{}")

        [row] = rows([item], NOW)

        assert row["path"] == "a?.eml"


class TestAnEvent:
    def test_a_call_is_shown_with_its_times(self, tmp_path):
        data = {"call": "170.5", "note": "Hỏi", "caller": "0900", "ended": "2026-01-05T02:00:00Z"}

        [row] = told(feed(tmp_path, event(data=data)))

        assert (row["channel"], row["from"], row["text"]) == ("hotline", "0900", "Hỏi")
        assert row["call"] == {
            "linkedid": "170.5",
            "started": "2026-01-05T01:30:00+00:00",
            "answered": None,
            "ended": "2026-01-05T02:00:00+00:00",
            "legs": None,
        }

    def test_a_forms_files_are_shown(self, tmp_path):
        file = {"name": "a.png", "content_type": "image/png", "content": b64encode(b"abc").decode()}
        data = {"text": "Xin phản ánh", "attachments": [file], "reporter": {"name": "A"}}

        [row] = told(feed(tmp_path, event("form.submitted.v1", data=data)))

        assert (row["channel"], row["from"]) == ("web-form", "A")
        assert [(a["name"], a["size"]) for a in row["attachments"]] == [("a.png", 3)]

    def test_an_activity_has_no_channel(self, tmp_path):
        data = {
            "held": "2026-01-05", "participants": 9, "opinions_received": 3, "opinions_accepted": 1
        }  # fmt: skip

        [row] = told(feed(tmp_path, event("dialogue.held.v1", data=data)))

        assert (row["fate"], row["channel"]) == ("would-keep", None)

    def test_what_breaks_its_contract_is_refused_with_what_to_do(self, tmp_path):
        [row] = told(feed(tmp_path, event(data={"call": "1", "note": 5, "Nguyễn": 1})))

        assert row["fate"] == "refused"
        assert {p["field"] for p in row["problems"]} == {"/data/note", "/data/?"}
        assert all(p["advice"] for p in row["problems"])

    def test_no_json_is_refused(self, tmp_path):
        path = tmp_path / "a.jsonl"
        path.write_text("{\n\n[]\n")

        assert [row["fate"] for row in told(path)] == ["refused", "refused"]

    def test_an_unknown_type_is_refused(self, tmp_path):
        [row] = told(feed(tmp_path, event("mail.lost.v1")))

        assert (row["fate"], row["problems"][0]["rule"]) == ("refused", "unknown-type")

    def test_anothers_event_is_refused(self, tmp_path):
        [row] = told(feed(tmp_path, event(source="/agencies/a-tinh")))

        assert (row["fate"], row["problems"][0]["rule"]) == ("refused", "foreign-source")

    def test_the_same_call_is_a_duplicate(self, tmp_path):
        path = feed(tmp_path, event(), event(id="2"), event(id="2", data={"call": "9", "note": ""}))

        assert [row["fate"] for row in told(path)] == ["would-keep", "duplicate", "would-keep"]

    def test_each_agency_has_its_own(self, tmp_path):
        path = feed(tmp_path, event(), event(source="/agencies/a-tinh"))

        assert [row["fate"] for row in told(path, agency=None)] == ["would-keep", "would-keep"]

    def test_a_refused_one_makes_nothing_a_duplicate(self, tmp_path):
        path = feed(tmp_path, event(time="gestern"), event())

        assert [row["fate"] for row in told(path)] == ["refused", "would-keep"]

    def test_a_time_to_come_is_flagged(self, tmp_path):
        [row] = told(feed(tmp_path, event()), now=datetime(2025, 1, 1, tzinfo=UTC))

        assert row["flags"] == ["time-ahead"]

    def test_what_is_sealed_already_is_said_to_be(self, tmp_path):
        [row] = told(feed(tmp_path, event(data={"sealed": "AAAA"})))

        assert (row["fate"], row["flags"]) == ("would-keep", ["sealed"])


class TestATable:
    def test_every_row_has_its_fate(self, tmp_path):
        path = write_csv(
            tmp_path / "so.csv", [HEADINGS, *LETTERS, ["", "", "x", "", ""], LETTERS[0]]
        )

        fates = [row["fate"] for row in told(path)]

        assert fates == ["would-keep", "would-keep", "refused", "duplicate"]

    def test_a_refusal_says_row_and_column(self, tmp_path):
        path = write_csv(tmp_path / "so.csv", [HEADINGS, ["1", "", "x", "", ""]])

        [row] = told(path)

        assert row["problems"] == [
            {
                "rule": "missing",
                "advice": "Add this field.",
                "field": "/time",
                "row": 2,
                "column": "Ngày nhận",
            }
        ]

    def test_feeding_a_file_twice_adds_nothing(self, tmp_path):
        path = write_csv(tmp_path / "so.csv", [HEADINGS, *LETTERS])

        assert [row["fate"] for row in told(path, path)] == ["would-keep"] * 2 + ["duplicate"] * 2

    def test_a_person_reads_the_row_in_words(self, tmp_path):
        path = write_csv(tmp_path / "so.csv", [HEADINGS, ["1", "", "x", "", ""]])

        assert in_words(told(path)[0]).splitlines()[1].strip() == (
            "row 2, column “Ngày nhận” (missing): Add this field."
        )


def test_the_sample_has_the_fates_that_intake_gives_it():
    directory = read_rules(HERE / "directory.yaml", RULE_FILES["directory"])
    reader = Reader([agency.code for agency in directory.agencies], None, NOW)
    expected = json.loads((HERE / "expected.json").read_bytes())

    fates = Counter(row["fate"] for row in rows(reader.items(HERE / "feed"), NOW))

    assert fates.total() == expected["items"]
    assert fates["duplicate"] == expected["duplicates"]
    assert fates["refused"] == expected["refused"]
