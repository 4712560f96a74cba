"""Real exchanges' records: each call grouped, and timed as the exchange's own call log says."""

import json
import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from services.intake.domain.call import (
    BrokenRecord,
    CallRecord,
    ami_records,
    assemble,
    cdr_records,
    cel_records,
    group,
)
from tests.corpus.folders import beside

pytestmark = pytest.mark.corpus

CALLS = beside("calls")

LOGGED = json.loads((CALLS / "wazo-raw-cel.json").read_text())
TIMES = {"date": "started", "date_answer": "answered", "date_end": "ended"}


def shuffled(seed):
    """The records of all calls in one heap, as if they had come in over one line."""
    events = [event for case in LOGGED for event in case["cel"]]
    random.Random(seed).shuffle(events)
    return list(cel_records(events))


@pytest.mark.parametrize("seed", range(5))
def test_every_call_is_found_again_in_a_heap(seed):
    grouped = group(shuffled(seed))

    ours = {call: Counter(r.uniqueid for r in members) for call, members in grouped.items()}
    theirs = {
        case["cel"][0]["linkedid"]: Counter(event["uniqueid"] for event in case["cel"])
        for case in LOGGED
    }
    print(f"{sum(ours.get(call) == theirs[call] for call in theirs)} of {len(theirs)} calls")
    assert ours == theirs
    assert len(theirs) == 22


@pytest.mark.parametrize("seed", range(5))
def test_every_call_has_the_times_of_its_log(seed):
    grouped = group(shuffled(seed))

    asked, wrong = Counter(), []
    for case in LOGGED:
        call = assemble(grouped[case["cel"][0]["linkedid"]], UTC)
        for expected in case["expected_call_log"]:
            for theirs, ours in TIMES.items():
                if theirs in expected:
                    asked[ours] += 1
                    stated = expected[theirs] and datetime.fromisoformat(expected[theirs])
                    if getattr(call, ours) != stated:
                        wrong.append((case["case"], ours))
    print(f"{asked.total() - len(wrong)} of {asked.total()} times: {dict(asked)}")
    assert wrong == []
    assert asked == {"started": 9, "answered": 9, "ended": 9}


def test_every_call_of_a_log_is_complete():
    grouped = group(shuffled(0))

    assert [call for call, r in grouped.items() if not assemble(r, UTC).complete] == []


def test_numbers_are_those_of_the_log_but_for_two_habits_of_its_maker():
    """An outgoing call is logged under the number that it shows to the other side, and one that
    the exchange itself set up as if its first phone had dialled the second."""
    grouped = group(shuffled(0))

    asked, wrong = Counter(), []
    for case in LOGGED:
        call = assemble(grouped[case["cel"][0]["linkedid"]], UTC)
        for expected in case["expected_call_log"]:
            for theirs, ours in (("source_exten", call.caller), ("requested_exten", call.called)):
                if expected.get(theirs):
                    asked[theirs] += 1
                    if ours != expected[theirs]:
                        wrong.append((theirs, case["case"]))
    print(dict(asked), wrong)
    assert asked == {"source_exten": 11, "requested_exten": 11}
    assert sorted(Counter(theirs for theirs, _ in wrong).items()) == [
        ("requested_exten", 2),
        ("source_exten", 1),
    ]


def test_five_lines_of_one_channel_are_one_call():
    records = list(cdr_records((CALLS / "asterisk-cdr-good.csv").read_text()))

    [members] = group(records).values()
    call = assemble(members, UTC)
    assert len(records) == 5
    assert (call.complete, call.answered) == (True, None)  # no other channel was at the end


def test_an_import_of_another_layout_is_read_by_places():
    columns = {"src": 0, "dst": 2, "duration": 3, "billsec": 4, "uniqueid": 6, "start": 7}
    text = (CALLS / "cdr-stats-import_cdr_100.txt").read_text()

    records = list(cdr_records(text, columns))

    broken = [record for record in records if isinstance(record, BrokenRecord)]
    whole = [record for record in records if isinstance(record, CallRecord)]
    calls = [assemble(members, UTC) for members in group(whole).values()]
    assert broken == [BrokenRecord(37, "time")]  # billed for less than no time
    assert len(calls) == sum(call.answered is not None for call in calls) == 99


def test_a_stream_without_calls_yields_nothing():
    streams = sorted((CALLS / "panoramisk-ami").glob("*.yaml"))

    assert len(streams) == 9
    for stream in streams:
        assert list(ami_records(stream.read_text())) == []
