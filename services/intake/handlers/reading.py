"""From one event to what is to be kept of it: classified, known again, sealed."""

from datetime import datetime, timedelta, tzinfo
from typing import cast
from zoneinfo import ZoneInfo

import orjson

from services.intake.domain import related
from services.intake.domain.acknowledging import may_acknowledge
from services.intake.domain.classify import Stated
from services.intake.domain.duplicate import call_keys, item_key, keys_of, thread_of
from services.intake.domain.identity import Parted, part
from services.intake.domain.mail import Mail
from services.intake.domain.mail.automatic import NOTHING_SAID
from services.intake.handlers.joining import Join
from services.intake.handlers.opening import SOURCE, Opened
from services.intake.handlers.ports import (
    ArrivalFate,
    Kept,
    KeptRecord,
    Matter,
    Rules,
    Said,
    Speaker,
)
from services.intake.vault import DataKey, Sealed, close, draw_key
from shared.contracts import (
    ActivityRecorded,
    ChannelAnnounced,
    ChannelPublished,
    DialogueHeld,
    FeedHeartbeat,
    FormSubmitted,
    HotlineCallLogged,
    IngressData,
    LetterRegistered,
    MailboxMessageArrived,
    SubmissionReceived,
    SubmissionSupplemented,
    SupervisionRecorded,
)
from shared.contracts.activity import ActivityKind
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.ingress import Enclosure, Fate

SKEW = timedelta(minutes=5)
"""How far ahead of the stream's clock an event's time may be before it is not believed."""

LEGAL_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
"""Where legal days begin and end: a rule holds from midnight there."""


class Reader:
    """From one arrival to what is to be kept of it. Draws data keys; does no other I/O.

    `fingerprint_key` keys every hash under which an item is known again. `acknowledges`: mails
    that may be answered are marked as to be.
    """

    def __init__(
        self, fingerprint_key: bytes, zone: tzinfo = LEGAL_ZONE, *, acknowledges: bool = False
    ) -> None:
        self.key, self._zone, self._acknowledges = fingerprint_key, zone, acknowledges

    def read(
        self, opened: Opened, mail: Mail | None, rules: Rules, join: Join | None
    ) -> Kept | Said | KeptRecord | ArrivalFate:
        """What is to be kept; `mail` is given for a mailbox message, as read from its bytes."""
        if isinstance(opened.event.data, SupervisionRecorded | DialogueHeld | ChannelPublished):
            return _record(opened, self.key)
        if isinstance(opened.event.data, FeedHeartbeat):
            return ArrivalFate(opened.arrival, opened.event.id, Fate.HEARD)
        if mail is not None and mail.automatic in NOTHING_SAID:
            return _automatic(opened)
        if join is not None:
            return self._addition(opened, mail, join)
        return self._submission(opened, mail, rules)

    def _addition(self, opened: Opened, mail: Mail | None, join: Join) -> Said:
        arrival, event, agency = opened.arrival, opened.event, opened.agency
        parted = part(event.data, mail)
        sealed, data_keys = _seal(join.submission, parted, event.data)
        keys = keys_of(agency.code, event, mail, key=self.key)
        if isinstance(event.data, HotlineCallLogged):
            found = call_keys(agency.code, event.id, event.data, key=self.key)
            keys = (found.event, found.note)
        return Said(
            id=opened.submission,
            item=event.id,
            submission=join.submission,
            by=Speaker.REPORTER,
            keys=keys,
            arrival=arrival.key,
            event=supplemented(
                join.submission,
                opened.submission,
                SubmissionSupplemented(addition=join.addition, files=parted.files),
                time=min(event.time, arrival.recorded),
                recorded=arrival.recorded,
            ),
            sealed=sealed,
            data_keys=data_keys,
            thread=thread_of(agency.code, mail, key=self.key),
        )

    def _submission(self, opened: Opened, mail: Mail | None, rules: Rules) -> Kept:
        arrival, event, agency = opened.arrival, opened.event, opened.agency
        parted = part(event.data, mail)
        submission = opened.submission
        said = rules.classifier.classify(
            parted.words,
            on=min(event.time, arrival.recorded).astimezone(self._zone).date(),
            form=parted.form,
            signatures=parted.signatures,
            readable=parted.readable,
            stated=_stated(event.data),
            unit=agency.unit,
        )
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
            causationid=item_key(agency.code, event.id, key=self.key),
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
        sealed, data_keys = _seal(submission, parted, event.data)
        return Kept(
            item=event.id,
            event=announced,
            keys=keys_of(agency.code, event, mail, key=self.key),
            arrival=arrival.key,
            flags=(*(mail.flags if mail else ()), *(() if believed else ("time-ahead",))),
            sealed=sealed,
            data_keys=data_keys,
            thread=thread_of(agency.code, mail, key=self.key),
            matter=_matter(parted.words, said.concerns.unit or agency.unit, self.key),
            acknowledge=self._acknowledges
            and mail is not None
            and may_acknowledge(mail, arrived=event.time, recorded=arrival.recorded),
        )


def _matter(words: str, unit: str, key: bytes) -> Matter | None:
    """Only texts about one unit are compared: a form letter on two offices is two matters."""
    signature = related.signature(words, key)
    return Matter(unit, signature) if signature else None


def supplemented(
    submission: str,
    addition: str,
    data: SubmissionSupplemented,
    *,
    time: datetime,
    recorded: datetime,
) -> AnyEvent:
    """What is announced of an addition; `addition` is its id."""
    return Event[SubmissionSupplemented](
        id=derived_id(submission, data.TYPE, addition),
        source=SOURCE,
        type=data.TYPE,
        subject=submission,
        time=time,
        recordedtime=recorded,
        correlationid=submission,
        causationid=addition,
        data=data,
    )


def _seal(
    submission: str, parted: Parted, data: IngressData
) -> tuple[dict[str, Sealed], tuple[DataKey, ...]]:
    """Two keys: whatever shows who spoke, a voice and a whole mail too, is under the first.

    Erasure asks for the keys by their submission, so an addition's are its submission's too.
    """
    identity, text = draw_key(submission), draw_key(submission)
    parts = [
        (identity, "identity", orjson.dumps(parted.identity)),
        (text, "text", orjson.dumps(parted.text)),
    ]
    match data:
        case MailboxMessageArrived():
            parts.append((identity, "raw", data.raw))
        case HotlineCallLogged(recording=Enclosure() as recording):
            parts.append((identity, "recording", recording.content))
        case FormSubmitted():
            parts += [
                (text, f"file-{number}", file.content)
                for number, file in enumerate(data.attachments, 1)
            ]
    return {name: close(key, name, content) for key, name, content in parts}, (identity, text)


def _automatic(opened: Opened) -> ArrivalFate:
    """Nobody speaks in it: kept and counted, and no submission."""
    key = draw_key(opened.arrival.key)
    return ArrivalFate(
        arrival=opened.arrival,
        item=opened.event.id,
        fate=Fate.AUTOMATIC,
        sealed=close(key, "automatic", opened.arrival.body),
        data_keys=(key,),
    )


def _record(opened: Opened, key: bytes) -> KeptRecord:
    arrival, event, agency = opened.arrival, opened.event, opened.agency
    subject = opened.submission
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
        causationid=item_key(agency.code, event.id, key=key),
        data=data,
    )
    return KeptRecord(key=subject, arrival=arrival.key, event=announced, item=event.id)


def _stated(data: IngressData) -> Stated:
    if isinstance(data, HotlineCallLogged | FormSubmitted | LetterRegistered):
        return Stated(data.kind, data.category, data.concerns)
    return Stated()
