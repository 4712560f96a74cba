"""Records of exchanges are read from three forms; what is broken is named and never quoted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.call import (
    BrokenRecord,
    CallRecord,
    Step,
    ami_records,
    cdr_records,
    cel_records,
)

NUMBER = "0900000001"
HOTLINE = "1900"
START = datetime(2026, 5, 11, 8, 0, 0)  # noqa: DTZ001 - as an exchange writes it
LINE = (
    f'"","{NUMBER}","{HOTLINE}","from-trunk","""An"" <{NUMBER}>","PJSIP/trunk-01","PJSIP/desk-02",'
    '"Dial","PJSIP/desk","2026-05-11 08:00:00","2026-05-11 08:00:05","2026-05-11 08:01:00",60,55,'
    '"ANSWERED","DOCUMENTATION"'
)
STANDARD = LINE + ',"1778461200.1",""'


def event(**more):
    return {
        "eventtype": "CHAN_START",
        "eventtime": "2026-05-11 08:00:00.25",
        "cid_num": NUMBER,
        "exten": HOTLINE,
        "channame": "PJSIP/trunk-01",
        "uniqueid": "1778461200.1",
        "linkedid": "1778461200.1",
    } | more


def block(name, **more):
    keys = {
        "Privilege": "call,all",
        "Timestamp": "1778461200.250000",
        "Channel": "PJSIP/trunk-01",
        "CallerIDNum": NUMBER,
        "Exten": HOTLINE,
        "Uniqueid": "1778461200.1",
        "Linkedid": "1778461200.1",
    } | more
    return "\r\n".join([f"Event: {name}", *(f"{k}: {v}" for k, v in keys.items()), "", ""])


