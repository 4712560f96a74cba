"""The page on reports says the words that forms are written with, and no others."""

import re

import pytest
import yaml

from services.reporting.domain.forms import forms_of
from services.reporting.domain.forms.counting import parse
from services.reporting.domain.forms.facts import Amount, Fact, Measure
from services.reporting.domain.forms.rules import slips_in
from shared.contracts.rulebook import FormRule
from tests.documents import ROOT, block, section
from tests.examples_reporting import FORM_RULES, LAST_DAY, rulebook

PAGE = ROOT / "docs" / "reports.md"


def first_cells(heading):
    """The code in the first cell of each row of the section's table."""
    rows = re.findall(r"^\| (`.*?) \|", section(heading, PAGE), re.MULTILINE)
    return [word for row in rows for word in re.findall(r"`(.+?)`", row)]


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("What holds of a case", Fact),
        ("Amounts of a case", Amount),
        ("Measures of a unit", Measure),
    ],
)
def test_every_word_is_explained_once(heading, words):
    assert sorted(first_cells(heading)) == sorted(words)


@pytest.mark.parametrize("written", first_cells("How to say what is counted"))
def test_what_is_shown_can_be_read(written):
    assert parse(written).text == written


def test_the_form_shown_can_be_filled_and_foots_with_those_of_the_pack():
    shown = FormRule.model_validate(yaml.safe_load(block("form", PAGE)))
    rules = rulebook(forms=(*FORM_RULES, shown))

    assert list(slips_in(rules)) == []
    form = forms_of(rules, LAST_DAY)[-1]
    assert form.checked == ("1 = 2 + 3 + 4", "1 = 01-xld.1")
