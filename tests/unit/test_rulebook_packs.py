"""The packs' terms from acceptance on, and what follows when they are missed."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from deploy.rules import RULE_FILES, read_rules
from services.routing.domain.calendar import WorkingDays
from services.routing.domain.command import Refusal
from services.routing.domain.decision import Act
from services.routing.domain.directory import DirectoryIndex
from services.routing.domain.due import tick
from services.routing.domain.opening import open_case
from services.routing.domain.orders import decide
from services.routing.domain.rules import RulesInForce
from shared.contracts.order import CaseAccept, CaseExtend, CaseWithdraw
from shared.contracts.vocabulary import Concern, Kind
from tests.examples_routing import submission_received

DEPLOY = Path(__file__).parents[2] / "deploy"
SAMPLE, VIET_NAM = DEPLOY / "sample", DEPLOY / "packs" / "viet-nam"
RURITANIA = DEPLOY / "packs" / "ruritania"


class Life:
    """One case of a pack; days are counted from its receipt on Tuesday, 10 March 2026, at ten."""

    def __init__(self, pack, places, zone, kind, **more) -> None:
        def read(folder, noun):
            return read_rules(folder / f"{noun}.yaml", RULE_FILES[noun])

        self.zone = ZoneInfo(zone)
        self.rules = RulesInForce(
            directory=DirectoryIndex(read(places, "directory")),
            directory_version=1,
            rulebook=read(pack, "rulebook"),
            rulebook_version=1,
            working_days=WorkingDays(read(pack, "calendar")),
            calendar_version=1,
        )
        self.received = datetime(2026, 3, 10, 10, tzinfo=self.zone)
        submission = submission_received(time=self.received, kind=kind, **more)
        self.state = open_case(submission, self.rules, self.zone, self.received).state
        self.first_lead = self.state.lead

    def orders(self, order, days):
        at = self.received + timedelta(days=days)
        said = decide(self.state, order, Act(self.state.lead, at, at), self.rules, self.zone)
        if not isinstance(said, Refusal):
            self.state = said.after
        return said

    def passes(self, days):
        at = self.received + timedelta(days=days)
        self.state = tick(self.state, self.rules, self.zone, at).after

    @property
    def due(self):
        return {clock.code: clock.due for clock in self.state.clocks}


def viet_nam(kind):
    about = {"unit": "so-xay-dung", "concerns": Concern(unit="so-xay-dung")}
    return Life(VIET_NAM, SAMPLE, "Asia/Ho_Chi_Minh", kind, **about)


def ruritania():
    about = {"unit": "bridge-house", "category": "bridges"}
    concerns = Concern(office="toll-master")
    kind = Kind.DENUNCIATION
    return Life(RURITANIA, RURITANIA, "Europe/Vienna", kind, concerns=concerns, **about)


SETTLED = {
    Kind.COMPLAINT: ("complaint-settle", (15,)),
    Kind.DENUNCIATION: ("denunciation-settle", (30, 30)),
}


@pytest.mark.parametrize("kind", SETTLED)
class TestVietNamSettles:
    def test_within_30_days_of_the_acceptance(self, kind):
        case, (clock, _) = viet_nam(kind), SETTLED[kind]
        assert clock not in case.due

        case.orders(CaseAccept(), days=2)

        assert case.due[clock] == date(2026, 3, 12) + timedelta(days=30)

    def test_and_no_later_than_its_extensions_allow(self, kind):
        case, (clock, extensions) = viet_nam(kind), SETTLED[kind]
        case.orders(CaseAccept(), days=2)
        for days in extensions:
            case.orders(CaseExtend(clock=clock, days=days, citation="QĐ số 1"), days=3)

        refused = case.orders(CaseExtend(clock=clock, days=1, citation="QĐ số 2"), days=3)

        assert refused.problem == "beyond-longest"
        assert case.due[clock] == date(2026, 3, 12) + timedelta(days=30 + sum(extensions))

    def test_or_the_body_above_joins_to_urge(self, kind):
        case = viet_nam(kind)
        case.orders(CaseAccept(), days=2)

        case.passes(days=2 + 30)
        assert case.state.cooperating == ()
        case.passes(days=2 + 30 + 1)

        [urging] = case.state.cooperating
        assert (case.state.lead, urging != case.first_lead) == (case.first_lead, True)


@pytest.mark.parametrize("kind", Kind)
def test_what_nobody_accepts_in_viet_nam_the_body_above_takes_over_once(kind):
    case = viet_nam(kind)

    # Ten working days from 10 March end on the 24th; the shorter terms of acceptance before.
    for days in range(15):
        case.passes(days)
        assert case.state.lead == case.first_lead
    case.passes(days=15)
    taken_over_by = case.state.lead
    case.passes(days=30)

    assert case.state.past == (case.first_lead,)
    assert case.state.lead == taken_over_by != case.first_lead


def test_a_charge_that_nobody_hears_goes_to_the_bench_above_in_ruritania():
    case = ruritania()

    case.passes(days=3)

    assert (case.first_lead, case.state.lead) == ("bridge-jury", "march-bench")


def test_a_charge_that_nobody_judges_is_looked_after_by_the_bench_above_in_ruritania():
    case = ruritania()
    case.orders(CaseAccept(), days=1)

    # Thursday 12, Saturday 14 worked, Sunday 15, Tuesday 17 and Wednesday 18.
    assert case.due["charge-judged"] == date(2026, 3, 18)
    case.passes(days=9)

    assert (case.state.lead, case.state.cooperating) == ("bridge-jury", ("march-bench",))


def withdraw(case: Life, goes_on=None, days=3):
    asked = case.received + timedelta(days=days)
    return case.orders(CaseWithdraw(asked=asked, goes_on=goes_on), days)


class TestWithdrawals:
    @pytest.mark.parametrize("kind", [Kind.COMPLAINT, Kind.DENUNCIATION])
    def test_in_viet_nam_a_letter_that_is_taken_back_is_discontinued(self, kind):
        case = viet_nam(kind)

        withdraw(case)

        assert not case.state.open

    @pytest.mark.parametrize("exception", ["signs-of-violation", "threatened-or-bribed"])
    def test_in_viet_nam_a_denunciation_is_settled_all_the_same(self, exception):
        case = viet_nam(Kind.DENUNCIATION)

        withdraw(case, exception)

        assert case.state.open
        assert case.state.goes_on.citation == "Luật Tố cáo 2018, Điều 33"

    def test_in_viet_nam_a_complaint_is_never_settled_against_the_word_of_its_sender(self):
        refused = withdraw(viet_nam(Kind.COMPLAINT), "signs-of-violation")

        assert refused.problem == "unknown-exception"
        assert "Luật Khiếu nại 2011, Điều 10" in refused.problems[0].advice

    @pytest.mark.parametrize("kind", [Kind.PETITION, Kind.REFLECTION])
    def test_in_viet_nam_nobody_withdraws_what_no_law_speaks_of(self, kind):
        refused = withdraw(viet_nam(kind))

        assert refused.problem == "no-withdrawal"
        assert "Luật Tố cáo 2018, Điều 33" in refused.problems[0].advice

    def test_in_ruritania_the_crown_is_an_exception(self):
        case = ruritania()

        assert withdraw(case, "signs-of-violation").problem == "unknown-exception"
        withdraw(case, "crown-named")

        assert case.state.goes_on.citation == "Codex, 82"
