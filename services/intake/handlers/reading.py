"""From one arrival to what is to be kept of it: read, checked, classified, sealed."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import cast
from zoneinfo import ZoneInfo

import orjson

from services.intake.domain.classify import Stated
from services.intake.domain.duplicate import keys_of
from services.intake.domain.identity import Parted, part
from services.intake.domain.mail import Mail, read_mail
from services.intake.handlers.ports import ArrivalFate, Kept, KeptRecord, Rules
from services.intake.vault import Sealed, Vault
from shared.contracts import (
    FEED,
    ActivityRecorded,
    ChannelAnnounced,
    ChannelPublished,
    DialogueHeld,
    FormSubmitted,
    HotlineCallLogged,
    IngressData,
    LetterRegistered,
    MailboxMessageArrived,
    SubmissionReceived,
    SupervisionRecorded,
)
from shared.contracts.activity import ActivityKind
from shared.contracts.directory import Agency
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.ingress import Fate, FieldProblem
from shared.contracts.submission import submission_id
from shared.runtime.arrival import Arrival
from shared.runtime.refusal import Unacceptable, read_arrival, refuse

SOURCE = "/services/intake"
SKEW = timedelta(minutes=5)
"""How far ahead of the stream's clock an event's time may be before it is not believed."""

LEGAL_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
"""Where legal days begin and end: a rule holds from midnight there."""


@dataclass(frozen=True, slots=True)
class Refusal:
    fate: ArrivalFate
    event: AnyEvent


class Reader:
    """From one arrival to what is to be kept of it. Draws data keys; does no other I/O."""

    def __init__(self, vault: Vault, zone: tzinfo = LEGAL_ZONE) -> None:
        self._vault = vault
        self._zone = zone

    def read(self, arrival: Arrival, rules: Rules) -> Kept | KeptRecord | Refusal:
        try:
            event = read_arrival(arrival, FEED)
            agency = _agency(arrival, event, rules)
            if isinstance(event.data, SupervisionRecorded | DialogueHeld | ChannelPublished):
                return _record(arrival, event, agency)
            return self._submission(arrival, event, agency, rules)
        except Unacceptable as why:
            return self._refusal(arrival, why)

    def _submission(
        self, arrival: Arrival, event: Event[IngressData], agency: Agency, rules: Rules
    ) -> Kept:
        mail = None
        if isinstance(event.data, MailboxMessageArrived):
            _check_base64(arrival, event.id, event.data.raw)
            mail = read_mail(event.data.raw)
        parted = part(event.data, mail)
        said = rules.classifier.classify(
            parted.words,
            on=min(event.time, arrival.recorded).astimezone(self._zone).date(),
            form=parted.form,
            signatures=parted.signatures,
            readable=parted.readable,
            stated=_stated(event.data),
            unit=agency.unit,
        )
        submission = submission_id(agency.code, event.id)
        directory, rulebook = rules.versions
        believed = event.time <= arrival.recorded + SKEW
        announced = Event[SubmissionReceived](
            id=derived_id(submission, SubmissionReceived.TYPE),
            source=SOURCE,
            type=SubmissionReceived.TYPE,
            subject=submission,
            time=event.time if believed else arrival.recorded,
            recordedtime=arrival.recorded,
            correlationid=submission,
            causationid=event.id,
            data=SubmissionReceived(
                agency=agency.code,
                unit=agency.unit,
                channel=parted.channel,
                form=parted.form,
                kind=said.kind,
                category=said.category,
                signatures=parted.signatures,
                concerns=said.concerns,
                eligibility=said.eligibility,
                citation=said.citation,
                decided_by=said.decided_by,
                rulebook=rulebook,
                directory=directory,
            ),
        )
        return Kept(
            event=announced,
            keys=keys_of(agency.code, event, mail, key=self._vault.fingerprint_key),
            arrival=arrival.key,
            flags=(*_flags(mail), *(() if believed else ("time-ahead",))),
            sealed=self._seal(submission, parted, event.data),
        )

    def _seal(self, submission: str, parted: Parted, data: IngressData) -> dict[str, Sealed]:
        parts = {"identity": orjson.dumps(parted.identity), "text": orjson.dumps(parted.text)}
        if isinstance(data, MailboxMessageArrived):
            parts["raw"] = data.raw
        return {
            name: self._vault.close(submission, name, content) for name, content in parts.items()
        }

    def _refusal(self, arrival: Arrival, why: Unacceptable) -> Refusal:
        event = refuse(arrival, why, source=SOURCE)
        return Refusal(
            ArrivalFate(
                arrival=arrival,
                item=why.item,
                fate=Fate.REFUSED,
                refusal=event.data,
                sealed=self._vault.close(arrival.key, "refused", arrival.body),
            ),
            event,
        )


def _agency(arrival: Arrival, event: Event[IngressData], rules: Rules) -> Agency:
    """The agency that the server let publish there; what the event claims may only agree."""
    claimed = event.source.removeprefix("/agencies/")
    if event.source.startswith("/agencies/") and claimed != arrival.party:
        raise Unacceptable(
            "foreign-source",
            "The event names another agency than the one that sent it.",
            (FieldProblem(field="/source", rule="foreign-source", advice="Name your own agency."),),
            event.id,
        )
    agency = rules.agencies.get(arrival.party)
    if agency is None:
        raise Unacceptable(
            "unknown-agency",
            "The directory does not know this agency.",
            (FieldProblem(field="/source", rule="unknown-agency", advice="Ask the operator."),),
            event.id,
        )
    return agency


def _check_base64(arrival: Arrival, item: str, raw: bytes) -> None:
    """The contract's decoder passes over what is no base64, and so would keep half a mail."""
    try:
        written = orjson.loads(arrival.body)["data"]["raw"]
        whole = b64encode(raw) == "".join(written.split()).encode()
    except orjson.JSONDecodeError:  # pydantic takes some JSON that is none, such as NaN
        whole = False
    if not whole:
        advice = "Send the bytes of the whole message in base64 with + / and =."
        problem = FieldProblem(field="/data/raw", rule="base64", advice=advice)
        raise Unacceptable("invalid", "The event breaks its contract.", (problem,), item)


