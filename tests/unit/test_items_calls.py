"""Exchanges' records as an agency exports them: one item a call, and none for a missed one."""

import json
from pathlib import Path

import pytest

from deploy.dry_run import rows
from deploy.items import Reader
from deploy.items.calls import are_calls
from tests.examples_items import AGENCY, NOW, data, items

CDR = (
    '"","{caller}","115","from-trunk","","SIP/t-{n}","SIP/desk-{n}","Dial","",'
    '"2026-01-05 08:30:00","2026-01-05 08:30:05","2026-01-05 08:35:00",300,295,'
    '"{disposition}","DOCUMENTATION","17675766{n}.0",""\n'
)
CEL = [
    {"eventtype": "CHAN_START", "eventtime": "2026-01-05 08:30:00", "cid_num": "0900"},
    {"eventtype": "BRIDGE_ENTER", "eventtime": "2026-01-05 08:30:05"},
    {"eventtype": "CHAN_END", "eventtime": "2026-01-05 08:35:00"},
    {"eventtype": "LINKEDID_END", "eventtime": "2026-01-05 08:35:00"},
]
CEL = [e | {"uniqueid": "170.5", "linkedid": "170.5", "channame": "SIP/t-1"} for e in CEL]
AMI = "Response: Success\nMessage: ok\n\nEvent: QueueMember\nQueue: q\n\n"


@pytest.fixture
def file(tmp_path):
    def file(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_text(content)
        return path

    return file


class TestWhatIsTold:
    def test_a_cdr_is_told_from_a_register(self):
        line = CDR.format(n="01", caller="0900", disposition="ANSWERED").encode()

        assert are_calls(".csv", line)
        assert not are_calls(".csv", "Số đơn,Ngày nhận,Nội dung\n1,2,3\n".encode())

    def test_a_cdr_with_a_header_line_is_told(self):
        assert are_calls(".csv", b"calldate,src,dst,dcontext,dstchannel,lastapp,billsec\n")

    @pytest.mark.parametrize("content", [b"{}", b"[1]", b'[{"cel": 1}]', b"{", b'"cel"'])
    def test_json_without_events_is_none(self, content):
        assert not are_calls(".json", content)

    @pytest.mark.parametrize("whole", [CEL, [{"case": "a", "cel": CEL}], CEL[0], {"cel": CEL}])
    def test_cel_is_told_however_it_is_wrapped(self, whole):
        assert are_calls(".json", json.dumps(whole).encode())

    def test_an_ami_capture_is_told_from_a_mapping_file(self):
        assert are_calls(".yaml", AMI.encode())
        assert not are_calls(".yaml", b"type: letter.registered.v1\n")


class TestACall:
    @pytest.fixture(autouse=True)
    def reading(self):
        pytest.importorskip("services.intake.domain.call", exc_type=ImportError)

    def test_it_becomes_a_logged_call(self, file):
        [call] = items(file("cel.json", json.dumps([{"cel": CEL}])))

        assert (call.type, call.fate, call.flags) == ("hotline-call.logged.v1", None, ())
        assert json.loads(call.body)["time"] == "2026-01-05T01:30:00+00:00"
        assert data(call) == {
            "call": "170.5",
            "caller": "0900",
            "ended": "2026-01-05T01:35:00+00:00",
            "note": "",
        }

    def test_a_missed_one_is_not_sent(self, file):
        line = CDR.format(n="01", caller="0900", disposition="NO ANSWER")

        assert [c.fate for c in items(file("cdr.csv", line))] == ["missed"]

    def test_it_keeps_its_id_in_another_file(self, file):
        first, second = (
            CDR.format(n=n, caller="0900", disposition="ANSWERED") for n in ("01", "02")
        )
        reader = Reader([], AGENCY, NOW)
        paths = file("a.csv", first), file("b.csv", second + first)

        told = rows((item for path in paths for item in reader.items(path)), NOW)

        assert [row["fate"] for row in told] == ["would-keep", "duplicate", "would-keep"]

    def test_a_dry_run_shows_its_times(self, file):
        [row] = rows(items(file("cel.json", json.dumps(CEL))), NOW)

        assert (row["channel"], row["from"]) == ("hotline", "0900")
        assert row["call"] == {
            "linkedid": "170.5",
            "started": "2026-01-05T01:30:00+00:00",
            "answered": "2026-01-05T01:30:05+00:00",
            "ended": "2026-01-05T01:35:00+00:00",
            "legs": 1,
        }

    def test_one_that_goes_on_is_flagged(self, file):
        [call] = items(file("cel.json", json.dumps(CEL[:2])))

        assert call.flags == ("call-incomplete",)

    def test_a_record_that_cannot_be_read_is_refused_by_its_line(self, file):
        good = CDR.format(n="01", caller="0900", disposition="ANSWERED")

        broken, call = items(file("cdr.csv", good + "x,y\n"))

        assert (broken.fate, broken.problems[0].row) == ("refused", 2)
        assert call.fate is None

    def test_what_tells_of_no_call_is_passed_over_by_name(self, file):
        reader = Reader([], AGENCY, NOW)
        path = file("ami.yaml", AMI)

        assert list(reader.items(path)) == []
        assert reader.passed_over == [path]
