"""No hop of a case leaves it with a body that it concerns, or with nobody.

Each hop has its own control. The second half takes out one control at a time, and only at one
hop, and sees the same walks find it.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from services.routing.domain import competence, due, ladder, opening, orders, reassessing
from shared.contracts.case import Assigning
from tests.walks_routing import Walk

WALKS = range(600)
MORE_WALKS = range(2000)
"""The rarest offence needs many; most are found within the first ten."""


@pytest.fixture(scope="module")
def walks() -> list[Walk]:
    return [Walk(seed).on() for seed in WALKS]


def test_no_hop_leaves_a_case_with_a_concerned_body_or_with_nobody(walks):
    offences = {seed: walk.offences for seed, walk in zip(WALKS, walks, strict=True)}

    assert {seed: found for seed, found in offences.items() if found} == {}


def test_the_walks_take_every_hop(walks):
    """A promise kept because nothing was tried is none."""
    seen = sum((walk.seen for walk in walks), Counter())

    hops = [why.value for why in Assigning if why is not Assigning.OPENING]
    assert min(seen[hop] for hop in hops) > 50
    assert min(seen[order] for order in ("CaseAmend", "CaseReopen", "CaseAccept")) > 200
    assert seen["refused-concerned"] > 50
    assert seen["refused-receiver-concerned"] > 50


@contextmanager
def seeing_nobody_excluded():
    with (
        patch.object(competence, "excluded", lambda *_: ()),
        patch.object(reassessing, "excluded", lambda *_: ()),
    ):
        yield


def blinded(function: Callable[..., Any], only: Callable[..., bool]) -> Callable[..., Any]:
    def blind(*given: Any, **named: Any) -> Any:
        if not only(*given, **named):
            return function(*given, **named)
        with seeing_nobody_excluded():
            return function(*given, **named)

    return blind


def always(*_: Any, **__: Any) -> bool:
    return True


def lead_is_concerned(state, rules, on) -> bool:
    return state.lead in {e.body for e in reassessing.barred(state, rules, on)}


def after_an_amendment(state, rules, on, why, **_) -> bool:
    return why is Assigning.CONCERNS


def after_a_reopening(state, rules, on, why, **_) -> bool:
    return why is Assigning.RULES


def under_new_rules(state, rules, on, **_) -> bool:
    return state.weighed.directory < rules.directory_version


CONTROLS = {
    "opening": (opening, "assign", always),
    "decline": (orders, "handed_on", always),
    "transfer: the receiver": (orders, "barred", lambda *a: not lead_is_concerned(*a)),
    "transfer: those that co-operate": (orders, "transferred", always),
    "any order: the lead": (orders, "barred", lead_is_concerned),
    "amendment": (orders, "reassessed", after_an_amendment),
    "reopening": (orders, "reassessed", after_a_reopening),
    "a concerned body gives way": (reassessing, "handed_on", always),
    "a missed term": (ladder, "escalated", always),
    "new rules": (due, "reassessed", under_new_rules),
    "a day that the directory names": (due, "reassessed", lambda *a, **_: not under_new_rules(*a)),
}


@pytest.mark.parametrize("hop", CONTROLS)
def test_a_hop_without_its_control_is_found_out(hop, monkeypatch):
    module, name, only = CONTROLS[hop]
    monkeypatch.setattr(module, name, blinded(getattr(module, name), only))

    assert any(Walk(seed).on().offences for seed in MORE_WALKS)
