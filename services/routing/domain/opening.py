"""How a submission becomes a case: what is announced of it, and the state it begins in."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, tzinfo

from services.routing.domain import SOURCE
from services.routing.domain.clocks import Clock, Versions, clocks_at_opening
from services.routing.domain.competence import NO_LOAD, assign
from services.routing.domain.lifecycle import CaseState, Grounds, OpenedCase, Stage
from services.routing.domain.matter import Matter
from services.routing.domain.reassessing import weighed
from services.routing.domain.rules import RulesInForce
from shared.contracts.case import CaseAssigned, CaseOpened, ClockStarted, case_id
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.submission import ELIGIBLE, SubmissionReceived


def open_case(
    event: Event[SubmissionReceived],
    rules: RulesInForce,
    zone: tzinfo,
    at: datetime,
    load: Mapping[str, int] = NO_LOAD,
) -> OpenedCase:
    """Open the submission's case at the instant `at`: a lead for all, clocks for the eligible.

    Everything is told as of the legal receipt, whenever we come to it. The lead is named by
    the directory of the local day of `at`: only a body of today can take up work today.
    `load` is the number of open cases by body; among equals the one with fewest leads.
    """
    submission = event.data
    case = case_id(event.subject or event.id)
    on = at.astimezone(zone).date()
    matter = _matter(event, zone)
    lead = assigned_at_opening(matter, rules, on, load)
    clocks: tuple[Clock, ...] = ()
    if submission.eligibility == ELIGIBLE:
        clocks = clocks_at_opening(
            submission.kind,
            event.time,
            rules.rulebook,
            rules.working_days,
            zone,
            versions=Versions(rules.rulebook_version, rules.calendar_version),
        )
    announced: tuple[AnyEvent, ...] = (
        event.causes(_opened(event), source=SOURCE, recorded=at, subject=case),
        event.causes(lead, source=SOURCE, recorded=at, subject=case),
        *_started(event, case, clocks, rules, at),
    )
    state = CaseState(
        case=case,
        affair=event.correlationid or event.id,
        lead=lead.lead,
        stage=Stage.ASSIGNED,
        version=len(announced),
        received=event.time,
        matter=matter,
        clocks=clocks,
        cooperating=lead.cooperating,
        assigned=Grounds(lead.basis, lead.rule, lead.citation, lead.within_competence),
        weighed=weighed(rules, on),
    )
    return OpenedCase(state=state, events=announced)


def _opened(event: Event[SubmissionReceived]) -> CaseOpened:
    submission = event.data
    return CaseOpened(
        version=1,
        submission=event.subject or event.id,
        unit=submission.unit,
        channel=submission.channel,
        form=submission.form,
        kind=submission.kind,
        category=submission.category,
        signatures=submission.signatures,
        concerns=submission.concerns,
        eligibility=submission.eligibility,
        received=event.time,
    )


def _matter(event: Event[SubmissionReceived], zone: tzinfo) -> Matter:
    submission = event.data
    return Matter(
        kind=submission.kind,
        category=submission.category,
        unit=submission.unit,
        concerns=(submission.concerns,),
        acted=event.time.astimezone(zone).date(),
    )


def assigned_at_opening(
    matter: Matter,
    rules: RulesInForce,
    on: date,
    load: Mapping[str, int],
    past: Collection[str] = (),
) -> CaseAssigned:
    """Who takes the matter up; those in `past` do not lead it."""
    assignment = assign(matter, rules.directory, rules.rulebook, on, load, past=past)
    return CaseAssigned(
        version=2,
        lead=assignment.lead,
        cooperating=assignment.cooperating,
        basis=assignment.basis,
        within_competence=assignment.within_competence,
        excluded=assignment.excluded,
        rule=assignment.rule,
        citation=assignment.citation,
        directory=rules.directory_version,
        rulebook=rules.rulebook_version,
        reasons=assignment.reasons,
    )


def _started(
    event: Event[SubmissionReceived],
    case: str,
    clocks: tuple[Clock, ...],
    rules: RulesInForce,
    at: datetime,
) -> Iterable[AnyEvent]:
    for data in clocks_said(clocks, 3, rules):
        started: AnyEvent = event.causes(data, source=SOURCE, recorded=at, subject=case)
        # One cause starts several clocks on one case: the clock's code tells their ids apart.
        own_id = derived_id(event.id, data.TYPE, case, data.clock)
        yield started.model_copy(update={"id": own_id})


def clocks_said(
    clocks: Iterable[Clock], first: int, rules: RulesInForce
) -> tuple[ClockStarted, ...]:
    """The beginning of each clock, from version `first` on."""
    return tuple(
        ClockStarted(
            version=version,
            clock=clock.code,
            citation=clock.citation,
            started=clock.started,
            due=clock.due,
            rulebook=rules.rulebook_version,
            calendar=rules.calendar_version,
        )
        for version, clock in enumerate(clocks, start=first)
    )
