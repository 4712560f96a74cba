"""Who may say and hear what. Pure: the directory and the contracts in, a list of users out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from shared.contracts import COMMANDS, FEED, DirectoryPublished
from shared.contracts.directory import Agency, Body, Directory
from shared.runtime.streams import (
    ANNOUNCES,
    CONSUMERS,
    HANDS_IN,
    LOOKS,
    OPERATORS,
    REDRIVEN,
    REPORTS,
    Durable,
    noting,
    webhook_durable,
)

HOME = "LANGNGHE"
"""The account of the streams, the services and the operator."""
SYSTEM = "SYSTEM"
"""The account in which servers are asked to read their files again; it has no streams."""
OPERATOR, PUBLIC, DOORKEEPER = "operator", "public", "doorkeeper"
SERVICE, AGENCY, BODY, READER = "svc-", "agency-", "body-", "reader-"
"""How users' names begin. Codes of parties stand behind one, so none can be taken for ours."""

PUBLIC_REPORTS = "report.public.>"
TAKE = "$JS.API.CONSUMER.MSG.NEXT."
"""Asks for what is next; the one request that has many answers."""


@dataclass(frozen=True, slots=True)
class User:
    """One party. `name` names its key; `publish` and `subscribe` are NATS subjects.

    Outside `HOME` the account imports exactly these. `inbox` is the prefix of the subjects that
    answers come to, `never` what is forbidden although `publish` would allow it.
    """

    name: str
    account: str
    inbox: str
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


PUSHES = "reporting"
"""The service that posts reports to webhooks."""


def users(directory: Directory | None, on: date, webhooks: Iterable[str] = ()) -> tuple[User, ...]:
    """Every user, by name; of parties those whose directory entry is in force on that day.

    `webhooks` are the codes of those that are registered.
    """
    codes = tuple(webhooks)
    services = (service(name, codes if name == PUSHES else ()) for name in ANNOUNCES)
    ours = [*services, operator(), public(), system()]
    if directory is None:
        return tuple(sorted(ours, key=_name))
    agencies = [agency(code) for code in _in_force(directory.agencies, on)]
    bodies = [body(code) for code in _in_force(directory.bodies, on)]
    return tuple(sorted((*ours, *agencies, *bodies), key=_name))


def agency(code: str) -> User:
    """Feeds its own events, of types that the contract knows, and asks what became of them."""
    return _party(
        AGENCY,
        code,
        publish=(
            *(f"feed.{code}.{type_}" for type_ in sorted(FEED)),
            f"ask.{code}.intake.fates",
            f"ask.{code}.intake.key",
        ),
        subscribe=(f"feed.{code}.refused",),
    )


def body(code: str) -> User:
    """Gives commands about cases, and asks any service; what is the operator's it may not ask."""
    commands = (type_ for type_ in sorted(COMMANDS) if type_.startswith("case."))
    return _party(
        BODY,
        code,
        publish=(*(f"command.{code}.{type_}" for type_ in commands), f"ask.{code}.*.*"),
        subscribe=(f"command.{code}.refused",),
        never=(f"ask.{code}.routing.effect",),
    )


def public() -> User:
    """Hears every published report, and says nothing."""
    return User(PUBLIC, PUBLIC, f"_INBOX_{PUBLIC}", subscribe=(PUBLIC_REPORTS,))


def system() -> User:
    """Lets others in and out: tells every server to read its access file again."""
    return User(
        DOORKEEPER,
        SYSTEM,
        f"_INBOX_{DOORKEEPER}",
        publish=("$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.*.RELOAD"),
    )


def readers(names: Iterable[str]) -> tuple[User, ...]:
    """Those of these users who read reports by a durable consumer."""
    return tuple(reader(n.removeprefix(READER)) for n in sorted(names) if n.startswith(READER))


def reader(code: str) -> User:
    """Hears published reports, and takes from the durable consumer that was made for it alone.

    It may not ask about it: JetStream's own interface has no answers for another account. It may
    make none: whoever makes one chooses where the server sends what it delivers, and could
    have reports written into another stream.
    """
    durable = reader_durable(code)
    return _party(READER, code, publish=_next(durable), subscribe=durable.subjects)


def reader_durable(code: str) -> Durable:
    return Durable(READER + code, REPORTS, (PUBLIC_REPORTS,))


def service(name: str, webhooks: Iterable[str] = ()) -> User:
    """Takes from its durable consumers, announces, sets aside, and answers who asks it.

    From the consumers of `webhooks` it takes too, each by its name: a pattern would hold for those
    of readers as well, since names are whole tokens.
    Of a message that may be what ends it, it notes that it begins.

    Answers to parties go to `_R_`, which the server itself maps to the account of the one who
    asked; the right to answer wherever a question says would let its sender choose the subject.
    """
    durables = [d for d in CONSUMERS.values() if d.name.startswith(f"{name}-")]
    return User(
        SERVICE + name,
        HOME,
        f"_INBOX_{SERVICE}{name}",
        publish=(
            *(subject for durable in durables for subject in _taking(durable)),
            *(subject for code in sorted(webhooks) for subject in _next(webhook_durable(code))),
            *(subject for durable in durables for subject in noting(durable)),
            *_taking(REDRIVEN[name]),
            *ANNOUNCES[name],
            *LOOKS.get(name, ()),
            *HANDS_IN.get(name, ()),
            *sorted({f"dead.{s}" for durable in durables for s in durable.subjects}),
            "_R_.>",
            f"_INBOX_{OPERATOR}.>",
        ),
        subscribe=(f"ask.*.{name}.*",),
    )


def operator() -> User:
    """Does what the command line does: declares, reads, publishes rules, feeds, orders, asks."""
    return User(
        OPERATOR,
        HOME,
        f"_INBOX_{OPERATOR}",
        publish=(
            "$JS.API.>",
            "$JS.ACK.>",
            "$JS.FC.>",
            "$JS.SNAPSHOT.>",
            *OPERATORS,
            "feed.*.*.*.*",
            "command.*.*.*.*",
            "redrive.*",
            "ask.*.*.fates",
            "ask.*.intake.key",
            "ask.*.intake.readers",
            "ask.*.routing.*",
            "ask.*.reporting.recount",
            "ask.*.reporting.count",
            "ask.*.reporting.checkpoint",
        ),
        subscribe=(DirectoryPublished.TYPE, "report.>"),
        never=("$JS.API.STREAM.DELETE.>", "$JS.API.STREAM.PURGE.>"),
    )


def _party(
    kind: str,
    code: str,
    publish: tuple[str, ...],
    subscribe: tuple[str, ...],
    never: tuple[str, ...] = (),
) -> User:
    return User(kind + code, kind + code, f"_INBOX_{code}", publish, subscribe, never)


def _taking(durable: Durable) -> tuple[str, ...]:
    return (f"$JS.API.CONSUMER.INFO.{durable.stream}.{durable.name}", *_next(durable))


def _next(durable: Durable) -> tuple[str, ...]:
    place = f"{durable.stream}.{durable.name}"
    return (f"{TAKE}{place}", f"$JS.ACK.{place}.>")


def _in_force(entries: Iterable[Agency | Body], on: date) -> list[str]:
    """Codes: a party may have several entries, one after the other."""
    return sorted({entry.code for entry in entries if entry.in_force(on)})


def _name(user: User) -> str:
    return user.name
