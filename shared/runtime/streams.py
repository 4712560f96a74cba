"""Declares the JetStream streams and durable consumers; run once per deployment.

Services never declare any: the first mention of a stream's name would win, with defaults.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamSource,
)
from nats.js.errors import NotFoundError

from shared.contracts import (
    ActivityRecorded,
    AuditCheckpoint,
    CalendarPublished,
    CaseAccepted,
    CaseAmended,
    CaseAssigned,
    CaseConcluded,
    CaseDeclined,
    CaseDivided,
    CaseFollowedUp,
    CaseJoined,
    CaseOpened,
    CaseRecommended,
    CaseReferred,
    CaseReopened,
    CaseUnsealed,
    CaseUnsealingAsked,
    CaseUnsealingConfirmed,
    CaseUnsealingLapsed,
    CaseUnsealingRefused,
    CaseWithdrawn,
    ChannelAnnounced,
    ChannelInterrupted,
    ChannelSilent,
    ClockMet,
    ClockMissed,
    ClockPaused,
    ClockRestated,
    ClockStarted,
    ClockWarned,
    DirectoryPublished,
    IdentityOpened,
    RulebookPublished,
    SubmissionErased,
    SubmissionHeld,
    SubmissionRated,
    SubmissionReceived,
    SubmissionRelated,
    SubmissionReleased,
    SubmissionSupplemented,
)

FEED, COMMANDS, EVENTS = "FEED", "COMMANDS", "EVENTS"
REPORTS, REFUSALS, DEAD_LETTERS, ADVISORIES = "REPORTS", "REFUSALS", "DEAD_LETTERS", "ADVISORIES"
NOTHING, SUSPECTS, REDRIVE = "NOTHING", "SUSPECTS", "REDRIVE"
BATCHED = frozenset({EVENTS})
"""Streams that are published to in batches; reports are too large to be held back together."""

DAY = 86_400.0
OWN_WINDOW = 600.0
"""Seconds for which our own ids are told apart: longer than any delay between deliveries
but the last; beyond it the stores' unique indexes do."""
NO_WINDOW = 0.0
"""Ids that come from outside parties are never compared: they are one set for a whole stream, so
that one party could use up the ids of another."""
FROM_NOTHING = [StreamSource(name=NOTHING)]
"""The server lets only a stream that has a source do without comparing ids (nats-server 2.14)."""
ACK_WAIT_SECONDS = 15.0
"""A message that a process took into its grave comes back after this; `bus.py` keeps those in
the hand of a living one."""
QUOTA_PER_SUBJECT = 200_000
"""Messages of one party and type that may wait; more are refused, and no other party feels it."""

STREAMS: tuple[StreamConfig, ...] = (
    StreamConfig(
        name=NOTHING,
        description="Never holds a message: see FROM_NOTHING.",
        subjects=["nothing"],
        duplicate_window=OWN_WINDOW,
    ),
    StreamConfig(
        name=FEED,
        description="What agencies send, until intake has taken it.",
        subjects=["feed.*.*.*.*"],
        retention=RetentionPolicy.WORK_QUEUE,
        max_msgs_per_subject=QUOTA_PER_SUBJECT,
        discard_new_per_subject=True,
        duplicate_window=NO_WINDOW,
        sources=FROM_NOTHING,
    ),
    StreamConfig(
        name=COMMANDS,
        description="What bodies and operators order, until it is decided.",
        subjects=["command.*.case.*.*", "command.*.submission.*.*", "command.*.report.*.*"],
        retention=RetentionPolicy.WORK_QUEUE,
        max_msgs_per_subject=QUOTA_PER_SUBJECT,
        discard_new_per_subject=True,
        duplicate_window=NO_WINDOW,
        sources=FROM_NOTHING,
    ),
    StreamConfig(
        name=EVENTS,
        description="What happened, for ever: replaying it rebuilds reporting.",
        subjects=[
            "submission.>",
            "case.>",
            "clock.>",
            "activity.>",
            "directory.>",
            "rulebook.>",
            "calendar.>",
            "identity.>",
            "channel.>",
            "audit.>",
        ],
        deny_delete=True,
        deny_purge=True,
        allow_atomic=True,
        duplicate_window=OWN_WINDOW,
    ),
    StreamConfig(
        name=REPORTS,
        description="Every revision of every report; the last of a subject is the one in force.",
        subjects=["report.public.>", "report.internal.>"],
        deny_delete=True,
        deny_purge=True,
        allow_atomic=True,
        duplicate_window=OWN_WINDOW,
    ),
    StreamConfig(
        name=REFUSALS,
        description="Answers to items that could not be taken.",
        subjects=["feed.*.refused", "command.*.refused"],
        max_age=30 * DAY,
        duplicate_window=OWN_WINDOW,
    ),
    StreamConfig(
        name=DEAD_LETTERS,
        description="Messages set aside, sealed, until they are driven again.",
        subjects=["dead.>"],
        duplicate_window=OWN_WINDOW,
    ),
    StreamConfig(
        name=ADVISORIES,
        description="What the server says of consumers, so that a lost message explains itself.",
        subjects=["$JS.EVENT.ADVISORY.CONSUMER.>"],
        max_age=30 * DAY,
    ),
    StreamConfig(
        name=REDRIVE,
        description="Dead letters on their way back to the consumer that set them aside.",
        subjects=["redrive.*"],
        retention=RetentionPolicy.WORK_QUEUE,
        duplicate_window=OWN_WINDOW,
    ),
    StreamConfig(
        name=SUSPECTS,
        description="Messages that were delivered before, and are being handled alone.",
        subjects=["suspect.*.*"],
        max_msgs_per_subject=1,
        max_age=DAY,
    ),
)


