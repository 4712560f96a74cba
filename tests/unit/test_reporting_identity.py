"""Promises of the identities' little language, and of forms that are declared with it."""

import pytest

from services.reporting.domain.forms import DoesNotFoot
from services.reporting.domain.forms.identity import Identity, NotAnIdentity
from services.reporting.domain.forms.rules import form_of
from tests.examples_reporting import FORMS, form_rule


def holds(text, **figures):
    return Identity.parse(text).holds({name.removeprefix("c"): n for name, n in figures.items()})


@pytest.mark.parametrize(
    ("text", "figures", "holding"),
    [
        ("9 = 11 + 12", {"c9": 3, "c11": 1, "c12": 2}, True),
        ("9 = 11 + 12", {"c9": 4, "c11": 1, "c12": 2}, False),
        ("1 = 2 = 3", {"c1": 3, "c2": 3, "c3": 3}, True),
        ("1 = 2 = 3", {"c1": 3, "c2": 3, "c3": 4}, False),
        ("1 <= 2", {"c1": 3, "c2": 3}, True),
        ("1 <= 2", {"c1": 4, "c2": 3}, False),
        ("1 <= 2 = 3 + 4", {"c1": 0, "c2": 3, "c3": 1, "c4": 2}, True),
        ("1 <= 2 = 3 + 4", {"c1": 0, "c2": 3, "c3": 1, "c4": 1}, False),
        ("a + b = c", {"a": 1, "b": 2, "cc": 3}, True),
    ],
)
def test_a_chain_holds_when_each_pair_of_neighbours_does(text, figures, holding):
    assert holds(text, **figures) is holding


def test_the_statutory_chain_is_read_as_it_is_written():
    identity = Identity.parse("9 = 11 + 12 + 13 = 14 + 15 + 16 + 17 = 18 + 22")

    assert identity.sums == (
        ("9",),
        ("11", "12", "13"),
        ("14", "15", "16", "17"),
        ("18", "22"),
    )
    assert identity.text == "9 = 11 + 12 + 13 = 14 + 15 + 16 + 17 = 18 + 22"


def test_a_column_named_twice_is_listed_once():
    assert Identity.parse("1 <= 2 + 1").columns == ("1", "2")


@pytest.mark.parametrize(
    "text", ["", "9", "9 + 8", "9 =", "= 9", "9 = + 8", "9 = 8 8", "9 == 8", "9 = 8 +", "9 < 8"]
)
def test_what_is_no_identity_is_refused(text):
    with pytest.raises(NotAnIdentity):
        Identity.parse(text)


def test_a_form_that_does_not_foot_names_place_and_figures():
    odd = form_of(form_rule("f", {"1": "cases", "2": "cases where open"}, "1 = 2"), {})

    identity = odd.broken((3, 4))

    assert identity is not None
    error = DoesNotFoot(odd, "ward", identity, (3, 4), "case-1")
    assert str(error) == "f of ward breaks 1 = 2 (1: 3, 2: 4); case case-1"


@pytest.mark.parametrize("published", FORMS, ids=lambda each: each.code)
def test_every_label_is_told_in_both_languages(published):
    labels = [published.title, *(each.label for each in published.published_columns)]

    assert all(each.vi and each.en for each in labels)
    assert len({each.vi for each in labels}) == len(labels)
