"""Where submissions to try come from: events of the feed, plain objects, files as `feed` reads."""

from base64 import b64encode
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deploy.items import Item, Problem, Reader
from deploy.items.item import REFUSED
from deploy.items.reader import AGENCY
from shared.contracts import (
    FormSubmitted,
    HotlineCallLogged,
    IngressData,
    LetterRegistered,
    MailboxMessageArrived,
)
from shared.contracts.envelope import Code, UtcDatetime
from shared.contracts.ingress import StatedConcern
from shared.contracts.vocabulary import Channel, Kind
from shared.runtime.refusal import problems_of

EVENTS = ".jsonl"
SIGNED = {"name": "signed"}
"""Stands for a name: who it is plays no part in a decision."""


class Plain(BaseModel):
    """A submission in a few words, one JSON object a line; what it leaves out nobody stated."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    text: str
    agency: Code
    received: UtcDatetime
    channel: Channel = Channel.WEB_FORM
    signatures: int = Field(default=0, ge=0, description="How many people give their names.")
    in_person: bool = Field(default=False, description="Letters only: taken down on the spot.")
    kind: Kind | None = None
    category: Code | None = None
    concerns: StatedConcern | None = None


def submissions(path: Path, reader: Reader) -> Iterator[Item]:
    """Items in the order of the lines; other files than `.jsonl` are left to `reader`."""
    if path.suffix.lower() != EVENTS:
        yield from reader.items(path)
        return
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.strip():
            yield _item(f"{path}:{number}", f"line-{number}", line)


def _item(place: str, name: str, line: bytes) -> Item:
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _refused(place, Problem("json_invalid", "Write one JSON object on a line."))
    if not isinstance(content, dict):
        return _refused(place, Problem("json_type", "Write one JSON object on a line."))
    if "specversion" in content:
        source = str(content.get("source", ""))
        if not AGENCY.fullmatch(source):
            problem = Problem("unknown-agency", "Name the agency: /agencies/<code>.", "/source")
            return _refused(place, problem)
        agency = source.removeprefix("/agencies/")
        return Item(place, agency, str(content.get("type", "")), line)
    try:
        plain = Plain.model_validate_json(line)
    except ValidationError as error:
        problems = (Problem(p.rule, p.advice, p.field) for p in problems_of(error))
        return _refused(place, *problems)
    return Item(place, plain.agency, *_event(plain, name))


def _event(plain: Plain, name: str) -> tuple[str, bytes]:
    """What the agency's own system would send; intake's reading of it says what is wrong."""
    contract, data = _data(plain, name)
    event = {
        "specversion": "1.0",
        "id": name,
        "source": f"/agencies/{plain.agency}",
        "type": contract.TYPE,
        "time": plain.received,
        "data": data,
    }
    return contract.TYPE, orjson.dumps(event)


def _data(plain: Plain, name: str) -> tuple[type[IngressData], dict[str, Any]]:
    stated = plain.model_dump(mode="json", include={"kind", "category", "concerns"})
    stated["reporter"] = SIGNED if plain.signatures else None
    match plain.channel:
        case Channel.HOTLINE:
            return HotlineCallLogged, {"call": name, "note": plain.text, **stated}
        case Channel.WEB_FORM:
            return FormSubmitted, {"text": plain.text, **stated}
        case Channel.MAILBOX:  # a mail states nothing but its words
            mail = EmailMessage()
            mail["From"] = "signed <a@example>" if plain.signatures else "a@example"
            mail.set_content(plain.text)
            return MailboxMessageArrived, {"raw": b64encode(mail.as_bytes()).decode()}
        case Channel.LETTER | Channel.PAPER_BOX:
            return LetterRegistered, {
                "register_number": name,
                "summary": plain.text,
                "signatures": plain.signatures,
                "in_person": plain.in_person,
                "paper_box": plain.channel is Channel.PAPER_BOX,
                **stated,
            }


def _refused(place: str, *problems: Problem) -> Item:
    return Item(place, "", "", b"", REFUSED, problems)
