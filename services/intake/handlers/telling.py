"""What intake tells a body of a case that it holds: what was said, and, for a reason, by whom.

Who holds a case is known from routing's own announcements. An identity is told only after its
opening was announced.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, TypeVar

import orjson
from pydantic import ValidationError

from services.intake.handlers.opening import SOURCE
from services.intake.handlers.ports import (
    Agreed,
    Cases,
    CaseView,
    Contents,
    Conversations,
    DataKeys,
    Opening,
    Openings,
    Reading,
    Readings,
    RuleVersions,
    Said,
    Speaker,
)
from services.intake.handlers.reading import supplemented
from services.intake.vault import DataKey, Sealed, close, draw_key, open_sealed
from shared.contracts import IdentityOpened, SubmissionSupplemented
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.protection import (
    Asked,
    IdentityAsked,
    MessageAsked,
    TextAsked,
    TextReadersAsked,
    Told,
)
from shared.contracts.submission import Addition
from shared.runtime.bus import Answerer

NOT_YOURS = Told(status="not-yours", advice="Ask about a case that is assigned to your body.")
INVALID = Told(status="invalid", advice="See the contract of this question.")
NOBODY_AGREED = Told(
    status="second-person-needed",
    advice="Order case.ask-unsealing.v1 and have a person of another body confirm it; then ask "
    "with its number, as the person who asked, once and before its last day ends.",
)
ERASED = Told(status="erased", advice="Its keys were destroyed; nobody can read it any more.")


@dataclass(frozen=True, slots=True)
class Telling:
    """What the answers need."""

    cases: Cases
    contents: Contents
    data_keys: DataKeys
    now: Callable[[], datetime]


def text_teller(telling: Telling, readings: Readings) -> Answerer:
    async def tell_text(body: str, question: bytes) -> bytes:
        """What was said on a case, first and since; nothing of who said it.

        That it was told is kept before it is: what nobody would know of is not told.
        """
        asked, case = await _asked(telling, body, question, TextAsked)
        if asked is None or case is None:
            return _told(INVALID if asked is None else NOT_YOURS)
        parts = await telling.contents.parts(case.submission, ("text",))
        opened = await _opened(telling.data_keys, parts or {})
        said = await conversation(telling.contents, telling.data_keys, case.submission)
        if "text" not in opened and not said:
            return _told(ERASED)
        await readings.keep(Reading(case.case, body, asked.person, telling.now()))
        text = orjson.loads(opened["text"]) if "text" in opened else None
        content = {"text": text, "conversation": said}
        return _told(Told(status="told", content=content))

    return tell_text


def identity_teller(
    telling: Telling,
    openings: Openings,
    zone: tzinfo,
    announce: Callable[[Sequence[AnyEvent]], Awaitable[None]],
) -> Answerer:
    """`announce` returns once the events are confirmed by their stream."""

    async def tell_identity(body: str, question: bytes) -> bytes:
        """Who spoke, once, to the person whose asking a second person confirmed.

        The opening is announced before the answer is given, and the answer used up by then: who
        loses a race, or whose answer is lost, asks anew.
        """
        asked, case = await _asked(telling, body, question, IdentityAsked)
        if asked is None or case is None:
            return _told(INVALID if asked is None else NOT_YOURS)
        at, number = telling.now(), asked.unsealing or 0
        agreed = await telling.cases.agreed(case.case, number)
        if agreed is None or not _is_for(agreed, body, asked.person, at.astimezone(zone).date()):
            return _told(NOBODY_AGREED)
        parts = await telling.contents.parts(case.submission, ("identity",))
        if not parts:
            return _told(ERASED)
        key = draw_key(case.submission)
        await telling.data_keys.keep([key])
        await openings.keep(_opening(body, asked, key, at))
        await announce([_opening_event(case, body, agreed, number, at)])
        opened = await _opened(telling.data_keys, parts)
        if "identity" not in opened:
            return _told(ERASED)
        if not await telling.cases.use(case.case, number, at):
            return _told(NOBODY_AGREED)
        return _told(Told(status="told", content=orjson.loads(opened["identity"])))

    return tell_identity


def _is_for(agreed: Agreed, body: str, person: str, today: date) -> bool:
    return (agreed.body, agreed.person) == (body, person) and today <= agreed.until


def _opening(body: str, asked: IdentityAsked, key: DataKey, at: datetime) -> Opening:
    return Opening(
        id=derived_id(asked.case, "opening", asked.person, at.isoformat()),
        case=asked.case,
        body=body,
        person=asked.person,
        at=at,
        reason=close(key, "reason", asked.reason.encode()),
    )


def readers_teller(readings: Readings, rules: RuleVersions, overseers: Collection[str]) -> Answerer:
    """`overseers` alone are told, unless the directory has a body of that very code."""

    async def tell_readers(party: str, question: bytes) -> bytes:
        """Who was told what was said on a case; who was told who spoke is in the log."""
        bodies = {body.code for body in (await rules.latest()).directory.bodies}
        if party not in overseers or party in bodies:
            return _told(NOT_YOURS)
        try:
            asked = TextReadersAsked.model_validate_json(question)
        except ValidationError:
            return _told(INVALID)
        found = await readings.of(asked.case)
        rows = [
            {"body": each.body, "person": each.person, "at": each.at.isoformat()} for each in found
        ]
        return _told(Told(status="told", content={"readings": rows}))

    return tell_readers


def message_taker(
    telling: Telling, conversations: Conversations, wake: Callable[[], None]
) -> Answerer:
    async def take_message(body: str, question: bytes) -> bytes:
        """Keep what a body says to who spoke, whom it does not know."""
        asked, case = await _asked(telling, body, question, MessageAsked)
        if asked is None or case is None:
            return _told(INVALID if asked is None else NOT_YOURS)
        if not await telling.contents.parts(case.submission, ("text",)):
            return _told(ERASED)
        at = telling.now()
        key = draw_key(case.submission)
        await telling.data_keys.keep([key])
        name = derived_id(case.case, "said", body, asked.item)
        content = orjson.dumps({"text": asked.text})
        said = Said(
            id=name,
            item=asked.item,
            submission=case.submission,
            by=Speaker.BODY,
            keys=(name,),
            arrival=f"ask:{name}",
            event=supplemented(
                case.submission,
                name,
                SubmissionSupplemented(addition=Addition.ANSWER),
                time=at,
                recorded=at,
            ),
            sealed={"text": close(key, "text", content)},
            data_keys=(key,),
        )
        await conversations.add_once([said], unannounced=True)
        wake()
        return _told(Told(status="kept"))

    return take_message


async def conversation(
    contents: Contents, data_keys: DataKeys, submission: str
) -> list[dict[str, Any]]:
    """What was said since, oldest first, as far as its keys are there."""
    said = []
    for utterance in await contents.conversation(submission):
        parts = {n: p for n, p in utterance.parts.items() if n == "text"}
        opened = await _opened(data_keys, parts)
        if "text" in opened:
            text = orjson.loads(opened["text"])
            said.append({"by": utterance.by.value, "at": utterance.at.isoformat(), "text": text})
    return said


A = TypeVar("A", bound=Asked)


async def _asked(
    telling: Telling, body: str, question: bytes, shape: type[A]
) -> tuple[A | None, CaseView | None]:
    """The question, if it is one; and the case, if this body holds it."""
    try:
        asked = shape.model_validate_json(question)
    except ValidationError:
        return None, None
    case = await telling.cases.find(asked.case)
    return asked, case if case is not None and case.is_held_by(body) else None


async def _opened(data_keys: DataKeys, parts: Mapping[str, Sealed]) -> dict[str, bytes]:
    keys = await data_keys.find([part.key for part in parts.values()])
    return {
        name: open_sealed(keys[part.key], name, part)
        for name, part in parts.items()
        if part.key in keys
    }


def _opening_event(
    case: CaseView, body: str, agreed: Agreed, number: int, at: datetime
) -> AnyEvent:
    """One for each agreement, however often its answer is tried."""
    persons = (agreed.person, agreed.second_person)
    data = IdentityOpened(case=case.case, body=body, persons=persons, unsealing=number)
    return Event[IdentityOpened](
        id=derived_id(case.case, data.TYPE, str(number)),
        source=SOURCE,
        type=data.TYPE,
        subject=case.submission,
        time=at,
        recordedtime=at,
        correlationid=case.submission,
        data=data,
    )


def _told(told: Told) -> bytes:
    return told.model_dump_json(exclude_none=True).encode()
