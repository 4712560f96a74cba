"""Wires intake: the only place that chooses addresses, limits and implementations."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import httpx
from pydantic import Field, SecretStr, field_validator, model_validator
from starlette.applications import Starlette

from services.intake.acknowledging import Acknowledging, Post, PostOffice
from services.intake.domain.heartbeat import LOOK
from services.intake.handlers import (
    Gathering,
    NotSwept,
    Protecting,
    Reader,
    Receiving,
    RulesMissing,
    StoreAway,
    Stores,
    Telling,
    UnderReceipt,
    acceptor,
    call_closer,
    call_collector,
    case_keeper,
    fate_teller,
    feed_watcher,
    identity_teller,
    key_sweeper,
    key_teller,
    message_taker,
    order_taker,
    readers_teller,
    receiver,
    relater,
    rule_keeper,
    text_teller,
    watcher,
)
from services.intake.inbox import Inbox
from services.intake.parsing.pool import ParserPool, ParserUnavailable
from services.intake.relay import Relay
from services.intake.schedule import Work, keep_time
from services.intake.sources.addresses import Addresses
from services.intake.sources.http import Credentials, routes
from services.intake.sources.lmtp import Lmtp
from services.intake.sources.mailbox import Mailboxes, read_mailboxes
from services.intake.store import (
    MongoAcknowledgements,
    MongoArrivals,
    MongoCalls,
    MongoCases,
    MongoContents,
    MongoConversations,
    MongoDataKeys,
    MongoFeeds,
    MongoHeard,
    MongoKeyUses,
    MongoMatters,
    MongoOpenings,
    MongoOutbox,
    MongoProtections,
    MongoReadings,
    MongoReceipts,
    MongoRecords,
    MongoRules,
    MongoSubmissions,
)
from services.intake.vault import Secrets
from services.intake.wrapping import FileWrapping, TransitWrapping, Wrapping, WrappingAway
from shared.contracts import (
    CalendarPublished,
    CaseAccepted,
    CaseAmended,
    CaseAssigned,
    CaseConcluded,
    CaseJoined,
    CaseOpened,
    CaseReferred,
    CaseReopened,
    CaseUnsealingConfirmed,
    DirectoryPublished,
    RulebookPublished,
)
from shared.runtime.bus import Bus
from shared.runtime.mongo import UNAVAILABLE, open_client, open_database
from shared.runtime.publish import Unconfirmed
from shared.runtime.sealing import DEAD_LETTER_USE, Opener, Seal
from shared.runtime.settings import ServiceSettings
from shared.runtime.telemetry import configure_logging
from shared.runtime.web import Service, end_process

NAME = "intake"
RULES = (DirectoryPublished, RulebookPublished, CalendarPublished)
CASE_EVENTS = (
    CaseOpened,
    CaseAssigned,
    CaseAccepted,
    CaseConcluded,
    CaseReferred,
    CaseReopened,
    CaseJoined,
    CaseAmended,
    CaseUnsealingConfirmed,
)
OVERSEERS = frozenset({"operator"})
"""Parties that are told who read what was said."""
AWAY = (*UNAVAILABLE, WrappingAway, ParserUnavailable)


class Settings(ServiceSettings):
    """Intake's own settings stand beside those of every service."""

    parsers: int = Field(default=1, ge=1, le=64, description="Processes in which mails are parsed.")
    lmtp_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port for mail servers to deliver to; none if unset.",
    )
    lmtp_host: str = Field(default="127.0.0.1", description="Address that LMTP listens on.")
    hostname: str = Field(
        default="localhost", description="Name that we give ourselves to mail servers."
    )
    vault_url: str = Field(
        default="",
        description="HashiCorp Vault whose transit engine wraps data keys; unset: a file does.",
    )
    vault_mount: str = Field(default="transit", description="Where the engine is mounted.")
    vault_key: str = Field(default="langnghe", description="Name of the key in the engine.")
    vault_token: Path = Field(
        default=Path("vault.token"), description="File of the token, in the keys folder."
    )
    smtp_url: SecretStr = Field(
        default=SecretStr(""),
        description="Mail server that takes acknowledgements, `smtp://host:port`, `smtps://` or "
        "`lmtp://`; empty: none are sent.",
    )
    receipt_page: str = Field(
        default="", description="Address told in acknowledgements, at which to enter the code."
    )
    may_protect: frozenset[str] = Field(
        default=frozenset({"operator"}),
        description="Parties that may hold, release and erase submissions.",
    )

    @field_validator("smtp_url")
    @classmethod
    def _post_office_is_one(cls, url: SecretStr) -> SecretStr:
        if url:
            PostOffice.at(url.get_secret_value())
        return url

    @model_validator(mode="after")
    def _told_where(self) -> Self:
        if self.smtp_url and not self.receipt_page:
            raise ValueError("LANGNGHE_SMTP_URL asks for LANGNGHE_RECEIPT_PAGE, to tell of it")
        return self


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    configure_logging(NAME)
    client = open_client(settings.mongo_url)
    database = open_database(client, f"{settings.mongo_prefix}_{NAME}")
    keys_apart = open_database(client, f"{settings.mongo_prefix}_{NAME}_keys")
    secrets = Secrets.from_file(settings.keys / "intake.kek")
    sealed_to_intake = Opener.from_text((settings.keys / "intake.key").read_text())
    submissions, conversations = MongoSubmissions(database), MongoConversations(database)
    records, arrivals, rules = MongoRecords(database), MongoArrivals(database), MongoRules(database)
    data_keys = MongoDataKeys(keys_apart, _wrapping(settings))
    receipts = MongoReceipts(database, secrets.receipts)
    matters = MongoMatters(database)
    feeds, calls = MongoFeeds(database), MongoCalls(database)
    cases, openings = MongoCases(database), MongoOpenings(database)
    protections, readings = MongoProtections(database), MongoReadings(database)
    bus = Bus(
        settings.nats_url,
        NAME,
        seal=Seal.from_text((settings.keys / "operator.pub").read_text(), DEAD_LETTER_USE),
        seed=settings.nats_seed,
        authority=settings.nats_ca,
        passing=(*AWAY, RulesMissing),
        on_closed=end_process,
    )
    relay = Relay(MongoOutbox(database), bus.publish, (*AWAY, Unconfirmed))
    parsers = ParserPool(processes=settings.parsers, cpu_seconds=2, wall_seconds=30.0)
    receiving = Receiving(
        Stores(submissions, conversations, records, arrivals, rules, data_keys, receipts, feeds),
        Reader(secrets.fingerprints, settings.zone, acknowledges=bool(settings.smtp_url)),
        parsers.read,
        sealed_to_intake.open,
    )
    bus.admit("intake-feed", receiver(receiving))
    bus.react("intake-rules", rule_keeper(rules), *RULES)
    bus.answer(NAME, "fates", fate_teller(arrivals))
    bus.answer(NAME, "key", key_teller(sealed_to_intake.public))
    bus.react("intake-cases", case_keeper(cases), *CASE_EVENTS)
    protecting = Protecting(protections, data_keys, arrivals, settings.may_protect)
    bus.admit("intake-commands", order_taker(protecting))
    telling = Telling(cases, MongoContents(database), data_keys, now)
    bus.answer(NAME, "text", text_teller(telling, readings))
    bus.answer(NAME, "readers", readers_teller(readings, rules, OVERSEERS))
    bus.answer(NAME, "identity", identity_teller(telling, openings, settings.zone, bus.publish))
    bus.answer(NAME, "say", message_taker(telling, conversations, relay.wake))

    accept = Gathering(acceptor(receiving, AWAY, relay.wake))
    addresses = Addresses(rules)
    boxes = read_mailboxes(settings.keys / "mailboxes.json")
    mailboxes = Mailboxes(accept, boxes, now, secrets.fingerprints)
    lmtp = Lmtp(
        accept,
        addresses.agency_of,
        now,
        secrets.fingerprints,
        hostname=settings.hostname,
        host=settings.lmtp_host,
        port=settings.lmtp_port or 0,
    )
    alarms, key_uses = MongoRecords(database, "alarms"), MongoKeyUses(database)
    acknowledgements = MongoAcknowledgements(database)
    works = [
        Work("addresses", 2.0, addresses.refresh),
        Work("mailboxes", 10.0, mailboxes.tell),
        Work("matters", 1.0, relater(matters, MongoRecords(database, "relations"))),
        Work("calls", 30.0, call_closer(calls, data_keys, accept, settings.zone)),
        Work("watch", 600.0, watcher(rules, MongoHeard(database), alarms, settings.zone)),
        Work(
            "feeds",
            LOOK.total_seconds(),
            feed_watcher(rules, feeds, alarms, lambda: bus.is_connected),
        ),
        Work("inbox", 60.0, Inbox(arrivals, bus.connected).reconcile),
        Work("keys", 21_600.0, key_sweeper(data_keys, key_uses)),
    ]
    if settings.smtp_url:
        acknowledging = Acknowledging(
            acknowledgements,
            Post(PostOffice.at(settings.smtp_url.get_secret_value()), settings.hostname),
            now,
            contents=telling.contents,
            data_keys=data_keys,
            receipts=receipts,
            rules=rules,
            key=secrets.fingerprints,
            page=settings.receipt_page,
            passing=(*AWAY, RulesMissing),
        )
        works.append(Work("acknowledgements", 2.0, acknowledging.send_due))

    async def knows(agency: str) -> bool:
        return agency in (await rules.latest()).agencies

    under_receipt = UnderReceipt(
        receipts,
        cases,
        telling.contents,
        conversations,
        MongoRecords(database, "ratings"),
        data_keys,
        rules,
        now,
        relay.wake,
    )
    faces = routes(
        accept,
        Credentials(settings.keys / "agencies.json"),
        now,
        key=secrets.fingerprints,
        fates=arrivals,
        knows=knows,
        receipts=receipts.give,
        call_records=call_collector(calls, data_keys, secrets.fingerprints, now),
        under_receipt=under_receipt,
        away=AWAY,
        public_key=sealed_to_intake.public,
    )
    tasks = {
        "relay": relay.run,
        **({"mailboxes": mailboxes.run} if boxes else {}),
        **({"lmtp": lmtp.run} if settings.lmtp_port is not None else {}),
        "schedule": lambda: keep_time(works, now, (*AWAY, RulesMissing, StoreAway, NotSwept)),
    }

    async def prepare() -> None:
        for store in (
            *(submissions, conversations, records, arrivals, data_keys),
            *(cases, openings, readings, calls, feeds, matters, key_uses, acknowledgements),
        ):
            await store.prepare()

    return Service(
        bus,
        client,
        prepare,
        tasks=tasks,
        also_waits=lambda: _waits(relay=relay.waits_for),
        within=(parsers,),
    ).application(faces)


def _wrapping(settings: Settings) -> Wrapping:
    if not settings.vault_url:
        return FileWrapping.from_file(settings.keys / "intake.kek")
    token = settings.keys / settings.vault_token
    return TransitWrapping(
        settings.vault_url,
        settings.vault_mount,
        settings.vault_key,
        lambda: token.read_text().strip(),
        httpx.AsyncClient(timeout=5.0),
    )


def now() -> datetime:
    return datetime.now(UTC)


def _waits(**parts: str) -> dict[str, str]:
    """Those parts that wait for something."""
    return {part: why for part, why in parts.items() if why}
