"""Publishes a new version of the directory, the rulebook or the calendar from a YAML file."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from nats.aio.client import Client
from nats.js.api import Header
from nats.js.errors import APIError
from pydantic import ValidationError

from deploy.connection import latest
from shared.contracts import CalendarPublished, DirectoryPublished, RulebookPublished
from shared.contracts.directory import Directory
from shared.contracts.envelope import MEDIA_TYPE, Event, EventData, derived_id
from shared.contracts.rulebook import Calendar, Rulebook
from shared.contracts.vocabulary import Value
from shared.runtime.streams import EVENTS

SUBJECT = "instance"
"""What these events are about: the whole instance."""


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One kind of rule file: its shape, and the event that publishes it."""

    noun: str
    shape: type[Value]
    contract: type[EventData]


RULE_FILES = {
    f.noun: f
    for f in (
        RuleFile("directory", Directory, DirectoryPublished),
        RuleFile("rulebook", Rulebook, RulebookPublished),
        RuleFile("calendar", Calendar, CalendarPublished),
    )
}


class Invalid(Exception):
    """The file cannot be published; `lines` say what is wrong, each with its place."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def read_rules(path: Path, kind: RuleFile) -> Value:
    """The content of a rule file; raises `Invalid` with one line for each thing wrong."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else "the file"
        problem = getattr(error, "problem", "not YAML")
        raise Invalid([f"{path}: {place}: {problem}"]) from None
    try:
        return kind.shape.model_validate(content)
    except ValidationError as error:
        raise Invalid(
            [
                f"{path}: {'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}"
                for e in error.errors()
            ]
        ) from None


async def publish_rules(client: Client, path: Path, noun: str) -> int:
    """Publish the file as the next version and return its number.

    The same content as the version in force publishes nothing. Of two operators at once, the
    second is refused by the stream (`Nats-Expected-Last-Subject-Sequence`).
    """
    kind = RULE_FILES[noun]
    content = read_rules(path, kind)
    jetstream = client.jetstream()
    standing = await latest(jetstream, kind.contract)
    if standing is not None and getattr(standing.data, noun) == content:
        version: int = standing.data.version
        return version
    version = standing.data.version + 1 if standing else 1
    data: Any = kind.contract.model_validate({"version": version, noun: content})
    now = datetime.now(UTC)
    event = Event[kind.contract](  # type: ignore[name-defined]
        id=derived_id(kind.contract.TYPE, str(version)),
        source="/operator",
        type=kind.contract.TYPE,
        subject=SUBJECT,
        time=now,
        recordedtime=now,
        data=data,
    )
    last = await _last_sequence(client, kind.contract)
    try:
        await jetstream.publish(
            kind.contract.TYPE,
            event.encode(),
            timeout=5,
            stream=EVENTS,
            headers={
                Header.MSG_ID.value: event.id,
                Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(last),
                "content-type": MEDIA_TYPE,
            },
        )
    except APIError as error:
        raise Invalid(
            [f"version {version} was published by somebody else just now ({error.err_code})"]
        ) from None
    return version


async def _last_sequence(client: Client, contract: type[EventData]) -> int:
    jetstream = client.jetstream()
    if await latest(jetstream, contract) is None:
        return 0
    message = await jetstream.get_last_msg(EVENTS, contract.TYPE)
    return message.seq or 0
