"""Promises of the little language in which a form says what its columns count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.forms.counting import (
    RESERVED,
    Cases,
    Condition,
    NotACount,
    OfCases,
    OfUnit,
    Sum,
    cases,
    parse,
)
from services.reporting.domain.forms.facts import Amount, Fact, Measure

CONDITIONS = st.builds(Condition, st.sampled_from(Fact), st.booleans())
CASES = st.just(Cases()) | st.builds(
    lambda alternatives: Cases(tuple(map(tuple, alternatives))),
    st.lists(st.lists(CONDITIONS, min_size=1, max_size=4), min_size=1, max_size=3),
)
CODES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True).filter(
    lambda code: code not in RESERVED
)
COUNTS = st.one_of(
    CASES,
    st.builds(OfUnit, st.sampled_from(Measure)),
    st.builds(OfCases, st.sampled_from(Amount), CASES),
    st.builds(lambda codes: Sum(tuple(codes)), st.lists(CODES, min_size=1, max_size=4)),
)


@given(COUNTS)
def test_what_is_written_is_read_back(counts):
    assert parse(counts.text) == counts


@given(COUNTS, st.data())
def test_what_is_read_is_written_back_however_it_is_spaced(counts, data):
    words = counts.text.split()
    gaps = [data.draw(st.sampled_from([" ", "  ", "\n  "])) for _ in words]
    loose = "".join(word + gap for word, gap in zip(words, gaps, strict=True))

    assert parse(loose).text == counts.text


@given(st.lists(st.sampled_from([*RESERVED, *Fact, *Measure, *Amount, "11", "receved"])))
def test_any_words_are_a_count_or_are_refused(words):
    text = " ".join(words)
    try:
        counts = parse(text)
    except NotACount:
        return
    assert counts.text == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("cases", Cases()),
        ("cases where received and several-signed", cases(Fact.RECEIVED, Fact.SEVERAL_SIGNED)),
        (
            "cases where eligible and not within-competence",
            Cases(((Condition(Fact.ELIGIBLE), Condition(Fact.WITHIN_COMPETENCE, holds=False)),)),
        ),
        ("cases where concluded and outcome = right", cases(Fact.CONCLUDED, Fact.RIGHT)),
        (
            "cases where complaint or denunciation and eligible",
            Cases(
                (
                    (Condition(Fact.COMPLAINT),),
                    (Condition(Fact.DENUNCIATION), Condition(Fact.ELIGIBLE)),
                )
            ),
        ),
        ("sum of opinions-received", OfUnit(Measure.OPINIONS_RECEIVED)),
        ("sum of recovered over cases", OfCases(Amount.RECOVERED, Cases())),
        (
            "sum of sanctions over cases where denunciation",
            OfCases(Amount.SANCTIONS, cases(Fact.DENUNCIATION)),
        ),
        ("11 + 12 + 13", Sum(("11", "12", "13"))),
        ("11", Sum(("11",))),
    ],
)
def test_the_language_is_read_as_it_is_meant(text, counts):
    assert parse(text) == counts


@pytest.mark.parametrize(
    ("text", "read", "allowed", "nearest"),
    [
        ("", "", "`cases`, `sum of` or a column", None),
        ("case where received", "case", "`cases`, `sum of` or a column", "cases"),
        ("cases received", "received", "`where`", None),
        ("cases wher received", "wher", "`where`", "where"),
        ("cases where", "", "a fact of a case", None),
        ("cases where recieved", "recieved", "a fact of a case", "received"),
        ("cases where received and", "", "a fact of a case", None),
        ("cases where received adn open", "adn", "`and`, `or` or the end", "and"),
        ("cases where outcome = rihgt", "outcome = rihgt", "a fact of a case", "outcome = right"),
        ("cases where not not open", "not", "a fact of a case", None),
        ("sum dialogues", "dialogues", "`of`", None),
        ("sum of dialogue", "dialogue", "a measure", "dialogues"),
        ("sum of recovered", "", "`over`", None),
        ("sum of recovered over received", "received", "`cases`", None),
        ("sum of dialogues over cases", "over", "the end", None),
        ("11 12", "12", "`+` or the end", None),
        ("11 +", "", "`cases`, `sum of` or a column", None),
        ("11 + or", "or", "`cases`, `sum of` or a column", None),
    ],
)
def test_what_is_no_count_is_told_with_what_is_allowed(text, read, allowed, nearest):
    with pytest.raises(NotACount) as caught:
        parse(text)

    error = caught.value
    assert (error.read, error.allowed, error.nearest) == (read, allowed, nearest)
    assert allowed in str(error)


def test_not_holds_where_the_fact_does_not():
    unanswered = parse("cases where eligible and not answered")

    assert unanswered.has({Fact.ELIGIBLE})
    assert not unanswered.has({Fact.ELIGIBLE, Fact.ANSWERED})


def test_one_alternative_is_enough():
    either = parse("cases where complaint or denunciation")

    assert either.has({Fact.DENUNCIATION})
    assert not either.has({Fact.PETITION})
