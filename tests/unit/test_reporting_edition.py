"""The public edition: which periods have one, and what waits until it tells of nobody."""

from datetime import date, timedelta
from random import Random

import pytest
from prometheus_client import REGISTRY

from services.reporting.domain import edition
from services.reporting.domain.disclosure import Knowledge, Protected, attack
from services.reporting.domain.edition import (
    Issued,
    adjoin,
    overlapping,
    public_edition,
    rule_for,
    safe,
)
from services.reporting.domain.forms import forms_of
from shared.contracts.report import Edition
from shared.contracts.rulebook import DisclosureRule
from shared.contracts.vocabulary import Kind, Signatures
from shared.runtime.publish import Unconfirmed
from tests.examples_disclosure import H1, NEXT, STOCK, STOCKS, reports, stock
from tests.examples_reporting import (
    LONG_AGO,
    close,
    directory_published,
    form_rule,
    revise,
    rulebook,
    rulebook_published,
    submission_received,
    window,
)
from tests.reporting_in_memory import Reporting

K = 10
FORM = form_rule(
    "letters",
    {
        "1": "2 + 3 + 4",
        "2": "cases where complaint",
        "3": "cases where denunciation",
        "4": "cases where petition",
    },
    "1 = 2 + 3 + 4",
)
PERIOD = window().period
KNOWN = Knowledge.of(forms_of(rulebook(forms=(FORM,)), PERIOD.last_day))


def disclosure(**more):
    said = {
        "code": "public-edition",
        "citation": "QĐ 1",
        "issued": LONG_AGO,
        "effective_from": LONG_AGO,
        "threshold": K,
        "periods": ("h1",),
    }
    return DisclosureRule(**{**said, **more})


class WithPublic(Reporting):
    async def take(self, arrivals):
        before = len(self.out)
        await super().take(arrivals)
        await self.desk.issue(Edition.PUBLIC)
        return self.out[before:]


class TestTheRule:
    def test_a_period_that_no_rule_names_has_none(self):
        assert rule_for(rulebook(), PERIOD) is None
        assert rule_for(rulebook(disclosure=(disclosure(periods=("y",)),)), PERIOD) is None

    def test_the_last_rule_in_force_on_the_last_day_counts(self):
        old, new = disclosure(), disclosure(threshold=20, effective_from=date(2026, 1, 1))
        later = disclosure(threshold=30, effective_from=PERIOD.last_day + timedelta(days=1))

        assert rule_for(rulebook(disclosure=(new, later, old)), PERIOD) == new


def received(count, unit="ward", prefix="s"):
    """So many letters of each kind, signed in each way."""
    return [
        submission_received(
            f"{prefix}-{unit}-{kind}-{signed}-{n}", unit=unit, kind=kind, signatures=signed
        )
        for kind in (Kind.COMPLAINT, Kind.DENUNCIATION, Kind.PETITION)
        for signed in Signatures
        for n in range(count)
    ]


@pytest.fixture
async def reporting():
    service = WithPublic()
    book = rulebook_published(disclosure=(disclosure(),), forms=(FORM,))
    await service.keep_rules([directory_published(), book])
    events = [*received(30), *received(25, "commune"), *received(2, "school")]
    await service.keep_rows(events)
    return service


def of(edition, events):
    return [event.data for event in events if event.data.edition is edition]


def late(reporting, events):
    """Recorded on the next day, which is now."""
    reporting.at += timedelta(days=1)
    return [e.model_copy(update={"recordedtime": reporting.at}) for e in events]


async def test_both_editions_go_out_at_once(reporting):
    events = await reporting.take([close()])

    assert len(of(Edition.PUBLIC, events)) == len(of(Edition.INTERNAL, events)) == 4
    assert {r.threshold for r in of(Edition.PUBLIC, events)} == {K}
    assert len({event.id for event in events}) == 8
    assert {r.nats_subject().split(".")[1] for r in of(Edition.PUBLIC, events)} == {"public"}


async def test_what_is_published_is_true_and_of_few_nothing_is(reporting):
    events = await reporting.take([close()])
    internal = {(r.form, r.unit): r for r in of(Edition.INTERNAL, events)}

    shown = 0
    for report in of(Edition.PUBLIC, events):
        true = internal[report.form, report.unit]
        for cells, real in zip(
            (*(row.cells for row in report.rows), report.totals),
            (*(row.cells for row in true.rows), true.totals),
            strict=True,
        ):
            for cell, figure in zip(cells, real, strict=True):
                assert cell in {None, figure}
                shown += cell is not None and cell >= K
    assert shown > 10
    assert attack(of(Edition.PUBLIC, events), KNOWN) == ()


async def test_what_is_public_names_no_cause_and_no_case(reporting):
    events = await reporting.take([close()])

    assert all(not r.causes and not r.in_flight for r in of(Edition.PUBLIC, events))


async def test_a_correction_by_few_goes_out_inside_only(reporting):
    await reporting.take([close()])
    await reporting.keep_rows(late(reporting, received(1, "ward", "late")[:3]))

    events = await reporting.take([revise()])
    assert of(Edition.INTERNAL, events)
    assert of(Edition.PUBLIC, events) == []


async def test_a_correction_by_many_goes_out_with_what_waited(reporting):
    await reporting.take([close()])
    await reporting.keep_rows(late(reporting, received(1, "ward", "late")[:3]))
    await reporting.take([revise()])
    await reporting.keep_rows(late(reporting, received(20, "ward", "later")))

    events = await reporting.take([revise(command="order-r2", sequence=51)])
    public = {(r.form, r.unit): r for r in of(Edition.PUBLIC, events)}
    report = public["letters", "province"]
    assert report.revision == 2
    assert {c.now - c.before for c in report.changes} <= {3 + 180, 60, 61, 63, 180, 183}
    everything = [each.report for each in await reporting.reports.public_near(PERIOD)]
    assert attack(everything, KNOWN) == ()


