"""A call is the same, in whatever form, order and number its records come."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.call import (
    CallRecord,
    Step,
    ami_records,
    assemble,
    cdr_records,
    cel_records,
    describe,
    group,
)

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NUMBER = "0900000001"
HOTLINE = "1900"
CALLER, CLERK, COLLEAGUE = "1778461200.9", "1778461200.10", "1778461230.11"
EIGHT = datetime(2026, 5, 11, 1, 0, 0, tzinfo=UTC)


def at(seconds):
    return EIGHT + timedelta(seconds=seconds)


def log(seconds, name, channel=CALLER, *, call=CALLER, number="", exten=""):
    """An event as CEL writes it, in Hanoi's time and without saying so."""
    return {
        "eventtype": name,
        "eventtime": at(seconds).astimezone(HANOI).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "cid_num": number or (NUMBER if channel == CALLER else "101"),
        "exten": exten or HOTLINE,
        "channame": f"PJSIP/{channel}",
        "uniqueid": channel,
        "linkedid": call,
    }


TALK = [
    log(0, "CHAN_START"),
    log(1, "CHAN_START", CLERK),
    log(5, "ANSWER", CLERK),
    log(5.1, "ANSWER"),
    log(5.2, "BRIDGE_ENTER", CLERK),
    log(5.3, "BRIDGE_ENTER"),
    log(60, "BRIDGE_EXIT"),
    log(60.1, "HANGUP"),
    log(60.2, "CHAN_END"),
    log(61, "HANGUP", CLERK),
    log(62, "CHAN_END", CLERK),
    log(62, "LINKEDID_END", CLERK),
]
RUNG_OUT = [
    log(0, "CHAN_START"),
    log(0.5, "ANSWER"),  # a greeting
    log(1, "CHAN_START", CLERK),
    log(20, "CHAN_END", CLERK),
    log(21, "CHAN_END"),
    log(21, "LINKEDID_END"),
]
TRANSFERRED = [
    *TALK[:6],
    log(30, "CHAN_START", COLLEAGUE),
    log(35, "BRIDGE_ENTER", COLLEAGUE),
    log(36, "CHAN_END", CLERK),
    log(90, "CHAN_END"),
    log(91, "CHAN_END", COLLEAGUE),
    log(91, "LINKEDID_END", COLLEAGUE),
]


def sums(start, answer, end, *, channel=CALLER, call=CALLER, peer=CLERK, answered=True):
    """A line as CDR writes it: whole seconds, in Hanoi's time and without saying so."""
    times = ",".join(
        at(s).astimezone(HANOI).strftime("%Y-%m-%d %H:%M:%S") if s is not None else ""
        for s in (start, answer, end)
    )
    return (
        f",{NUMBER},{HOTLINE},in,,PJSIP/{channel},PJSIP/{peer},Dial,,{times},0,0,"
        f"{'ANSWERED' if answered else 'NO ANSWER'},DOCUMENTATION,{channel},,,{call},1\n"
    )


def one(*records):
    [grouped] = group(records).values()
    return assemble(grouped, HANOI)


def seconds(call):
    return tuple(
        time and (time - EIGHT).total_seconds()
        for time in (call.started, call.answered, call.ended)
    )