class TestCdr:
    def test_a_line_in_the_standard_order_is_read(self):
        [record] = cdr_records(STANDARD)

        assert record == CallRecord(
            step=Step.SUMMED_UP,
            at=START,
            uniqueid="1778461200.1",
            linkedid=None,
            channel="PJSIP/trunk-01",
            caller=NUMBER,
            called=HOTLINE,
            peer="PJSIP/desk-02",
            answered=START + timedelta(seconds=5),
            ended=START + timedelta(minutes=1),
        )

    @pytest.mark.parametrize(
        ("tail", "linkedid"),
        [
            (',"1.1"', None),
            (',"1.1","field"', None),
            (',"1.1","account","1.0",3', "1.0"),
            (',"1.1","field","account","1.0",3', "1.0"),
        ],
    )
    def test_the_number_of_columns_tells_which_were_added(self, tail, linkedid):
        [record] = cdr_records(LINE + tail)

        assert (record.uniqueid, record.linkedid) == ("1.1", linkedid)

    def test_a_header_line_tells_the_order(self):
        text = "\ufeffLinkedId,UniqueID,Start,End,Src\r\n1.0,1.1,2026-05-11 08:00:00,,090\r\n"

        [record] = cdr_records(text)

        assert (record.linkedid, record.uniqueid, record.at) == ("1.0", "1.1", START)
        assert (record.caller, record.ended) == ("090", None)

    def test_a_database_export_has_its_times_from_its_durations(self):
        text = (
            "calldate,src,dst,dstchannel,duration,billsec,disposition,uniqueid,linkedid\n"
            "2026-05-11 08:00:00,090,1900,SIP/a,60,55,ANSWERED,1.1,1.0\n"
        )

        [record] = cdr_records(text)

        assert record.answered == START + timedelta(seconds=5)
        assert record.ended == START + timedelta(seconds=60)

    def test_columns_of_other_names_are_found_by_a_mapping(self):
        text = "When;x,Call Id,From\n2026-05-11 08:00:00,1.1,090\n"
        columns = {"start": "when;x", "uniqueid": "call id", "src": "from"}

        [record] = cdr_records(text, columns)

        assert (record.at, record.uniqueid, record.caller) == (START, "1.1", "090")

    def test_columns_without_a_header_are_found_by_their_place(self):
        columns = {"src": 0, "duration": 1, "billsec": 2, "uniqueid": 3, "start": 4}

        first, second = cdr_records('090, 9, 4, "a", 1778461200\n091, 9, 0, b, 1778461200', columns)

        assert first.at == datetime(2026, 5, 11, 1, tzinfo=UTC)
        assert first.answered == first.at + timedelta(seconds=5)
        assert (first.uniqueid, second.answered) == ("a", None)

    def test_a_line_without_the_place_of_a_column_is_broken(self):
        columns = {"uniqueid": 0, "start": 1, "src": 2}

        assert list(cdr_records("1.1,1778461200", columns)) == [BrokenRecord(1, "columns")]

    def test_a_misnamed_column_leaves_no_record_without_a_caller(self):
        text = "start,uniqueid,src\n2026-05-11 08:00:00,1.1,090\n"
        columns = {"start": "start", "uniqueid": "uniqueid", "src": "caller"}

        assert list(cdr_records(text, columns)) == [
            BrokenRecord(1, "header"),
            BrokenRecord(2, "header"),
        ]

    def test_a_call_that_was_not_taken_has_no_answer(self):
        text = STANDARD.replace("ANSWERED", "NO ANSWER").replace('"2026-05-11 08:00:05"', "")

        assert next(cdr_records(text)).answered is None

    @pytest.mark.parametrize(
        ("old", "new"), [("ANSWERED", "BUSY"), ("PJSIP/desk-02", ""), ("2026-05-11 08:00:05", "")]
    )
    def test_nobody_spoke_where_only_a_menu_answered(self, old, new):
        assert next(cdr_records(STANDARD.replace(old, new))).answered is None

    def test_a_time_of_zeros_has_not_happened(self):
        text = STANDARD.replace("2026-05-11 08:01:00", "0000-00-00 00:00:00")

        assert next(cdr_records(text)).ended is None

    @pytest.mark.parametrize(
        ("line", "rule"),
        [
            ('"' + STANDARD, "quotes"),
            (STANDARD[:-1], "quotes"),
            (LINE, "columns"),
            (STANDARD + ",x", "columns"),
            (STANDARD.replace("1778461200.1", " "), "id"),
            (STANDARD.replace("1778461200.1", "1" * 151), "id"),
            (STANDARD.replace("1778461200.1", "1\x1b[2J"), "id"),
            (STANDARD.replace("2026-05-11 08:00:00", "11/05/2026 08:00"), "time"),
            (STANDARD.replace("2026-05-11 08:00:00", ""), "time"),
            (STANDARD.replace("2026-05-11 08:00:05", "soon"), "time"),
            (STANDARD.replace("2026-05-11 08:01:00", "2026-02-30 08:01:00"), "time"),
            (STANDARD.replace("2026-05-11 08:00:00", "0001-01-01 00:00:00"), "time"),
            (STANDARD.replace("from-trunk", "x" * 70_000), "length"),
            (STANDARD.replace(f'"{NUMBER}"', '"' + "9" * 151 + '"'), "number"),
            (STANDARD.replace(f'"{HOTLINE}"', '"19\udcff"'), "number"),
        ],
    )
    def test_a_broken_line_is_named_between_whole_ones(self, line, rule):
        records = list(cdr_records(f"{STANDARD}\n\n{line}\n{STANDARD}\n"))

        assert records == [records[0], BrokenRecord(3, rule), records[0]]

    def test_a_line_too_long_or_too_short_for_its_header_is_broken(self):
        text = "start,uniqueid,src\n2026-05-11 08:00:00,1.1\n2026-05-11 08:00:00,1.1,0,0\n"

        assert list(cdr_records(text)) == [BrokenRecord(2, "columns"), BrokenRecord(3, "columns")]

    @pytest.mark.parametrize("duration", ["-1", "x", "", "99999999"])
    def test_a_duration_that_is_none_breaks_its_line(self, duration):
        text = f"start,duration,uniqueid\n2026-05-11 08:00:00,{duration},1.1\n"

        assert list(cdr_records(text)) == [BrokenRecord(2, "time")]


