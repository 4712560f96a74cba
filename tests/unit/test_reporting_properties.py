"""Promises that hold for any history: reports depend on what happened, and always foot."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting.domain.change import change
from services.reporting.domain.facet import Table, laid
from services.reporting.domain.forms import Tally, fill
from services.reporting.domain.forms.standing import Standing
from services.reporting.domain.forms.tally import facts_of
from services.reporting.domain.revision import Closing, digest, own_figures, reports_of, said
from services.reporting.domain.rollup import Tree
from services.reporting.domain.row import ActivityRow, ChannelRow
from shared.contracts import ReportPublished, SubmissionRated
from shared.contracts.activity import ActivityKind
from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Channel, Kind, Outcome, Signatures
from tests.examples_reporting import (
    DAY,
    FORMS,
    LAST_DAY,
    LETTERS,
    SUPERVISION,
    activity_recorded,
    agency,
    case_accepted,
    case_assigned,
    case_concluded,
    case_joined,
    case_opened,
    case_rows,
    channel_announced,
    clock_started,
    directory,
    event,
    office,
    submission_received,
    supervision,
    window,
)

FIRST, SECOND = window("2026-y"), window("2027-y")
"""Two periods of which the second begins where the first ends."""

DIRECTORY = directory(
    agencies=(agency("a1", "ward"), agency("a2", "school")),
    offices=(office("chair", "ward"), office("head", "school")),
    supervisions=(supervision("chair"), supervision("head")),
)
TREE = Tree.on(LAST_DAY, DIRECTORY)

# Receipts, acceptances and answers on both sides of every boundary, and upon it.
INSTANTS = st.sampled_from(
    [
        at + shift
        for at in (FIRST.start, FIRST.end, SECOND.end)
        for shift in (-30 * DAY, timedelta(seconds=-1), timedelta(0), 30 * DAY)
    ]
)
DAYS = st.dates(date(2025, 11, 1), date(2028, 2, 1))
UNITS = st.sampled_from(["province", "ward", "commune", "school", "gone"])


@st.composite
def lives(draw, submission):
    """What happened to one case, in an order that routing may or may not have let it."""
    received = draw(INSTANTS)
    said = {
        "unit": draw(UNITS),
        "kind": draw(st.sampled_from(Kind)),
        "signatures": draw(st.sampled_from(Signatures)),
        "eligibility": draw(st.sampled_from(["eligible", "stored-anonymous"])),
    }
    told = [submission_received(submission, received, **said)]
    may_follow = [
        case_opened(submission, received, **said),
        case_assigned(submission, draw(INSTANTS), within=draw(st.booleans())),
        clock_started(submission, draw(DAYS)),
        clock_started(submission, draw(DAYS), clock="take-up", version=4),
        case_accepted(submission, draw(INSTANTS)),
        case_joined(submission, draw(INSTANTS))
        if draw(st.booleans())
        else case_concluded(
            submission,
            draw(INSTANTS),
            in_time=draw(st.booleans()),
            times=draw(st.integers(1, 3)),
            outcome=draw(st.sampled_from(Outcome)),
            recovered=draw(st.sampled_from([0, 15_000_000])),
            sanctions=draw(st.integers(0, 2)),
        ),
        event(SubmissionRated(score=draw(st.integers(1, 5))), draw(INSTANTS), about=submission),
    ]
    return told + [each for each in may_follow if draw(st.booleans())]


@st.composite
def histories(draw):
    events = [
        event for number in range(draw(st.integers(0, 6))) for event in draw(lives(f"s{number}"))
    ]
    events += [
        activity_recorded(
            f"act{number}",
            draw(st.sampled_from(ActivityKind)),
            draw(DAYS),
            unit=draw(UNITS),
            participants=draw(st.integers(0, 9)),
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    events += [
        channel_announced(draw(st.sampled_from(["a1", "a2"])), channel, draw(DAYS))
        for channel in draw(st.lists(st.sampled_from(Channel), max_size=4))
    ]
    return events


def tallied(events, period=FIRST):
    tally = Tally(period, frozenset({"take-up"}))
    for row in case_rows(events):
        tally.add_case(row)
    others = laid(change(each) for each in events)
    for (table, _), row in others.items():
        if table is Table.ACTIVITY:
            tally.add_activity(ActivityRow.of(row.facets["recorded"]))
    channels = [
        ChannelRow.of(row.facets["announced"])
        for (table, _), row in others.items()
        if table is Table.CHANNEL
    ]
    tally.add_register(DIRECTORY, channels)
    return tally


def reports(events):
    """Every report of the first period; raises unless all of them foot."""
    closing = Closing(
        period=FIRST.period,
        party="operator",
        command="order-1",
        correlation="order-1",
        sending="command:1",
        at=FIRST.end,
        directory=1,
        rulebook=1,
        figures=own_figures(FORMS, tallied(events), TREE),
    )
    return [said(closing, report) for report in reports_of(closing, FORMS, TREE)]


def whole(form, tally):
    """The figures of all units together, by column."""
    cells = zip(*fill(form, tally).values(), strict=True)
    return form.named([sum(column) for column in cells])


@given(st.data())
def test_any_order_and_repetition_gives_the_same_reports(data):
    events = data.draw(histories())
    again = data.draw(st.lists(st.sampled_from(events), max_size=6)) if events else []
    told = data.draw(st.permutations([*events, *again]))

    assert reports(told) == reports(events)


@given(histories())
def test_every_row_and_total_foots(events):
    for each in reports(events):
        form = next(form for form in FORMS if form.code == each.data.form)
        for cells in (each.data.totals, *(row.cells for row in each.data.rows)):
            assert form.broken(cells) is None


@given(histories())
def test_a_parent_is_its_own_row_and_the_sum_of_its_childrens_reports(events):
    by_place = {(each.data.form, each.data.unit): each.data for each in reports(events)}
    for report in by_place.values():
        own, *children = report.rows
        assert own.own
        parts = [own.cells, *(by_place[report.form, child.unit].totals for child in children)]
        assert report.totals == tuple(map(sum, zip(*parts, strict=True)))


@given(histories())
def test_the_root_has_every_case_that_counts(events):
    counted = sum(group.count for group in tallied(events).cases.values())
    [root] = [r for r in reports(events) if (r.data.form, r.data.unit) == ("01-xld", "province")]

    assert LETTERS.named(root.data.totals)["1"] == counted


@given(histories())
def test_what_is_carried_over_is_what_was_open_before(events):
    first, second = tallied(events, FIRST), tallied(events, SECOND)

    assert whole(SUPERVISION, second)["carried-over"] == whole(SUPERVISION, first)["open"]


@given(histories())
def test_letters_carried_over_are_those_not_concluded_before(events):
    first, second = whole(LETTERS, tallied(events, FIRST)), whole(LETTERS, tallied(events, SECOND))
    opened = whole(SUPERVISION, tallied(events, FIRST))["open"]

    assert second["5"] + second["6"] + second["7"] == opened
    assert first["16"] + first["17"] <= opened


@settings(max_examples=30)
@given(histories())
def test_what_happens_after_the_end_changes_nothing(events):
    until = [event for event in events if event.time < FIRST.end]
    kept = {event.subject for event in until}
    after = [event for event in events if event.time >= FIRST.end]
    # A clock's due day and a channel's day are in the data: only acts of cases are compared.
    acts = [e for e in after if e.type.startswith("case.") and e.subject in kept]

    assert reports(until + acts) == reports(until)


@given(histories())
def test_a_report_that_shares_its_form_is_one_that_was_read_whole(events):
    for each in reports(events):
        whole_report = Event[ReportPublished].model_validate_json(each.encode())

        assert whole_report == each
        assert whole_report.encode() == each.encode()
        assert digest(whole_report.data) == each.data.digest


@given(histories())
def test_facts_remembered_of_one_case_are_those_of_each_alike(events):
    def forgetting():
        for row in case_rows(events):
            for period in (FIRST, SECOND):
                Standing.facts.cache_clear()
                yield facts_of(row, period, {"take-up"})

    remembered = [
        facts_of(row, period, {"take-up"})
        for row in case_rows(events)
        for period in (FIRST, SECOND)
    ]
    assert remembered == list(forgetting())
