"""The id of an order that the command line gives: one for one order, another for another."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.command import Order
from shared.contracts import CaseAccept, CaseConclude, CaseWithdraw, ReportRevise
from shared.contracts.vocabulary import Outcome

AT = datetime(2026, 4, 2, 9, 30, tzinfo=UTC)
ASKED = AT - timedelta(hours=3)
CASE = "0b6f3f0e-7c0c-5f0a-9a53-6f1d7b1f4b0d"
WITHDRAWN = Order("province-front", CASE, AT, CaseWithdraw(asked=ASKED))


def id_of(order: Order) -> str:
    return order.event().id


@pytest.mark.parametrize(
    "other",
    [
        replace(WITHDRAWN, data=CaseWithdraw(asked=ASKED, goes_on="signs-of-violation")),
        replace(WITHDRAWN, data=CaseWithdraw(asked=ASKED + timedelta(minutes=1))),
        replace(WITHDRAWN, data=CaseWithdraw(asked=ASKED, version=3)),
        replace(WITHDRAWN, data=CaseAccept()),
        replace(WITHDRAWN, party="city-front"),
        replace(WITHDRAWN, subject="another-case"),
        replace(WITHDRAWN, time=AT + timedelta(seconds=1)),
    ],
)
def test_another_order_has_another_id(other):
    assert id_of(other) != id_of(WITHDRAWN)


def test_the_same_order_has_one_id_wherever_its_clock_stands():
    there = replace(WITHDRAWN, time=AT.astimezone(timezone(timedelta(hours=7))))

    assert id_of(there) == id_of(replace(WITHDRAWN)) == id_of(WITHDRAWN)


def test_an_order_that_names_its_version_is_one_whenever_it_is_given():
    order = replace(WITHDRAWN, data=CaseAccept(version=2))

    assert id_of(replace(order, time=AT + timedelta(days=1))) == id_of(order)
    assert id_of(replace(order, data=CaseAccept(version=3))) != id_of(order)


def test_what_names_no_version_is_told_apart_by_its_moment():
    order = Order("operator", "2026-h1", AT, ReportRevise(period="2026-h1"))

    assert id_of(replace(order, time=AT + timedelta(seconds=1))) != id_of(order)


ORDERS = st.builds(
    Order,
    party=st.sampled_from(["province-front", "city-front"]),
    subject=st.sampled_from([CASE, "another-case"]),
    time=st.sampled_from([AT, AT + timedelta(days=1)]),
    data=st.builds(
        CaseConclude,
        outcome=st.sampled_from(Outcome),
        recovered=st.integers(0, 3),
        version=st.sampled_from([None, 1, 2]),
    ),
)


@given(ORDERS, ORDERS)
def test_two_orders_of_one_moment_share_an_id_only_if_they_are_one(one, other):
    same_moment = replace(other, time=one.time)

    assert (id_of(one) == id_of(same_moment)) is (one == same_moment)