class TestCel:
    def test_an_event_is_read(self):
        [record] = cel_records([event()])

        assert record == CallRecord(
            step=Step.BEGAN,
            at=START + timedelta(milliseconds=250),
            uniqueid="1778461200.1",
            linkedid="1778461200.1",
            channel="PJSIP/trunk-01",
            caller=NUMBER,
            called=HOTLINE,
        )

    @pytest.mark.parametrize(
        ("name", "step"),
        [
            ("BRIDGE_ENTER", Step.BRIDGED),
            ("BRIDGE_START", Step.BRIDGED),
            ("HANGUP", Step.HUNG_UP),
            ("CHAN_END", Step.GONE),
            ("LINKEDID_END", Step.CLOSED),
            ("ANSWER", Step.OTHER),
            ("of another maker", Step.OTHER),
        ],
    )
    def test_each_event_is_a_step(self, name, step):
        assert next(cel_records([event(eventtype=name)])).step is step

    @pytest.mark.parametrize("extra", ['{"bridge_technology":"holding_bridge"}', None])
    def test_who_is_put_on_hold_speaks_with_nobody(self, extra):
        [record] = cel_records([event(eventtype="BRIDGE_ENTER", extra=extra)])

        assert (record.step is Step.BRIDGED) == (extra is None)

    @pytest.mark.parametrize(
        "written",
        [
            "2026-05-11 08:00:00+07",
            "2026-05-11 08:00:00.0+0700",
            "2026-05-11T01:00:00Z",
            "1778461200",
            "1778461200.000000",
        ],
    )
    def test_a_time_with_a_zone_is_utc(self, written):
        [record] = cel_records([event(eventtime=written)])

        assert record.at == datetime(2026, 5, 11, 1, tzinfo=UTC)
        assert record.at.tzinfo is UTC

    @pytest.mark.parametrize(
        "withheld", ["", "  ", "anonymous", "Anonymous", "unknown", "<unknown>", None]
    )
    def test_a_withheld_number_is_none(self, withheld):
        assert next(cel_records([event(cid_num=withheld)])).caller is None

    def test_a_number_is_kept_as_it_was_written(self):
        assert next(cel_records([event(cid_num=" +84 (90) 1 ")])).caller == "+84 (90) 1"

    def test_the_start_of_a_dialplan_is_no_number(self):
        assert next(cel_records([event(exten="s")])).called is None

    @pytest.mark.parametrize(
        ("written", "rule"),
        [
            (None, "shape"),
            ([], "shape"),
            ({}, "time"),
            (event(eventtime="yesterday"), "time"),
            (event(eventtime="2026-05-11"), "time"),
            (event(eventtime="2026-05-11 08:00:00+25"), "time"),
            (event(uniqueid=None), "id"),
            (event(linkedid="x" * 151), "id"),
        ],
    )
    def test_a_broken_event_is_named_by_its_place(self, written, rule):
        records = list(cel_records([event(), written, event()]))

        assert records == [records[0], BrokenRecord(2, rule), records[0]]


