"""Which facet of which row follows from an event."""

from datetime import datetime

from services.reporting.domain.facet import Facet, Plain, RowChange, Table
from shared.contracts import (
    ActivityRecorded,
    CaseAccepted,
    CaseAssigned,
    CaseConcluded,
    CaseJoined,
    CaseOpened,
    CaseReferred,
    CaseReopened,
    ChannelAnnounced,
    ClockRestated,
    ClockStarted,
    SubmissionRated,
    SubmissionReceived,
)
from shared.contracts.case import CaseEvent, case_id
from shared.contracts.envelope import AnyEvent


def to_millisecond(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def change(event: AnyEvent) -> RowChange:
    """The one change that follows from an event; raises `TypeError` if none does."""
    said = event.data
    about = event.subject or event.id
    version = 0
    data: dict[str, Plain]
    match said:
        case SubmissionReceived() | SubmissionRated():
            # The case is known before routing has opened it, since its id is derived.
            (facet, data), table, key = _of_submission(said), Table.CASE, case_id(about)
        case ActivityRecorded():
            table, key, facet, data = Table.ACTIVITY, about, "recorded", _activity(said)
        case ChannelAnnounced():
            table, facet, data = Table.CHANNEL, "announced", _channel(said)
            # Of each day on which it was published the first word counts, whichever arrives first.
            key = "/".join(map(str, data.values()))
        case CaseEvent():
            (facet, data), table, key = _of_case(said), Table.CASE, about
            version = said.version
        case _:
            raise TypeError(f"no row follows from {event.type}")
    value = Facet(
        version=version,
        recorded=to_millisecond(event.recordedtime or event.time),
        event=event.id,
        time=to_millisecond(event.time),
        data=data,
    )
    return RowChange(table, key, facet, value)


def _of_submission(said: SubmissionReceived | SubmissionRated) -> tuple[str, dict[str, Plain]]:
    if isinstance(said, SubmissionRated):
        return "rated", {"score": said.score}
    return "submission", _as_received(said)


def _as_received(said: SubmissionReceived | CaseOpened) -> dict[str, Plain]:
    return {
        "unit": said.unit,
        "kind": said.kind.value,
        "signatures": said.signatures.value,
        "eligibility": said.eligibility,
    }


def _of_case(said: CaseEvent) -> tuple[str, dict[str, Plain]]:
    match said:
        case CaseOpened():
            return "opened", {**_as_received(said), "received": to_millisecond(said.received)}
        case CaseAssigned():
            return "assigned", {
                "lead": said.lead,
                "within_competence": said.within_competence,
                "accepted": said.accepted,
            }
        case ClockStarted() | ClockRestated():
            return f"clocks.{said.clock}", {"due": said.due.isoformat()}
        case CaseAccepted():
            return "accepted", {"body": said.body}
        case CaseJoined():
            return "joined", {"body": said.body}
        case CaseConcluded() | CaseReferred() | CaseReopened():
            return "concluded", _ended(said)
        case _:
            raise TypeError(f"no row follows from {said.TYPE}")


def _ended(said: CaseConcluded | CaseReferred | CaseReopened) -> dict[str, Plain]:
    """How a case ended; nothing but the body where it was taken up again."""
    match said:
        case CaseConcluded():
            return {
                "body": said.body,
                "outcome": said.outcome.value,
                "in_time": said.in_time,
                "times": said.times,
                "recovered": said.recovered,
                "sanctions": said.sanctions,
            }
        case CaseReferred():
            return {"body": said.body, "way": said.way.value, "in_time": said.in_time}
        case CaseReopened():
            return {"body": said.body}


def _activity(said: ActivityRecorded) -> dict[str, Plain]:
    return {
        "unit": said.unit,
        "kind": said.kind.value,
        "held": said.held.isoformat(),
        "participants": said.participants,
        "opinions_received": said.opinions_received,
        "opinions_accepted": said.opinions_accepted,
    }


def _channel(said: ChannelAnnounced) -> dict[str, Plain]:
    return {
        "agency": said.agency,
        "channel": said.channel.value,
        "published": said.published.isoformat(),
    }
