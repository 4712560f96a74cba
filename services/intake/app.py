"""Wires intake: the only place that chooses addresses, limits and implementations."""

from starlette.applications import Starlette

from services.intake.handlers import RulesMissing, fate_teller, receiver, rule_keeper
from services.intake.store import MongoArrivals, MongoRecords, MongoRules, MongoSubmissions
from services.intake.vault import Vault
from shared.contracts import DirectoryPublished, RulebookPublished
from shared.runtime.bus import Bus
from shared.runtime.mongo import UNAVAILABLE, open_client, open_database
from shared.runtime.sealing import DEAD_LETTER_USE, Seal
from shared.runtime.settings import ServiceSettings
from shared.runtime.telemetry import configure_logging
from shared.runtime.web import Service, end_process

NAME = "intake"


class Settings(ServiceSettings):
    """Intake's own settings stand beside those of every service."""


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    configure_logging(NAME)
    client = open_client(settings.mongo_url)
    database = open_database(client, f"{settings.mongo_prefix}_{NAME}")
    vault = Vault.from_file(settings.keys / "intake.kek")
    submissions, records = MongoSubmissions(database), MongoRecords(database)
    arrivals, rules = MongoArrivals(database), MongoRules(database)
    bus = Bus(
        settings.nats_url,
        NAME,
        seal=Seal.from_text((settings.keys / "operator.pub").read_text(), DEAD_LETTER_USE),
        passing=(*UNAVAILABLE, RulesMissing),
        on_closed=end_process,
    )
    bus.admit("intake-feed", receiver(submissions, records, arrivals, rules, vault))
    bus.react("intake-rules", rule_keeper(rules), DirectoryPublished, RulebookPublished)
    bus.answer(NAME, "fates", fate_teller(arrivals))

    async def prepare() -> None:
        await submissions.prepare()
        await arrivals.prepare()

    return Service(bus, client, prepare).application()