class TestAmi:
    @pytest.mark.parametrize(
        ("name", "more", "step"),
        [
            ("Newchannel", {}, Step.BEGAN),
            ("BridgeEnter", {"BridgeTechnology": "simple_bridge"}, Step.BRIDGED),
            ("BridgeEnter", {"BridgeTechnology": "holding_bridge"}, Step.OTHER),
            ("Hangup", {"Cause": "16"}, Step.GONE),
        ],
    )
    def test_an_event_is_a_step(self, name, more, step):
        [record] = ami_records(block(name, **more))

        assert record == CallRecord(
            step=step,
            at=datetime(2026, 5, 11, 1, 0, 0, 250_000, tzinfo=UTC),
            uniqueid="1778461200.1",
            linkedid="1778461200.1",
            channel="PJSIP/trunk-01",
            caller=NUMBER,
            called=HOTLINE,
        )

    def test_a_dial_tells_of_both_channels(self):
        records = ami_records(block("DialBegin", DestUniqueid="1.2", DestLinkedid="1778461200.1"))

        assert [(r.uniqueid, r.linkedid) for r in records] == [
            ("1778461200.1", "1778461200.1"),
            ("1.2", "1778461200.1"),
        ]

    def test_a_log_event_is_the_same_through_the_stream(self):
        stream = (
            "Event: CEL\nEventName: CHAN_START\nEventTime: 2026-05-11 08:00:00.25\n"
            f"CallerIDnum: {NUMBER}\nExten: {HOTLINE}\nChannel: PJSIP/trunk-01\n"
            "UniqueID: 1778461200.1\nLinkedID: 1778461200.1\n\n"
        )

        assert list(ami_records(stream)) == list(cel_records([event()]))

    def test_sums_are_the_same_through_the_stream(self):
        stream = (
            f"Event: Cdr\nSource: {NUMBER}\nDestination: {HOTLINE}\nChannel: PJSIP/trunk-01\n"
            "DestinationChannel: PJSIP/desk-02\nStartTime: 2026-05-11 08:00:00\n"
            "AnswerTime: 2026-05-11 08:00:05\nEndTime: 2026-05-11 08:01:00\nDuration: 60\n"
            "BillableSeconds: 55\nDisposition: ANSWERED\nUniqueID: 1778461200.1\n"
        )

        assert list(ami_records(stream)) == list(cdr_records(STANDARD))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Asterisk Call Manager/7.0.3\r\nAction: Login\r\nEvents: on\r\n\r\n",
            "Response: Success\nActionID: 1\nMessage: Authentication accepted\n\n",
            "Event: QueueMember\nQueue: a\nName: Agent/1\n\n",
            "Event: FullyBooted\n\n",
            "Response: Follows\nPrivilege: Command\n0 active calls\n--END COMMAND--\n\n",
            "Response: Follows\nEvent: Newchannel\nUniqueid: 1.1\nTimestamp: 1778461200\n\n",
        ],
    )
    def test_what_is_no_event_of_a_call_yields_nothing(self, text):
        assert list(ami_records(text)) == []

    def test_the_last_event_needs_no_blank_line_behind_it(self):
        assert len(list(ami_records(block("Newchannel").strip()))) == 1

    def test_an_event_behind_the_greeting_is_read(self):
        text = "Asterisk Call Manager/7.0.3\r\n" + block("Newchannel")

        assert len(list(ami_records(text))) == 1

    @pytest.mark.parametrize(
        ("more", "rule"), [({"Timestamp": ""}, "time"), ({"Uniqueid": ""}, "id")]
    )
    def test_a_broken_event_is_named_by_its_first_line(self, more, rule):
        whole = block("Newchannel")
        text = whole + block("Hangup", **more) + whole

        first, broken, last = ami_records(text)

        assert broken == BrokenRecord(1 + whole.count("\n"), rule)
        assert first == last


@given(st.text(st.sampled_from('",\n\r01 -:.x\0'), max_size=80))
def test_any_text_is_read_as_sums(text):
    lines = sum(1 for line in text.removeprefix("\ufeff").split("\n") if line.strip())

    assert len(list(cdr_records(text))) == lines


@given(st.lists(st.sampled_from(block("Cdr").split("\r\n") + block("DialBegin").split("\r\n"))))
def test_any_text_is_read_as_a_stream(lines):
    for record in ami_records("\n".join(lines)):
        assert isinstance(record, CallRecord | BrokenRecord)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(sorted(event())),
            st.none()
            | st.integers()
            | st.floats()
            | st.sampled_from([*event().values(), "\0", {}]),
        )
    )
)
def test_any_objects_are_read_as_events(objects):
    assert len(list(cel_records(objects))) == len(objects)


def test_neither_numbers_nor_channels_show_in_a_record():
    shown = repr([*cdr_records(STANDARD), *cel_records([event()])])

    assert not any(secret in shown for secret in (NUMBER, HOTLINE, "PJSIP"))