class TestAssemble:
    def test_a_call_has_the_times_of_its_callers_channel(self):
        call = one(*cel_records(TALK))

        assert seconds(call) == (0, 5.3, 60.2)
        assert (call.linkedid, call.legs, call.complete) == (CALLER, 2, True)
        assert (call.caller, call.called) == (NUMBER, HOTLINE)

    def test_a_call_that_nobody_took_is_missed(self):
        assert seconds(one(*cel_records(RUNG_OUT))) == (0, None, 21)

    def test_a_transferred_call_goes_on_until_its_caller_has_gone(self):
        call = one(*cel_records(TRANSFERRED))

        assert seconds(call) == (0, 5.3, 90)
        assert call.legs == 3

    def test_two_lines_of_sums_are_one_transferred_call(self):
        call = one(*cdr_records(sums(0, 5, 36) + sums(36, 36, 90, peer=COLLEAGUE)))

        assert seconds(call) == (0, 5, 90)
        assert call.legs == 3

    def test_other_pairs_of_a_call_move_none_of_its_times(self):
        other = sums(-1, 2, 99, channel=CLERK, peer=COLLEAGUE)

        assert seconds(one(*cdr_records(sums(0, 5, 36) + other))) == (0, 5, 36)

    @pytest.mark.parametrize(
        ("events", "line"),
        [
            (TALK, sums(0, 5, 60)),
            (RUNG_OUT, sums(0, 0, 21, answered=False)),
            (TRANSFERRED, sums(0, 5, 36) + sums(36, 36, 90, peer=COLLEAGUE)),
        ],
    )
    def test_sums_agree_with_events_to_the_second(self, events, line):
        logged, summed = one(*cel_records(events)), one(*cdr_records(line))

        assert seconds(summed) == tuple(s and int(s) for s in seconds(logged))
        assert (summed.caller, summed.called) == (logged.caller, logged.called)
        assert (summed.legs, summed.complete) == (logged.legs, logged.complete)

    @pytest.mark.parametrize("line", [sums(0, 5, 60), sums(0, 5, 60, call="")])
    def test_sums_may_come_before_or_after_or_without_events(self, line):
        summed, logged = list(cdr_records(line)), list(cel_records(TALK))

        assert one(*summed, *logged) == one(*logged, *summed) == one(*logged)

    def test_sums_tell_what_the_events_left_out(self):
        scarce = [log(0, "CHAN_START"), log(1, "CHAN_START", CLERK)]

        assert seconds(one(*cel_records(scarce), *cdr_records(sums(0, 5, 60)))) == (0, 5, 60)

    def test_the_live_stream_agrees_with_the_log(self):
        names = {"CHAN_START": "Newchannel", "BRIDGE_ENTER": "BridgeEnter", "CHAN_END": "Hangup"}
        stream = "".join(
            f"Event: {names[e['eventtype']]}\r\n"
            f"Timestamp: {EIGHT.timestamp() + s:.6f}\r\nChannel: {e['channame']}\r\n"
            f"CallerIDNum: {e['cid_num']}\r\nExten: {e['exten']}\r\n"
            f"Uniqueid: {e['uniqueid']}\r\nLinkedid: {e['linkedid']}\r\n\r\n"
            for s, e in zip((0, 1, 5, 5.1, 5.2, 5.3, 60, 60.1, 60.2, 61, 62, 62), TALK, strict=True)
            if e["eventtype"] in names
        )

        assert one(*ami_records(stream)) == one(*cel_records(TALK))

    @pytest.mark.parametrize(
        ("records", "complete"),
        [
            (TALK[:-1], True),
            (TALK[-1:], True),
            (TALK[:-3], False),  # the clerk's channel is still there
            ([TALK[1], TALK[-2]], False),  # the caller's own is not yet known
            (TALK[:6], False),
        ],
    )
    def test_a_call_is_complete_when_its_last_channel_has_gone(self, records, complete):
        assert one(*cel_records(records)).complete is complete

    @pytest.mark.parametrize(("end", "complete"), [(60, True), (None, False)])
    def test_sums_with_an_end_complete_a_call(self, end, complete):
        assert one(*cdr_records(sums(0, 5, end))).complete is complete

    def test_a_hang_up_stands_in_for_a_lost_end(self):
        assert seconds(one(*cel_records(TALK[:8])))[2] == 60.1

    def test_the_end_of_the_call_stands_in_for_a_lost_one_of_its_caller(self):
        assert seconds(one(*cel_records([*TALK[:6], TALK[-1]])))[2] == 62

    def test_a_call_named_otherwise_is_of_the_channel_that_began_first(self):
        call = one(*cel_records([event | {"linkedid": "line-7"} for event in TALK]))

        assert call.linkedid == "line-7"
        assert seconds(call) == (0, 5.3, 60.2)

    def test_a_number_that_came_late_is_the_callers(self):
        events = [log(0, "CHAN_START", number="<unknown>"), log(1, "ANSWER")]

        assert one(*cel_records(events)).caller == NUMBER

    def test_a_call_that_was_put_through_keeps_the_number_that_it_began_with(self):
        events = [log(0, "CHAN_START"), log(1, "ANSWER", number="3")]

        assert one(*cel_records(events)).caller == NUMBER

    def test_a_withheld_number_stays_withheld(self):
        events = [log(0, "CHAN_START", number="anonymous"), log(1, "CHAN_START", CLERK)]

        assert one(*cel_records(events)).caller is None

    def test_times_without_a_zone_are_read_in_the_one_given(self):
        records = list(cel_records(TALK))

        assert assemble(records, UTC).started - assemble(records, HANOI).started == timedelta(
            hours=7
        )
        assert assemble(records, HANOI).started.tzinfo is UTC

    def test_there_is_no_call_without_a_record(self):
        with pytest.raises(ValueError, match="at least one record"):
            assemble((), HANOI)


