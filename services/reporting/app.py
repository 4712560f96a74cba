"""Wires reporting: the only place that chooses addresses, limits and implementations."""

import ssl
from datetime import UTC, date, datetime, timedelta

import nats.errors
from httpcore import AnyIOBackend
from pydantic import Field
from starlette.applications import Starlette

from services.reporting.chain import (
    Chain,
    EventLog,
    MongoCheckpoints,
    MongoLinks,
    checkpoint_teller,
)
from services.reporting.closing import Closer
from services.reporting.domain.chain import Signer
from services.reporting.flight import StreamFlight, StreamReports
from services.reporting.handlers import command_taker, fate_teller, row_keeper, rule_keeper
from services.reporting.http import Printer, routes
from services.reporting.issuing import Desk
from services.reporting.lookout import Lookout
from services.reporting.ports import RulesMissing
from services.reporting.push import Caller, ConsumerSource, Delivery, Pusher, SystemResolver
from services.reporting.questions import Counts, count_teller, recount_teller
from services.reporting.schedule import Schedule
from services.reporting.store import (
    MongoClosings,
    MongoPublications,
    MongoReports,
    MongoRows,
    MongoRules,
    MongoSendings,
    MongoWebhooks,
)
from shared.contracts import (
    ActivityRecorded,
    CaseAccepted,
    CaseAssigned,
    CaseConcluded,
    CaseJoined,
    CaseOpened,
    CaseReferred,
    CaseReopened,
    ChannelAnnounced,
    ClockRestated,
    ClockStarted,
    DirectoryPublished,
    RulebookPublished,
    SubmissionRated,
    SubmissionReceived,
)
from shared.runtime.asking import Unanswered
from shared.runtime.bus import Bus
from shared.runtime.mongo import UNAVAILABLE, open_client, open_database
from shared.runtime.publish import Unconfirmed
from shared.runtime.sealing import DEAD_LETTER_USE, Seal
from shared.runtime.settings import ServiceSettings
from shared.runtime.telemetry import configure_logging
from shared.runtime.web import Service, end_process

NAME = "reporting"
OVERSEERS = frozenset({"operator"})
"""Parties for whom a period is counted again to compare it, and any unit counted."""


class Settings(ServiceSettings):
    """Reporting's own settings stand beside those of every service."""

    closes_from: date | None = Field(
        default=None,
        description="Periods that end on this day or later are closed when they are over; "
        "without it, only when ordered.",
    )
    webhooks_pause_after_days: int = Field(
        default=5,
        ge=1,
        le=90,
        description="A webhook that took nothing for so long is paused until `webhook resume`.",
    )


def now() -> datetime:
    return datetime.now(UTC)


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    configure_logging(NAME)
    client = open_client(settings.mongo_url)
    database = open_database(client, f"{settings.mongo_prefix}_{NAME}")
    rows, rules, sendings = MongoRows(database), MongoRules(database), MongoSendings(database)
    closings, reports = MongoClosings(database), MongoReports(database)
    away = (*UNAVAILABLE, RulesMissing, Unanswered, nats.errors.Error, TimeoutError)
    bus = Bus(
        settings.nats_url,
        NAME,
        seal=Seal.from_text((settings.keys / "operator.pub").read_text(), DEAD_LETTER_USE),
        seed=settings.nats_seed,
        authority=settings.nats_ca,
        passing=away,
        on_closed=end_process,
    )
    bus.react(
        "reporting-rows",
        row_keeper(rows, closings, settings.zone),
        SubmissionReceived,
        SubmissionRated,
        CaseOpened,
        CaseAssigned,
        ClockStarted,
        ClockRestated,
        CaseAccepted,
        CaseConcluded,
        CaseReferred,
        CaseReopened,
        CaseJoined,
        ActivityRecorded,
        ChannelAnnounced,
    )
    bus.react("reporting-rules", rule_keeper(rules), DirectoryPublished, RulebookPublished)
    flight = StreamFlight(bus.connected)
    closer = Closer(rows, rules, closings, flight, zone=settings.zone)
    out = StreamReports(bus.connected)
    desk = Desk(rules, closings, reports, bus.publish, out.missing)
    schedule = Schedule(
        closer,
        desk,
        rules,
        closings,
        closes_from=settings.closes_from,
        zone=settings.zone,
        now=now,
        passing=(*away, Unconfirmed),
    )
    bus.admit("reporting-commands", command_taker(closer, desk, sendings, now))
    bus.answer(NAME, "fates", fate_teller(sendings))
    bus.answer(NAME, "recount", recount_teller(closer, closings, OVERSEERS))
    counts = Counts(
        rows=rows,
        rules=rules,
        closings=closings,
        flight=flight,
        overseers=OVERSEERS,
        zone=settings.zone,
    )
    bus.answer(NAME, "count", count_teller(counts, now))
    checkpoints = MongoCheckpoints(database)
    signer = Signer.from_text((settings.keys / "chain.key").read_text())

    publications = MongoPublications(database)
    chain = Chain(
        EventLog(bus.connected),
        MongoLinks(database),
        checkpoints,
        bus.publish,
        signer,
        zone=settings.zone,
        now=now,
        passing=(*away, Unconfirmed),
    )
    bus.answer(NAME, "checkpoint", checkpoint_teller(chain, signer.public))
    webhooks = MongoWebhooks(database)
    caller = Caller(SystemResolver(), AnyIOBackend(), ssl.create_default_context())
    pusher = Pusher(
        settings.keys,
        lambda code: ConsumerSource(bus.connected, code),
        webhooks,
        Delivery(
            webhooks,
            caller.post,
            now,
            pause_after=timedelta(days=settings.webhooks_pause_after_days),
        ),
        passing=(*away, Unconfirmed),
    )

    lookout = Lookout(flight, now, passing=(*away, Unconfirmed))

    async def prepare() -> None:
        for store in (sendings, closings, reports, checkpoints, publications):
            await store.prepare()

    return Service(
        bus,
        client,
        prepare,
        tasks={
            "schedule": schedule.run,
            "chain": chain.run,
            "push": pusher.run,
            "lookout": lookout.run,
        },
        also_waits=lambda: _waits(schedule=schedule.waits_for, chain=chain.waits_for),
    ).application(routes(publications, Printer(), away=UNAVAILABLE))


def _waits(**parts: str) -> dict[str, str]:
    """Those parts that wait for something."""
    return {part: why for part, why in parts.items() if why}
