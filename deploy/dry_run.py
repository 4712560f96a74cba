"""Reads items as intake would and says what would become of each. Sends and keeps nothing."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from deploy.items import Item, Problem
from deploy.items.sealed import SEALED
from services.intake.domain.duplicate import keys_of
from services.intake.domain.identity import part
from services.intake.domain.mail import Attachment, Mail, read_mail
from services.intake.domain.mail.automatic import NOTHING_SAID
from shared.contracts import (
    FEED,
    ChannelPublished,
    DialogueHeld,
    FeedHeartbeat,
    FormSubmitted,
    HotlineCallLogged,
    IngressData,
    LetterRegistered,
    MailboxMessageArrived,
    SupervisionRecorded,
)
from shared.contracts.envelope import Event
from shared.contracts.ingress import Enclosure, Reporter
from shared.runtime.arrival import Arrival
from shared.runtime.refusal import Unacceptable, read_arrival

WOULD_KEEP, DUPLICATE, REFUSED = "would-keep", "duplicate", "refused"
AUTOMATIC = "automatic"
TIME_AHEAD = "time-ahead"
SKEW = timedelta(minutes=5)
"""As intake bears it: a time further ahead is not believed."""

MOST_CHARACTERS = 400
KEY_BYTES = 32

Row = dict[str, Any]


def rows(items: Iterable[Item], now: datetime) -> Iterator[Row]:
    """One row an item, in order, ready for JSON.

    `fate` is `would-keep`, `duplicate` (of one before it among these), `refused` (its `problems`
    say why) or `missed` (a call in which nobody spoke). Instants are UTC; `text` is NFC, its
    first 400 characters. Whether the running system knows an item already is not asked.
    """
    known: set[str] = set()
    key = os.urandom(KEY_BYTES)
    for item in items:
        row: Row = {
            "path": item.place,
            "fate": item.fate or WOULD_KEEP,
            "channel": None,
            "from": None,
            "subject": None,
            "message_id": None,
            "date": None,
            "text": "",
            "attachments": [],
            "call": item.call,
            "flags": list(item.flags),
            "problems": [_told(problem) for problem in item.problems],
        }
        if not item.problems:
            try:
                row |= _read(item, now, known, key)
            except Unacceptable as why:
                problems = [_told(Problem(p.rule, p.advice, p.field)) for p in why.problems]
                row["fate"] = REFUSED
                row["problems"] = problems or [_told(Problem(why.kind, why.title))]
        yield row


def in_words(row: Row) -> str:
    """A row as one line for a person."""
    about = row["subject"] or " ".join(row["text"].split())
    line = "  ".join(
        (
            f"{row['fate']:<10}",
            f"{row['channel'] or '-':<9}",
            f"{row['date'] or '-':<20}",
            row["path"],
            about if len(about) <= _SHOWN else about[:_SHOWN] + "…",
        )
    )
    problems = [str(Problem(**problem)) for problem in row["problems"]]
    flags = [", ".join(row["flags"])] if row["flags"] else []
    return "\n".join((line.rstrip(), *(f"{'':<12}{said}" for said in (*problems, *flags))))


_SHOWN = 60


def _read(item: Item, now: datetime, known: set[str], key: bytes) -> Row:
    """What intake would read; raises `Unacceptable` for what it would refuse."""
    if _is_sealed(item.body):  # only intake can open it
        return {"flags": [*item.flags, SEALED]}
    event = read_arrival(Arrival("feed", item.agency, item.type, item.body, 0, now), FEED)
    _check_source(item.agency, event)
    mail = None
    if isinstance(event.data, MailboxMessageArrived):
        mail = read_mail(event.data.raw)
    row = _of_mail(mail) if mail else _of_event(event)
    flags = [*item.flags, *(mail.flags if mail else ())]
    flags += [f"automatic-{mail.automatic}"] if mail and mail.automatic else []
    flags += ["attached-mail"] if mail and any(map(_is_mail, mail.attachments)) else []
    flags += [TIME_AHEAD] if event.time > now + SKEW else []
    keys = keys_of(item.agency, event, mail, key=key)
    if not known.isdisjoint(keys):
        row["fate"] = item.fate or DUPLICATE
    elif item.fate is None:
        known.update(keys)
        if mail is not None and mail.automatic in NOTHING_SAID:
            row["fate"] = AUTOMATIC
    if item.call is not None:
        row["call"] = item.call
    return row | {"flags": list(dict.fromkeys(flags))}


def _of_mail(mail: Mail) -> Row:
    return {
        "channel": "mailbox",
        "from": mail.from_address,
        "subject": mail.subject,
        "message_id": mail.message_id,
        "date": _instant(mail.date) if mail.date else None,
        "text": mail.text[:MOST_CHARACTERS],
        "attachments": [
            {"name": a.name, "type": a.content_type, "size": a.size, "sha256": a.sha256}
            for a in mail.attachments
            if not _is_mail(a)  # what it holds is listed
        ],
    }


def _is_mail(attachment: Attachment) -> bool:
    return attachment.found_type == "message/rfc822"


def _of_event(event: Event[IngressData]) -> Row:
    row: Row = {"date": _instant(event.time)}
    match event.data:
        case HotlineCallLogged() as call:
            row["call"] = {
                "linkedid": call.call,
                "started": event.time.isoformat(),
                "answered": None,
                "ended": call.ended.isoformat() if call.ended else None,
                "legs": None,
            }
            row["from"] = call.caller or _who(call.reporter)
            row["attachments"] = [_enclosed(call.recording)] if call.recording else []
        case FormSubmitted() as form:
            row["from"] = _who(form.reporter)
            row["attachments"] = [_enclosed(enclosure) for enclosure in form.attachments]
        case LetterRegistered() as letter:
            row["from"] = _who(letter.reporter)
        case SupervisionRecorded() | DialogueHeld() | ChannelPublished() | FeedHeartbeat():
            return row
    parted = part(event.data, None)
    return row | {"channel": parted.channel.value, "text": parted.words[:MOST_CHARACTERS]}


def _who(reporter: Reporter | None) -> str | None:
    return (reporter.email or reporter.phone or reporter.name) if reporter else None


def _enclosed(file: Enclosure) -> Row:
    return {
        "name": file.name,
        "type": file.content_type,
        "size": len(file.content),
        "sha256": sha256(file.content).hexdigest(),
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _check_source(agency: str, event: Event[IngressData]) -> None:
    claimed = event.source.removeprefix("/agencies/")
    if event.source.startswith("/agencies/") and claimed != agency:
        title = "The event names another agency than the one that sends it."
        raise Unacceptable("foreign-source", title, item=event.id)


def _is_sealed(body: bytes) -> bool:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    data = event.get("data") if isinstance(event, dict) else None
    return isinstance(data, dict) and data.keys() == {SEALED}


def _told(problem: Problem) -> Row:
    return {name: value for name, value in asdict(problem).items() if value not in {None, ""}}