def _record(arrival: Arrival, event: Event[IngressData], agency: Agency) -> KeptRecord:
    subject = submission_id(agency.code, event.id)
    data: ActivityRecorded | ChannelAnnounced
    match event.data:
        case SupervisionRecorded() as supervision:
            data = ActivityRecorded(
                agency=agency.code,
                unit=agency.unit,
                kind=ActivityKind(supervision.mode.value),
                held=supervision.held,
                body=supervision.body,
                form=supervision.form,
                office=supervision.office,
                decision=supervision.decision,
            )
        case DialogueHeld() as dialogue:
            data = ActivityRecorded(
                agency=agency.code,
                unit=agency.unit,
                kind=ActivityKind.DIALOGUE,
                held=dialogue.held,
                office=dialogue.office,
                participants=dialogue.participants,
                opinions_received=dialogue.opinions_received,
                opinions_accepted=dialogue.opinions_accepted,
            )
        case ChannelPublished() as channel:
            data = ChannelAnnounced(
                agency=agency.code,
                unit=agency.unit,
                channel=channel.channel,
                published=channel.published,
            )
        case other:
            raise TypeError(type(other).__name__)
    shape = cast("type[AnyEvent]", Event[type(data)])  # type: ignore[misc]
    announced = shape(
        id=derived_id(subject, data.TYPE),
        source=SOURCE,
        type=data.TYPE,
        subject=subject,
        time=min(event.time, arrival.recorded),
        recordedtime=arrival.recorded,
        correlationid=subject,
        causationid=event.id,
        data=data,
    )
    return KeptRecord(key=subject, arrival=arrival.key, event=announced)


def _stated(data: IngressData) -> Stated:
    if isinstance(data, HotlineCallLogged | FormSubmitted | LetterRegistered):
        return Stated(data.kind, data.category, data.concerns)
    return Stated()


def _flags(mail: Mail | None) -> tuple[str, ...]:
    if mail is None:
        return ()
    return (*mail.flags, *(("automatic",) if mail.automatic else ()))