@dataclass(frozen=True, slots=True)
class Durable:
    """A consumer that several replicas of one service share."""

    name: str
    stream: str
    subjects: tuple[str, ...]
    batch: int = 250


_RULES = (DirectoryPublished.TYPE, RulebookPublished.TYPE)

UNSEALS = (CaseAmended.TYPE, CaseUnsealingConfirmed.TYPE)
"""What tells to whom who spoke may be told, and when no more."""

CASES = (
    CaseOpened.TYPE,
    CaseAssigned.TYPE,
    CaseAccepted.TYPE,
    CaseConcluded.TYPE,
    CaseReferred.TYPE,
    CaseReopened.TYPE,
    CaseJoined.TYPE,
)
"""What tells which body holds a case, and how far it is."""

CONSUMERS: dict[str, Durable] = {
    durable.name: durable
    for durable in (
        Durable("intake-feed", FEED, ("feed.*.*.*.*",)),
        Durable("intake-commands", COMMANDS, ("command.*.submission.*.*",), batch=10),
        Durable("intake-rules", EVENTS, (*_RULES, CalendarPublished.TYPE), batch=10),
        Durable("intake-cases", EVENTS, (*CASES, *UNSEALS)),
        Durable("routing-submission-received", EVENTS, (SubmissionReceived.TYPE,)),
        Durable("routing-commands", COMMANDS, ("command.*.case.*.*",)),
        Durable("routing-rules", EVENTS, (*_RULES, CalendarPublished.TYPE), batch=10),
        Durable(
            "reporting-rows",
            EVENTS,
            (
                SubmissionReceived.TYPE,
                SubmissionRated.TYPE,
                CaseOpened.TYPE,
                CaseAssigned.TYPE,
                ClockStarted.TYPE,
                ClockRestated.TYPE,
                CaseAccepted.TYPE,
                CaseConcluded.TYPE,
                CaseReferred.TYPE,
                CaseReopened.TYPE,
                CaseJoined.TYPE,
                ActivityRecorded.TYPE,
                ChannelAnnounced.TYPE,
            ),
        ),
        Durable("reporting-rules", EVENTS, _RULES, batch=10),
        Durable("reporting-commands", COMMANDS, ("command.*.report.*.*",), batch=10),
    )
}

REDRIVEN: dict[str, Durable] = {
    service: Durable(
        f"{service}-redrive",
        REDRIVE,
        tuple(f"redrive.{name}" for name in CONSUMERS if name.startswith(f"{service}-")),
        batch=10,
    )
    for service in ("intake", "routing", "reporting")
}
"""By service: the consumer of what the operator drives again for its other ones."""

WEBHOOK = "webhook-"


def webhook_durable(code: str) -> Durable:
    """The consumer of one webhook, from which reporting takes; the operator makes it."""
    return Durable(WEBHOOK + code, REPORTS, ("report.public.>",), batch=1)


ANNOUNCES: dict[str, tuple[str, ...]] = {
    "intake": (
        SubmissionReceived.TYPE,
        SubmissionRelated.TYPE,
        SubmissionSupplemented.TYPE,
        SubmissionRated.TYPE,
        SubmissionErased.TYPE,
        SubmissionHeld.TYPE,
        SubmissionReleased.TYPE,
        IdentityOpened.TYPE,
        ActivityRecorded.TYPE,
        ChannelAnnounced.TYPE,
        ChannelSilent.TYPE,
        ChannelInterrupted.TYPE,
        "feed.*.refused",
        "command.*.refused",
    ),
    "routing": (
        CaseOpened.TYPE,
        CaseAssigned.TYPE,
        ClockStarted.TYPE,
        ClockWarned.TYPE,
        ClockMet.TYPE,
        ClockMissed.TYPE,
        ClockRestated.TYPE,
        CaseAccepted.TYPE,
        CaseConcluded.TYPE,
        CaseWithdrawn.TYPE,
        CaseDeclined.TYPE,
        CaseAmended.TYPE,
        CaseReopened.TYPE,
        CaseReferred.TYPE,
        CaseRecommended.TYPE,
        CaseFollowedUp.TYPE,
        CaseDivided.TYPE,
        CaseJoined.TYPE,
        CaseUnsealingAsked.TYPE,
        CaseUnsealingConfirmed.TYPE,
        CaseUnsealingRefused.TYPE,
        CaseUnsealingLapsed.TYPE,
        CaseUnsealed.TYPE,
        ClockPaused.TYPE,
        "command.*.refused",
    ),
    "reporting": (
        AuditCheckpoint.TYPE,
        "report.public.>",
        "report.internal.>",
        "command.*.refused",
    ),
}
"""By service: where it announces. The server lets it publish nowhere else, but for its answers,
acknowledgements and dead letters; see `deploy/access`."""