BOOK = rulebook(disclosure=(disclosure(),), forms=(FORM,))


async def internal_of(reporting):
    return of(Edition.INTERNAL, await reporting.take([close()]))


def test_without_reports_there_is_none():
    assert public_edition([], 1, BOOK, KNOWN).reports == ()


async def test_the_issues_before_are_known_to_who_attacks(reporting):
    """Small differences between issues would be found: that is what waiting prevents."""
    first = await internal_of(reporting)
    await reporting.keep_rows(late(reporting, received(1, "ward", "late")[:3]))
    second = of(Edition.INTERNAL, await reporting.take([revise()]))
    whole = list({(r.form, r.unit): r for r in (*first, *second)}.values())

    alone = public_edition(whole, 2, BOOK, KNOWN).reports
    issued = [Issued(1, report) for report in public_edition(first, 1, BOOK, KNOWN).reports]
    both = [*(i.report for i in issued), *(r.model_copy(update={"revision": 2}) for r in alone)]

    assert attack(both, KNOWN) != ()
    corrected = public_edition(whole, 2, BOOK, KNOWN, issued)
    assert (corrected.reports, corrected.reason) == ((), "waits until more is corrected")


async def test_what_the_attacker_finds_anything_in_does_not_go_out(reporting, monkeypatch):
    internal = await internal_of(reporting)
    monkeypatch.setattr(edition, "protect", lambda reports, *_, **__: Protected(tuple(reports)))

    stopped = public_edition(internal, 1, BOOK, KNOWN)

    assert stopped.reports == ()
    assert {each.form for each in stopped.found} == {"letters"}


async def test_beside_a_period_that_overlaps_nothing_goes_out(reporting):
    internal = await internal_of(reporting)
    year = PERIOD.model_copy(update={"code": "2026-y", "last_day": date(2026, 12, 14)})
    longer = [Issued(1, r.model_copy(update={"period": year})) for r in internal]

    assert public_edition(internal, 1, BOOK, KNOWN, longer).reason == "overlaps another period"


def test_periods_that_overlap_are_told():
    assert list(overlapping(disclosure(periods=("h1", "y")), BOOK.periods))
    assert not list(overlapping(disclosure(periods=("h1",)), BOOK.periods))
    assert not list(overlapping(disclosure(periods=("y",)), BOOK.periods))


def test_years_adjoin_and_first_halves_do_not():
    assert adjoin(disclosure(periods=("y",)), BOOK.periods)
    assert not adjoin(disclosure(periods=("h1",)), BOOK.periods)


async def test_a_crash_after_keeping_says_the_same_again(reporting):
    reporting.away = True
    with pytest.raises(Unconfirmed):
        await reporting.take([close()])
    reporting.away = False
    first = await reporting.take([close()])

    assert await reporting.desk.issue(Edition.PUBLIC) == 0
    assert len({event.id for event in first}) == 8


def four_periods(seed):
    """Units that are carried on from one period to the next, told for a few."""
    dice = Random(seed)

    def few():
        return dice.choice((dice.randrange(4), dice.randrange(13), dice.randrange(61)))

    parents = {"u0": None}
    for number in range(1, dice.randrange(2, 7)):
        above = f"u{dice.randrange(number)}" if dice.random() < 0.3 else "u0"
        parents[f"u{number}"] = above
    old = {unit: few() for unit in parents}
    third, fourth = (
        period.model_copy(
            update={
                "code": period.code.replace("2026", "2027"),
                "first_day": period.first_day.replace(year=period.first_day.year + 1),
                "last_day": period.last_day.replace(year=period.last_day.year + 1),
            }
        )
        for period in (H1, NEXT)
    )
    for period in (H1, NEXT, third, fourth):
        own = {}
        for unit in parents:
            new = few()
            total = old[unit] + new
            left, x = dice.randrange(total + 1), dice.randrange(total + 1)
            own[unit] = stock(old[unit], new, left, x)
            old[unit] = left
        yield reports(STOCK, own, parents, period)


@pytest.mark.parametrize("seed", [44, 114, 136, *range(9)])
def test_what_is_known_from_both_sides_is_withheld(seed):
    """In the first three the rule on periods alone does not see it."""
    issued = []
    for internal in four_periods(seed):
        protected, found = safe(internal, 4, (STOCKS, STOCKS), issued)
        assert not found
        issued += protected.reports
    assert issued


def editions(outcome):
    return REGISTRY.get_sample_value("langnghe_public_editions_total", {"outcome": outcome})


@pytest.mark.parametrize(
    ("outcome", "protect"),
    [
        ("published", edition.protect),
        ("refused", lambda reports, *_, **__: Protected(tuple(reports))),
    ],
)
async def test_an_edition_counts_by_whether_the_attacker_stopped_it(
    reporting, monkeypatch, outcome, protect
):
    monkeypatch.setattr(edition, "protect", protect)
    before = {each: editions(each) for each in ("published", "refused", "withheld")}

    await reporting.take([close()])

    assert {each: editions(each) - before[each] for each in before} == {
        "published": 0,
        "refused": 0,
        "withheld": 0,
        outcome: 1,
    }


async def test_an_edition_that_waits_for_more_counts_as_withheld(reporting):
    await reporting.take([close()])
    await reporting.keep_rows(late(reporting, received(1, "ward", "late")[:3]))
    before = editions("withheld")

    await reporting.take([revise()])

    assert editions("withheld") == before + 1
