"""The life of a case: assigned → accepted → concluded, and who may move it on.

Only the lead body moves a case, one step at a time, and no step is taken back.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from services.routing.domain.clocks import Clock, all_met
from services.routing.domain.command import Refusal, Sending
from shared.contracts.case import CaseAccept, CaseAccepted, CaseConclude, CaseConcluded
from shared.contracts.envelope import AnyEvent, Event

SKEW = timedelta(minutes=5)
"""How far a body's clock may run ahead of the stream's."""


class Stage(StrEnum):
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    CONCLUDED = "concluded"


@dataclass(frozen=True, slots=True)
class CaseState:
    """A case as the next command finds it. `version` is that of its last event."""

    case: str
    affair: str
    """The correlation id of every event of the case."""
    lead: str
    stage: Stage
    version: int
    received: datetime
    accepted: datetime | None = None
    clocks: tuple[Clock, ...] = ()
    concluded: datetime | None = None

    def after(self, event: Event[CaseAccepted] | Event[CaseConcluded]) -> "CaseState":
        """The state that an event of the case, decided from this one, leads to."""
        match event.data:
            case CaseAccepted():
                accepted, concluded, stage = event.time, None, Stage.ACCEPTED
            case CaseConcluded():
                accepted, concluded = self.accepted or event.time, event.time
                stage = Stage.CONCLUDED
        return replace(
            self,
            stage=stage,
            accepted=accepted,
            concluded=concluded,
            version=event.data.version,
        )


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """A case as it begins: its state, and the events that announce it, in version order."""

    state: CaseState
    events: tuple[AnyEvent, ...]


@dataclass(frozen=True, slots=True)
class KeptCase:
    """A case as it stands, with the sendings that moved it: the proof that they did."""

    state: CaseState
    acted: tuple[Sending, ...] = field(default=())

    def moved_by(self, key: str) -> Sending | None:
        """The sending of this key, if it has moved the case already."""
        return next((sending for sending in self.acted if sending.key == key), None)

    def moved_as(self, party: str, item: str) -> Sending | None:
        """The sending under which the party's command moved the case."""
        known = (s for s in self.acted if (s.party, s.item) == (party, item))
        return next(known, None)


def decide(
    state: CaseState,
    order: CaseAccept | CaseConclude,
    *,
    party: str,
    at: datetime,
    recorded: datetime,
    zone: tzinfo,
) -> CaseAccepted | CaseConcluded | Refusal:
    """What a party's order about an act at `at`, taken in at `recorded`, does to the case.

    Who does not lead the case is told so before anything else: its state is none of theirs.
    """
    if party != state.lead:
        return _not_lead()
    if at > recorded + SKEW:
        return _time_in_future()
    if at < state.received:
        return _time_before_receipt()
    match order:
        case CaseAccept():
            return _accept(state)
        case CaseConclude():
            return _conclude(state, order, at, zone)


def _accept(state: CaseState) -> CaseAccepted | Refusal:
    match state.stage:
        case Stage.ASSIGNED:
            return CaseAccepted(version=state.version + 1, body=state.lead)
        case Stage.ACCEPTED:
            return Refusal.of(
                "already-accepted",
                "The case is accepted already",
                field="/subject",
                advice="Nothing is left to do; conclude the case when it is answered.",
            )
        case Stage.CONCLUDED:
            return _already_concluded()


def _conclude(
    state: CaseState, order: CaseConclude, at: datetime, zone: tzinfo
) -> CaseConcluded | Refusal:
    match state.stage:
        case Stage.ASSIGNED:
            return Refusal.of(
                "not-accepted",
                "The case is not accepted yet",
                field="/subject",
                advice="Send case.accept.v1 for this case first, then conclude it again.",
            )
        case Stage.CONCLUDED:
            return _already_concluded()
        case Stage.ACCEPTED:
            if state.accepted is not None and at < state.accepted:
                return _time_before_acceptance()
            return CaseConcluded(
                version=state.version + 1,
                body=state.lead,
                outcome=order.outcome,
                in_time=all_met(state.clocks, CONCLUSION, at, zone),
            )


CONCLUSION = "concluded"
"""What a clock rule names as its stop where the answer stops it."""


def _not_lead() -> Refusal:
    return Refusal.of(
        "not-lead",
        "Another body leads this case",
        field="/subject",
        advice="Give orders only on cases whose case.assigned.v1 names you as the lead.",
    )


def _already_concluded() -> Refusal:
    return Refusal.of(
        "already-concluded",
        "The case is concluded",
        field="/subject",
        advice="Nothing is left to do; a conclusion stands.",
    )


def _time_in_future() -> Refusal:
    return Refusal.of(
        "time-in-future",
        "The act lies in the future",
        field="/time",
        advice="Give the moment when it happened, and set the clock of the sending system.",
    )


def _time_before_receipt() -> Refusal:
    return Refusal.of(
        "time-before-receipt",
        "The act lies before the receipt of the submission",
        field="/time",
        advice="Give the moment when it happened, at or after the case's time of receipt.",
    )


def _time_before_acceptance() -> Refusal:
    return Refusal.of(
        "time-before-acceptance",
        "The answer lies before the acceptance of the case",
        field="/time",
        advice="Give the moment of the answer, at or after that of the acceptance.",
    )
