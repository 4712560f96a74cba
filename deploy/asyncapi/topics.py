"""Every topic of the system, as the contracts and the table of streams have them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from deploy.access.permissions import User, agency, body, operator, public, reader, service
from shared.contracts import (
    COMMANDS,
    EVENTS,
    FEED,
    EventData,
    MessageSetAside,
    Refused,
    ReportPublished,
)
from shared.contracts.questions import Question
from shared.contracts.report import Edition, Period
from shared.runtime.streams import ANNOUNCES, CONSUMERS, STREAMS

ANYBODY = "x"
"""Stands for any code of a party, form, unit …, where a subject is matched."""

SUBJECT = "{subject}"
"""The one parameter that has several tokens: the whole subject of another message."""


Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Topic:
    """One NATS subject, with `{parameters}`, and the one contract that is spoken on it.

    `taken` topics come from outside; all others this system announces.
    """

    address: str
    contract: type[EventData]
    direction: Literal["taken", "announced"]

    @property
    def stream(self) -> str:
        """The stream that keeps what is said here."""
        [found] = [
            s.name for s in STREAMS if any(matches(p, self.address) for p in s.subjects or ())
        ]
        return found or ""

    @property
    def consumers(self) -> list[str]:
        """The durable consumers of our own services that take from here."""
        return [
            durable.name
            for durable in CONSUMERS.values()
            if durable.stream == self.stream
            and any(matches(pattern, self.address) for pattern in durable.subjects)
        ]


def topics() -> Iterator[Topic]:
    """Every topic that a stream keeps, each once."""
    for contract in FEED.values():
        yield Topic(f"feed.{{agency}}.{contract.TYPE}", contract, "taken")
    for contract in COMMANDS.values():
        yield Topic(f"command.{{party}}.{contract.TYPE}", contract, "taken")
    for entrance, party in (("feed", "{agency}"), ("command", "{party}")):
        yield _spoken(Refused, entrance=entrance, party=party)
    for event in EVENTS.values():
        yield _spoken(event)
    period = _only(Period, code="{period}")
    for edition in Edition:
        yield _spoken(ReportPublished, edition=edition, form="{form}", unit="{unit}", period=period)
    yield _spoken(MessageSetAside, original_subject=SUBJECT)


def asked(question: Question) -> str:
    return question.nats_subject("{party}")


def speakers(address: str) -> list[str]:
    """Who may publish there, by the server's permissions."""
    return [
        name
        for name, user in _users().items()
        if _covered(user.publish, address) and not _covered(user.never, address)
    ]


def hearers(address: str) -> list[str]:
    """Who may subscribe there; a service takes what a stream keeps by its durable consumers."""
    return [name for name, user in _users().items() if _covered(user.subscribe, address)]


def matches(pattern: str, address: str) -> bool:
    """Whether a NATS subject with wildcards has this address in it."""
    wanted, there = pattern.split("."), address.split(".")
    if wanted[-1] == ">":
        wanted = wanted[:-1]
        there, rest = there[: len(wanted)], there[len(wanted) :]
        if not rest:
            return False
    return len(wanted) == len(there) and all(
        want in {"*", token} for want, token in zip(wanted, there, strict=True)
    )


def _spoken(contract: type[EventData], **placed: object) -> Topic:
    """The topic on which the contract itself publishes, if these fields are parameters."""
    return Topic(_only(contract, **placed).nats_subject(), contract, "announced")


def _only(shape: type[Shape], **values: Any) -> Shape:  # noqa: ANN401 - any field's
    """With these fields alone, unchecked: enough to ask it for its subject."""
    return shape.model_construct(**values)


def _users() -> dict[str, User]:
    return {
        "agency": agency(ANYBODY),
        "body": body(ANYBODY),
        "operator": operator(),
        "public": public(),
        "reader": reader(ANYBODY),
        **{name: service(name) for name in ANNOUNCES},
    }


def _covered(patterns: tuple[str, ...], address: str) -> bool:
    return any(matches(p, subject) for subject in _examples(address) for p in patterns)


def _examples(address: str) -> list[str]:
    """Subjects that this address stands for: of a dead letter's, one for each topic taken from."""
    if SUBJECT not in address:
        return [".".join(ANYBODY if "{" in token else token for token in address.split("."))]
    taken = [t.address for t in topics() if SUBJECT not in t.address and t.consumers]
    return [address.replace(SUBJECT, _examples(one)[0]) for one in taken]
