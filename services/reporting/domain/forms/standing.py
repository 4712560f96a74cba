"""How a case stands at a period's end, and the facts that follow from it.

There are some thousand ways to stand: whether a form foots for every case that there can be, and
whether a column can be filled at all, is told by trying them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

from services.reporting.domain.forms.facts import Fact
from shared.contracts.case import Referral
from shared.contracts.vocabulary import Kind, Outcome, Signatures

Facts = tuple[Fact, ...]

_SIGNED = {
    Signatures.SEVERAL.value: Fact.SEVERAL_SIGNED,
    Signatures.ONE.value: Fact.ONE_SIGNED,
    Signatures.OTHER.value: Fact.OTHER_SIGNED,
}
_KIND = {
    Kind.COMPLAINT.value: (Fact.COMPLAINT,),
    Kind.DENUNCIATION.value: (Fact.DENUNCIATION,),
    Kind.PETITION.value: (Fact.PETITION, Fact.PETITION_OR_REFLECTION),
    Kind.REFLECTION.value: (Fact.REFLECTION, Fact.PETITION_OR_REFLECTION),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a case was concluded: by an answer with its outcome, or passed on by a way."""

    in_time: bool
    referral: str | None = None
    outcome: str | None = None
    again: bool = False
    """It had been settled before."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a case by the period's end."""

    carried: bool
    signatures: str
    kind: str
    eligible: bool
    assigned: bool
    within: bool
    accepted: bool
    overdue: bool
    ending: Ending | None
    joined: bool = False
    """It was closed as a duplicate: a letter that came in, and no matter of its own."""

    @cache  # noqa: B019 - some thousand ways to stand, which a million cases share
    def facts(self) -> Facts:
        """In an order that depends on nothing but the facts."""
        return tuple(self._facts())

    def _facts(self) -> Iterator[Fact]:
        yield Fact.CARRIED_OVER if self.carried else Fact.RECEIVED
        yield _SIGNED[self.signatures]
        yield from _KIND[self.kind]
        if self.assigned:
            yield Fact.HANDLED
        if self.joined:
            yield Fact.JOINED
            return
        if self.eligible:
            yield Fact.ELIGIBLE
        if self.ending is not None and self.ending.referral is not None:
            yield Fact.NOT_WITHIN_COMPETENCE
            yield Fact(self.ending.referral)
        elif self.assigned and not self.within:
            yield Fact.NOT_WITHIN_COMPETENCE
            yield Fact.FORWARDED
        else:
            yield Fact.WITHIN_COMPETENCE
        yield from self._state(self.ending)

    def _state(self, ending: Ending | None) -> Iterator[Fact]:
        if ending is None:
            yield Fact.BEING_SETTLED if self.accepted else Fact.NOT_SETTLED
            yield Fact.OPEN
            if self.overdue:
                yield Fact.OVERDUE
            return
        yield Fact.CONCLUDED
        if ending.referral is not None:
            yield Fact.NOT_SETTLED
        else:
            yield Fact.SETTLED_AGAIN if ending.again else Fact.SETTLED_ONCE
            yield Fact.ANSWERED
            yield Fact(f"outcome = {ending.outcome}")
        yield Fact.IN_TIME if ending.in_time else Fact.LATE


@cache
def every_way_to_stand() -> tuple[Facts, ...]:
    """The facts of every case that there can be, those with the fewest first."""
    yes_or_no = (False, True)
    endings = (
        None,
        *(Ending(t, referral=way) for t, way in product(yes_or_no, Referral)),
        *(Ending(t, outcome=o, again=a) for t, o, a in product(yes_or_no, Outcome, yes_or_no)),
    )
    standings = product(
        yes_or_no, Signatures, Kind, yes_or_no, yes_or_no, yes_or_no, yes_or_no, yes_or_no, endings
    )
    ways = [Standing(*each) for each in standings]
    ways += [replace(way, joined=True) for way in ways if way.ending is None]
    found = {way.facts() for way in ways}
    return tuple(sorted(found, key=lambda facts: (len(facts), facts)))
