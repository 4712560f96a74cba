"""Publishes a rule file as the next version of the directory, the rulebook or the calendar."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.js.api import Header
from nats.js.errors import APIError

from deploy.connection import latest
from deploy.rules.changes import Change, changes
from deploy.rules.problems import Invalid
from deploy.rules.reading import RULE_FILES, RuleFile, read_rules
from shared.contracts.directory import Directory
from shared.contracts.envelope import MEDIA_TYPE, Event, EventData, derived_id
from shared.contracts.vocabulary import Value
from shared.runtime.streams import EVENTS

SUBJECT = "instance"
"""What these events are about: the whole instance."""

ROOM_FOR_HEADERS = 1024


@dataclass(frozen=True, slots=True)
class Proposal:
    """A sound file beside the version in force, if there is one."""

    kind: RuleFile
    content: Value
    standing: int | None
    differs: bool
    changes: tuple[Change, ...]
    """Of a directory, part by part; rulebooks and calendars only tell whether they differ."""

    @property
    def version(self) -> int:
        """The version under which the content holds, or would."""
        return (self.standing or 0) + self.differs


async def propose(client: Client, paths: Path | Iterable[Path], noun: str) -> Proposal:
    """Read and check the file, and compare it with what is in force; publishes nothing."""
    kind = RULE_FILES[noun]
    content = read_rules(paths, kind)
    event = await latest(client.jetstream(), kind.contract)
    before = getattr(event.data, noun) if event else None
    return Proposal(
        kind=kind,
        content=content,
        standing=event.data.version if event else None,
        differs=before != content,
        changes=changes(before, content) if isinstance(content, Directory) else (),
    )


async def publish_rules(client: Client, paths: Path | Iterable[Path], noun: str) -> int:
    """Publish the file as the next version and return its number.

    The same content as the version in force publishes nothing.
    """
    return await publish_proposal(client, await propose(client, paths, noun))


async def publish_proposal(client: Client, proposal: Proposal) -> int:
    """Publish what was proposed, unless it is in force already; return the version's number.

    What somebody else published since it was compared is never overwritten: raises `Invalid`. Of
    two operators at once, the second is refused by the stream
    (`Nats-Expected-Last-Subject-Sequence`).
    """
    kind, version = proposal.kind, proposal.version
    if not proposal.differs:
        return version
    standing, last = await _standing(client, kind.contract)
    if standing != proposal.standing:
        raise Invalid([f"version {standing} was published by somebody else just now"])
    data: Any = kind.contract.model_validate({"version": version, kind.noun: proposal.content})
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
    body = event.encode()
    refuse_too_large(client, kind.noun, len(body))
    try:
        await client.jetstream().publish(
            kind.contract.TYPE,
            body,
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


def refuse_too_large(client: Client, noun: str, size: int) -> None:
    """Raises `Invalid` where a message of so many bytes is more than the server takes."""
    if size + ROOM_FOR_HEADERS > client.max_payload:
        bounds = f"{size} bytes as an event; the server takes {client.max_payload}"
        raise Invalid([f"the {noun} is too large: {bounds} (max_payload)"])


async def _standing(client: Client, contract: type[EventData]) -> tuple[int | None, int]:
    """Version in force and its place in the stream; none and 0 before the first."""
    jetstream = client.jetstream()
    if await latest(jetstream, contract) is None:
        return None, 0
    message = await jetstream.get_last_msg(EVENTS, contract.TYPE)
    event: Event[Any] = Event[contract].model_validate_json(message.data or b"")  # type: ignore[valid-type]
    return event.data.version, message.seq or 0
