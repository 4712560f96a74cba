"""Promises of forms as data: what the rulebook says is what is counted."""

from datetime import date

import pytest

from services.reporting.domain.forms import NotAForm, Tally, forms_of
from services.reporting.domain.forms.form import qualified
from services.reporting.domain.forms.rules import columns_of, form_of, slips
from services.reporting.domain.forms.standing import every_way_to_stand
from services.reporting.domain.forms.tally import cells_of_one
from shared.contracts.rulebook import FormHeading
from tests.examples_reporting import (
    DAY,
    FORMS,
    LAST_DAY,
    LETTERS,
    ROOT,
    SUPERVISION,
    count,
    form_rule,
    label,
    rulebook,
    window,
)
from tests.figures_reporting import FIGURES, lives


def test_as_data_both_forms_count_what_they_counted_as_code():
    expected = FIGURES.read_text(encoding="utf-8").splitlines()

    said = []
    for name, row in lives():
        tally = Tally(window(), frozenset({"take-up"}))
        tally.add_case(row)
        columns = [" ".join(count(form, tally)) for form in (LETTERS, SUPERVISION)]
        said.append(" | ".join((name, *columns)).rstrip())
    assert said == [line.rstrip() for line in expected]
    assert len(said) > 800


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.code)
def test_no_case_that_there_can_be_breaks_an_identity(form):
    for facts in every_way_to_stand():
        assert form.broken(cells_of_one(form, facts)) is None
        figures = qualified(FORMS, {each.code: cells_of_one(each, facts) for each in FORMS})
        assert all(identity.holds(figures) for identity in form.across)


def test_the_sample_has_the_forms_of_the_pack():
    pack, sample = (
        (ROOT / "deploy" / folder / "rulebook.yaml").read_text(encoding="utf-8").split("\nforms:\n")
        for folder in ("packs/viet-nam", "sample")
    )

    assert sample[1] == pack[1]


class TestInForce:
    def codes(self, *rules, day=LAST_DAY):
        return [form.code for form in forms_of(rulebook(forms=rules), day)]

    @pytest.mark.parametrize(
        ("dates", "in_force"),
        [
            ({"effective_from": LAST_DAY}, True),
            ({"effective_from": LAST_DAY + DAY}, False),
            ({"effective_to": LAST_DAY}, False),
            ({"effective_to": LAST_DAY + DAY}, True),
        ],
    )
    def test_a_form_counts_that_is_in_force_that_day(self, dates, in_force):
        assert bool(self.codes(form_rule("f", {"1": "cases"}, **dates))) is in_force

    @pytest.mark.parametrize("order", [1, -1])
    def test_of_two_the_latest_to_begin_counts(self, order):
        old = form_rule("f", {"1": "cases"})
        new = form_rule("f", {"2": "cases"}, effective_from=date(2026, 1, 1))

        [form] = forms_of(rulebook(forms=(old, new)[::order]), LAST_DAY)

        assert [column.code for column in form.columns] == ["2"]

    def test_an_identity_with_a_form_that_is_not_in_force_is_left_out(self):
        one = form_rule("one", {"1": "cases"}, "1 = two.1")
        two = form_rule("two", {"1": "cases"}, effective_to=LAST_DAY)

        [form] = forms_of(rulebook(forms=(one, two)), LAST_DAY)
        [earlier, _] = forms_of(rulebook(forms=(one, two)), LAST_DAY - DAY)

        assert form.checked == ()
        assert earlier.checked == ("1 = two.1",)

    def test_an_identity_may_name_its_own_form_in_full(self):
        one = form_rule("one", {"1": "cases", "2": "cases"}, "one.1 = 2")

        [form] = forms_of(rulebook(forms=(one,)), LAST_DAY)

        assert form.across == ()
        assert form.broken((3, 4)) is not None


class TestHeadings:
    HEADINGS = (
        FormHeading(code="wide", label=label("Rộng")),
        FormHeading(code="narrow", label=label("Hẹp"), under="wide"),
    )

    def column(self, under, headings=HEADINGS):
        rule = form_rule("f", {"1": "cases"}, headings=headings)
        [column] = rule.columns
        rule = rule.model_copy(update={"columns": (column.model_copy(update={"under": under}),)})
        [published] = form_of(rule, {}).published_columns
        return published

    def test_a_label_has_all_headings_in_one_text(self):
        column = self.column("narrow")

        assert column.label.vi == "Rộng: Hẹp: 1"
        assert [each.vi for each in column.path] == ["Rộng", "Hẹp", "1"]

    def test_a_column_without_headings_has_its_label_alone(self):
        column = self.column(None)

        assert (column.label.vi, column.path) == ("1", ())

    def test_headings_in_a_circle_are_found_and_end(self):
        circle = (
            FormHeading(code="a", label=label("a"), under="b"),
            FormHeading(code="b", label=label("b"), under="a"),
        )
        rule = form_rule("f", {"1": "cases"}, headings=circle)

        assert {slip.problem for slip in slips(rule)} == {"heading-in-circle"}


SLIPS = {
    "unreadable-count": form_rule("f", {"1": "cases where recieved"}),
    "column-reserved": form_rule("f", {"cases": "cases"}),
    "unreadable-identity": form_rule("f", {"1": "cases"}, "1 == 1"),
    "unknown-column": form_rule("f", {"1": "cases"}, "1 = 2"),
    "unknown-heading": form_rule("f", {"1": "cases"}).model_copy(
        update={"headings": (FormHeading(code="a", label=label("a"), under="b"),)}
    ),
    "heading-in-circle": form_rule(
        "f", {"1": "cases"}, headings=(FormHeading(code="a", label=label("a"), under="a"),)
    ),
}


@pytest.mark.parametrize("problem", SLIPS)
def test_a_slip_is_found_as_what_it_is_and_keeps_the_form_from_being_filled(problem):
    assert [slip.problem for slip in slips(SLIPS[problem])] == [problem]
    with pytest.raises(NotAForm, match="form f"):
        form_of(SLIPS[problem], columns_of([SLIPS[problem]]))


def test_a_code_used_twice_is_a_slip():
    rule = form_rule("f", {"1": "cases"})

    twice = rule.model_copy(update={"columns": rule.columns * 2})

    assert [slip.problem for slip in slips(twice)] == ["column-twice"]


@pytest.mark.parametrize("counts", ["3", "1 + 2", "2 + 2"])
def test_only_columns_that_count_can_be_added(counts):
    columns = {"1": "cases", "2": "1", "4": counts}

    assert [slip.problem for slip in slips(form_rule("f", columns))][-1:] == ["unknown-column"]


def test_a_slip_names_form_column_and_what_was_likely_meant():
    with pytest.raises(NotAForm) as caught:
        form_of(SLIPS["unreadable-count"], {})

    said = str(caught.value)
    assert said.startswith("form f, column 1: In 'cases where recieved' 'recieved' was read")
    assert "did you mean 'received'?" in said