ON_THE_WAY = (
    "intake-feed",
    "intake-commands",
    "routing-submission-received",
    "routing-commands",
    "reporting-rows",
)
"""The consumers through which something may still become an event that reporting counts."""

STREAMS_LOOKED_AT = (FEED, COMMANDS, EVENTS, REPORTS, REFUSALS, DEAD_LETTERS, REDRIVE)
"""What the operator is told the size of. It tells how much there is, never what it says."""

LOOKS: dict[str, tuple[str, ...]] = {
    "intake": tuple(f"$JS.API.STREAM.INFO.{stream}" for stream in (DEAD_LETTERS, REDRIVE)),
    "reporting": (
        *(
            f"$JS.API.CONSUMER.INFO.{durable.stream}.{durable.name}"
            for durable in (*CONSUMERS.values(), *REDRIVEN.values())
            if not durable.name.startswith("reporting-")
        ),
        *(f"$JS.API.STREAM.INFO.{stream}" for stream in STREAMS_LOOKED_AT),
        f"$JS.API.STREAM.MSG.GET.{EVENTS}",
        f"$JS.API.DIRECT.GET.{EVENTS}",
        f"$JS.API.DIRECT.GET.{REPORTS}",
    ),
}
"""By service: what it asks the server beside its own consumers; see `services/reporting/flight`,
`services/reporting/lookout` and `services/intake/inbox`.

The chain reads every message of EVENTS, in order."""
HANDS_IN: dict[str, tuple[str, ...]] = {"routing": ("command.*.case.*.*",)}
"""By service: what it may put into a stream in the name of parties that came to it by HTTP.

It is what the service itself takes from there: it could act as if any party had ordered."""


def noting(durable: Durable) -> tuple[str, ...]:
    """What a service asks of the server to note of a message that is handled alone, and read it."""
    own = f"suspect.{durable.name}.*"
    return (own, f"$JS.API.DIRECT.GET.{SUSPECTS}.{own}")


OPERATORS = (*_RULES, CalendarPublished.TYPE)
"""What the operator announces."""


async def declare(
    jetstream: JetStreamContext,
    replicas: int | None = None,
    ack_wait: float = ACK_WAIT_SECONDS,
    *,
    begins: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Make every stream and consumer as declared here; again and again without harm.

    `replicas` are copies of each stream; without a number as many as those have that are there, or
    one. `begins` says for streams that are not there yet at which sequence they count on. Raises
    `RuntimeError` on a server that cannot do without comparing ids.
    """
    copies = await _copies(jetstream)
    if replicas is None:
        replicas = max(copies.values(), default=1)
    for stream in STREAMS:
        config = replace(
            stream,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW if stream.max_age is None else DiscardPolicy.OLD,
            num_replicas=replicas,
            allow_direct=True,
        )
        if stream.name in copies:
            made = await jetstream.update_stream(config)
        else:
            first = begins.get(stream.name or "")
            made = await jetstream.add_stream(replace(config, first_seq=first))
        if stream.sources and made.config.duplicate_window:
            raise RuntimeError(
                f"stream {stream.name} compares ids of different parties: "
                "nats-server 2.14 or newer is needed"
            )
    for durable in (*CONSUMERS.values(), *REDRIVEN.values()):
        await jetstream.add_consumer(
            durable.stream,
            ConsumerConfig(
                durable_name=durable.name,
                filter_subjects=list(durable.subjects),
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ack_wait,
                max_deliver=-1,  # our own rule sets aside; the server's would only lose
                max_ack_pending=4 * durable.batch,
                num_replicas=replicas,
            ),
        )


async def _copies(jetstream: JetStreamContext) -> dict[str | None, int]:
    """Of each stream that is there."""
    found: dict[str | None, int] = {}
    for stream in STREAMS:
        try:
            info = await jetstream.stream_info(stream.name or "")
        except NotFoundError:
            continue
        found[stream.name] = info.config.num_replicas or 1
    return found


_FIRST_TOKEN: dict[str, str] = {
    "report": REPORTS,
    "feed": REFUSALS,
    "command": REFUSALS,
    "dead": DEAD_LETTERS,
}


def stream_of(subject: str) -> str:
    """The stream that what a service announces on `subject` must end up in."""
    return _FIRST_TOKEN.get(subject.partition(".")[0], EVENTS)
