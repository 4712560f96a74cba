"""Terms that begin at the acceptance, escalations and ranks: what can never come to pass is told."""

from datetime import date
from pathlib import Path

import pytest

from deploy.rulebook.document import Severity
from deploy.rulebook.lint import lint
from tests.examples_lint import (
    DIRECTORY,
    ENDED,
    ENDS_LATER,
    LABEL,
    ON,
    SETTLE,
    SETTLED,
    SOUND,
    URGED,
    changed,
    escalating,
    findings,
    rule,
    write,
)


@pytest.fixture
def found(tmp_path):
    def find(rulebook=SOUND, **more):
        return findings(tmp_path, rulebook, **more)

    return find


def test_a_kind_whose_terms_all_begin_at_the_acceptance_has_none_that_runs(found):
    [*gaps] = found(SETTLED | {"clocks": [SETTLE]})

    assert {finding.problem for finding in gaps} == {"kind-without-clock"}


def test_a_term_that_begins_at_the_acceptance_may_be_the_one_for_the_answer(found):
    assert found(SETTLED | {"clocks": [SOUND["clocks"][1], SETTLE]}) == []


class TestEscalations:
    @pytest.mark.parametrize("clock", ["answer", "take-up", "settle"])
    def test_a_term_that_can_be_missed_may_escalate(self, found, clock):
        assert found(escalating(rule("up", clock=clock, takes_over=True))) == []

    def test_an_escalation_cites_where_it_stands(self, found):
        [finding] = found(escalating(URGED | {"citation": " "}))

        assert (finding.problem, finding.rule) == ("no-citation", "urged")

    @pytest.mark.parametrize(
        ("clock", "told"),
        [
            (SETTLE | {"starts": "gone"}, "never-starts"),
            (SETTLE | {"stops": "accepted"}, "stops-at-start"),
            (SETTLE | ENDED, "never-in-force"),
        ],
    )
    def test_a_term_that_nobody_ever_misses_escalates_never(self, found, clock, told):
        rulebook = changed(escalating(URGED), "clocks", 2, to=clock)

        assert {f.problem for f in found(rulebook)} == {"never-escalates", told}

    def test_a_term_on_kinds_of_which_all_is_refused_escalates_never(self, found):
        rulebook = changed(escalating(URGED), "clocks", 2, "kinds", to=["petition"])
        refused = rule("no-petitions", kinds=["petition"])

        [finding] = found(changed(rulebook, "eligibility", "+", to=refused))

        assert (finding.problem, finding.rule) == ("never-escalates", "urged")
        assert found(changed(rulebook, "eligibility", "+", to=refused | ENDS_LATER)) == []
        ended = changed(rulebook, "clocks", 2, "effective_to", to=ENDS_LATER["effective_to"])
        [finding] = found(changed(ended, "eligibility", "+", to=refused | ENDS_LATER))
        assert finding.problem == "never-escalates"

    def test_one_that_never_holds_is_told_as_that_alone(self, found):
        assert [f.problem for f in found(escalating(URGED | ENDED))] == ["never-in-force"]

    def test_it_must_outlive_the_first_term(self, found):
        # The first term of 30 days from 2 February ends on 4 March; it is missed on the 5th.
        urged = URGED | {"effective_to": date(2018, 3, 5)}

        [finding] = found(escalating(urged))

        assert (finding.problem, finding.severity) == ("never-escalates", Severity.ERROR)
        assert found(escalating(urged | {"effective_to": date(2018, 3, 6)})) == []

    def test_one_that_begins_when_no_term_does_any_more_is_a_warning(self, found):
        rulebook = changed(escalating(URGED), "clocks", 2, to=SETTLE | ENDS_LATER)
        late = {"effective_from": date(2027, 1, 1)}

        [finding] = found(changed(rulebook, "escalations", to=[URGED | late]))

        assert (finding.problem, finding.severity) == ("never-escalates", Severity.WARNING)
        late = {"effective_from": date(2026, 12, 31)}
        assert found(changed(rulebook, "escalations", to=[URGED | late])) == []

    def test_one_may_follow_another(self, found):
        later = rule("taken", clock="settle", takes_over=True)

        assert (
            found(escalating(URGED | ENDS_LATER, later | {"effective_from": date(2027, 1, 1)}))
            == []
        )

    def test_each_term_may_have_its_own(self, found):
        assert found(escalating(URGED, rule("taken", clock="take-up", takes_over=True))) == []

    def test_two_of_one_code_are_told_once(self, found):
        assert [f.problem for f in found(escalating(URGED, URGED))] == ["overlap"]

    def test_a_finding_names_the_line_of_the_escalation(self, tmp_path):
        rulebook = escalating(rule("a", clock="answer"), rule("b", clock="gone"))
        file = write(tmp_path / "rulebook.yaml", rulebook)

        [finding] = lint(file, ON)

        assert file.read_text(encoding="utf-8").splitlines()[finding.line - 1] == "  clock: gone"
        assert finding.rule == "b"


class TestRanks:
    OFFICES = (
        {"code": "chair", "title": LABEL, "unit": "ward", "rank": "head"},
        {"code": "clerk", "title": LABEL, "unit": "province", "rank": "member"},
    )

    def directory(self, unit, *ranks):
        over = {"unit": unit, "ranks": list(ranks)}
        places = DIRECTORY | {"offices": list(self.OFFICES)}
        return changed(places, "bodies", 0, "jurisdictions", "+", to=over)

    @pytest.mark.parametrize(
        ("unit", "ranks"), [("province", ["head"]), ("ward", ["deputy", "head"])]
    )
    def test_a_rank_that_an_office_at_or_below_the_unit_has_is_covered(self, found, unit, ranks):
        assert found(directory=self.directory(unit, *ranks)) == []

    @pytest.mark.parametrize(("unit", "rank"), [("province", "deputy"), ("ward", "member")])
    def test_a_rank_that_no_office_there_has_is_found_in_the_directory(self, found, unit, rank):
        [finding] = found(directory=self.directory(unit, rank))

        assert (finding.problem, Path(finding.file).name) == (
            "rank-without-office",
            "directory.yaml",
        )

    def test_an_office_that_has_ended_does_not_count(self, found):
        ended = {"valid_from": date(2020, 1, 1), "valid_to": ON}
        gone = changed(self.directory("ward", "head"), "offices", 0, to=self.OFFICES[0] | ended)

        assert [finding.problem for finding in found(directory=gone)] == ["rank-without-office"]