class TestGroup:
    def test_a_call_is_one_linkedid(self):
        other = [event | {"uniqueid": "5.1", "linkedid": "5.1"} for event in RUNG_OUT]

        assert list(group(cel_records([*TALK, *other]))) == ["5.1", CALLER]

    def test_calls_come_by_the_age_of_their_ids(self):
        events = [log(0, "CHAN_START", id_, call=id_) for id_ in ("9.10", "x", "9.9", "10.1")]

        assert list(group(cel_records(events))) == ["9.9", "9.10", "10.1", "x"]

    def test_sums_that_name_no_call_join_the_one_of_their_channel(self):
        line = sums(1, 5, 60, channel=CLERK, call="", peer=COLLEAGUE)

        assert list(group([*cdr_records(line), *cel_records(TALK)])) == [CALLER]

    def test_sums_that_name_no_call_join_the_oldest_one_of_their_channel(self):
        moved = [log(0, "CHAN_START", CLERK, call=CLERK), log(1, "BRIDGE_ENTER", CLERK)]
        line = sums(1, 5, 60, channel=CLERK, call="")

        grouped = group([*cel_records(moved), *cdr_records(line)])

        assert [len(grouped[call]) for call in (CALLER, CLERK)] == [2, 1]

    def test_sums_alone_are_known_by_their_channel(self):
        assert list(group(cdr_records(sums(0, 5, 60, call="")))) == [CALLER]


IDS = st.sampled_from([CALLER, CLERK, COLLEAGUE, "line-7"])
TIMES = st.integers(0, 5).map(at)
ANY_TIMES = TIMES | TIMES.map(lambda time: time.replace(tzinfo=None))
RECORDS = st.builds(
    CallRecord,
    step=st.sampled_from(Step),
    at=ANY_TIMES,
    uniqueid=IDS,
    linkedid=st.none() | IDS,
    channel=st.sampled_from(["", "a", "b"]),
    caller=st.sampled_from([None, "1", "2"]),
    called=st.sampled_from([None, "1", "2"]),
    answered=st.none() | ANY_TIMES,
    ended=st.none() | ANY_TIMES,
)


@given(st.data(), st.lists(RECORDS, max_size=12))
def test_any_order_and_number_of_the_same_records_gives_the_same_calls(data, records):
    again = data.draw(st.permutations(records + records[:3]))
    grouped, regrouped = group(records), group(again)

    assert list(grouped.items()) == list(regrouped.items())
    assert sum(map(len, grouped.values())) == len(set(records))
    for call, members in grouped.items():
        shuffled = data.draw(st.permutations(members))
        assert assemble(shuffled, HANOI) == assemble([*members, *shuffled], HANOI)
        assert assemble(members, HANOI).linkedid == call


@pytest.mark.parametrize("events", [TALK, RUNG_OUT, TRANSFERRED])
@given(data=st.data())
def test_a_replay_in_any_order_gives_the_same_call(data, events):
    records = [*cel_records(events), *cdr_records(sums(0, 5, 60, call=""))]

    assert one(*data.draw(st.permutations(records))) == one(*records)


def test_a_description_holds_no_number():
    call = one(*cel_records(TALK))

    assert describe(call) == {
        "linkedid": CALLER,
        "started": "2026-05-11T01:00:00+00:00",
        "answered": "2026-05-11T01:00:05.300000+00:00",
        "ended": "2026-05-11T01:01:00.200000+00:00",
        "legs": 2,
    }
    assert describe(one(*cel_records(RUNG_OUT)))["answered"] is None


def test_no_number_shows_in_a_call():
    shown = repr(one(*cel_records(TALK)))

    assert NUMBER not in shown
    assert HOTLINE not in shown
