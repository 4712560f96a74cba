"""Wires reporting: the only place that chooses addresses, limits and implementations."""

from datetime import UTC, datetime

from starlette.applications import Starlette

from services.reporting.handlers import (
    Closer,
    RulesMissing,
    command_taker,
    fate_teller,
    row_keeper,
    rule_keeper,
)
from services.reporting.store import (
    MongoClosings,
    MongoReports,
    MongoRows,
    MongoRules,
    MongoSendings,
)
from shared.contracts import (
    ActivityRecorded,
    CaseAccepted,
    CaseAssigned,
    CaseConcluded,
    CaseOpened,
    CaseReferred,
    CaseReopened,
    ChannelAnnounced,
    ClockRestated,
    ClockStarted,
    DirectoryPublished,
    RulebookPublished,
    SubmissionReceived,
)
from shared.runtime.bus import Bus
from shared.runtime.mongo import UNAVAILABLE, open_client, open_database
from shared.runtime.sealing import DEAD_LETTER_USE, Seal
from shared.runtime.settings import ServiceSettings
from shared.runtime.telemetry import configure_logging
from shared.runtime.web import Service, end_process

NAME = "reporting"


class Settings(ServiceSettings):
    """Reporting's own settings stand beside those of every service."""


def now() -> datetime:
    return datetime.now(UTC)


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    configure_logging(NAME)
    client = open_client(settings.mongo_url)
    database = open_database(client, f"{settings.mongo_prefix}_{NAME}")
    rows, rules, sendings = MongoRows(database), MongoRules(database), MongoSendings(database)
    bus = Bus(
        settings.nats_url,
        NAME,
        seal=Seal.from_text((settings.keys / "operator.pub").read_text(), DEAD_LETTER_USE),
        seed=settings.nats_seed,
        passing=(*UNAVAILABLE, RulesMissing),
        on_closed=end_process,
    )
    bus.react(
        "reporting-rows",
        row_keeper(rows),
        SubmissionReceived,
        CaseOpened,
        CaseAssigned,
        ClockStarted,
        ClockRestated,
        CaseAccepted,
        CaseConcluded,
        CaseReferred,
        CaseReopened,
        ActivityRecorded,
        ChannelAnnounced,
    )
    bus.react("reporting-rules", rule_keeper(rules), DirectoryPublished, RulebookPublished)
    bus.admit(
        "reporting-commands",
        command_taker(
            Closer(rows, rules, MongoClosings(database), settings.zone),
            MongoReports(database),
            sendings,
            now,
        ),
    )
    bus.answer(NAME, "fates", fate_teller(sendings))
    return Service(bus, client, sendings.prepare).application()
