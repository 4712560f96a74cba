"""Wires routing: the only place that chooses addresses, limits and implementations."""

from datetime import UTC, datetime

from starlette.applications import Starlette

from services.routing.effects import effect_teller
from services.routing.handlers import (
    RulesMissing,
    case_opener,
    command_taker,
    fate_teller,
    rule_keeper,
)
from services.routing.http import Door, Tellers, Waiting, routes
from services.routing.looking import readers_teller, unsealings_teller
from services.routing.questions import Reading, case_teller, load_teller, worklist_teller
from services.routing.schedule import Schedule
from services.routing.spreading import CasesContended
from services.routing.store import (
    MongoCases,
    MongoClocks,
    MongoCommands,
    MongoLooks,
    MongoRules,
    MongoWorklists,
)
from shared.contracts import (
    CalendarPublished,
    DirectoryPublished,
    RulebookPublished,
    SubmissionReceived,
)
from shared.runtime.bus import Bus
from shared.runtime.http.credentials import Credentials
from shared.runtime.mongo import UNAVAILABLE, open_client, open_database
from shared.runtime.publish import Unconfirmed
from shared.runtime.sealing import DEAD_LETTER_USE, Seal
from shared.runtime.settings import ServiceSettings
from shared.runtime.telemetry import configure_logging
from shared.runtime.web import Service, end_process

NAME = "routing"
OVERSEERS = frozenset({"operator"})
"""Parties that are told of every body: how many cases it has, and what new rules would do."""


class Settings(ServiceSettings):
    """Routing's own settings stand beside those of every service."""


def now() -> datetime:
    return datetime.now(UTC)


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    configure_logging(NAME)
    client = open_client(settings.mongo_url)
    database = open_database(client, f"{settings.mongo_prefix}_{NAME}")
    rules, cases, ledger = MongoRules(database), MongoCases(database), MongoCommands(database)
    clocks, worklists = MongoClocks(database), MongoWorklists(database)
    looks = MongoLooks(database)
    bus = Bus(
        settings.nats_url,
        NAME,
        seal=Seal.from_text((settings.keys / "operator.pub").read_text(), DEAD_LETTER_USE),
        seed=settings.nats_seed,
        authority=settings.nats_ca,
        passing=(*UNAVAILABLE, RulesMissing, CasesContended),
        on_closed=end_process,
    )
    bus.react(
        "routing-submission-received",
        case_opener(rules, cases, settings.zone, now),
        SubmissionReceived,
    )
    bus.admit("routing-commands", command_taker(rules, cases, ledger, settings.zone, now))
    bus.react(
        "routing-rules",
        rule_keeper(rules),
        DirectoryPublished,
        RulebookPublished,
        CalendarPublished,
    )
    reading = Reading(rules, worklists, looks, settings.zone, now)
    tellers = Tellers(
        worklist_teller(reading),
        case_teller(reading),
        load_teller(reading, OVERSEERS),
        fate_teller(ledger),
        unsealings_teller(reading),
    )
    bus.answer(NAME, "fates", tellers.fates)
    bus.answer(NAME, "worklist", tellers.worklist)
    bus.answer(NAME, "case", tellers.case)
    bus.answer(NAME, "load", tellers.load)
    bus.answer(NAME, "unsealings", tellers.unsealings)
    bus.answer(NAME, "readers", readers_teller(reading, OVERSEERS))
    faces = routes(
        Door(Credentials(settings.keys / "bodies.json"), rules, settings.zone, now),
        tellers,
        bus.order,
        Waiting(tellers.fates, away=UNAVAILABLE),
        away=UNAVAILABLE,
    )
    bus.answer(NAME, "effect", effect_teller(rules, cases, OVERSEERS, settings.zone, now))
    schedule = Schedule(
        rules,
        clocks,
        bus.publish,
        zone=settings.zone,
        now=now,
        passing=(*UNAVAILABLE, Unconfirmed),
    )

    async def prepare() -> None:
        for store in (cases, ledger, clocks, worklists, looks):
            await store.prepare()

    return Service(
        bus,
        client,
        prepare,
        tasks={"schedule": schedule.run},
        also_waits=lambda: {"schedule": schedule.waits_for} if schedule.waits_for else {},
    ).application(faces)
