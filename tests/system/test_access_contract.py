"""Every subject of the contract document for every role: who may say and hear it, and nobody else.

The subjects come from `docs/asyncapi.yaml`, so that a new channel is tried by every role; what each
may is written down here by hand, and the document has to say the same.
"""

import pytest
import yaml

from deploy.access.permissions import (
    User,
    agency,
    body,
    operator,
    public,
    reader,
    service,
)
from deploy.access.permissions import system as doorkeeper
from tests.documents import ROOT
from tests.guarded import (
    SECURITY_EVENT_SECONDS,
    arrived,
    guarded,
    ours,
    province,
    until,
)

__all__ = ["guarded", "ours"]

READERS = ("reader-own", "reader-other")
PARTIES = ("own", "other", "operator")
SERVICES = ("intake", "routing", "reporting")
NAMES = {"{form}": "s-124", "{unit}": "u1", "{period}": "2026-h1"}
CHANNELS = {
    channel["address"]: channel
    for channel in yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())[
        "channels"
    ].values()
    if channel["address"] is not None  # of an answer
}


def subjects(address: str) -> set[str]:
    """What the address stands for: said by each party, about one unit."""
    if address == "dead.{subject}":
        return {f"dead.{s}" for each in CHANNELS if taken_by(each) for s in subjects(each)}
    for name, value in NAMES.items():
        address = address.replace(name, value)
    return {address.replace("{agency}", p).replace("{party}", p) for p in PARTIES}


def taken_by(address: str) -> set[str]:
    """The services that take what a stream keeps of it."""
    return {name.partition("-")[0] for name in CHANNELS[address].get("x-consumers", ())}


def dead_of(name: str) -> set[str]:
    return {f"dead.{s}" for each in CHANNELS if name in taken_by(each) for s in subjects(each)}


def matching(*beginnings: str) -> set[str]:
    return {s for each in CHANNELS for s in subjects(each) if s.startswith(beginnings)}


OF_CONTRACT = {subject for address in CHANNELS for subject in subjects(address)}
JETSTREAM = {
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.INFO.FEED",
    "$JS.API.STREAM.CREATE.MINE",
    "$JS.API.STREAM.DELETE.EVENTS",
    "$JS.API.STREAM.PURGE.FEED",
    "$JS.API.STREAM.MSG.GET.EVENTS",
    "$JS.API.DIRECT.GET.EVENTS",
    "$JS.API.CONSUMER.CREATE.FEED.mine",
    "$JS.API.CONSUMER.MSG.NEXT.EVENTS.routing-rules",
    "$JS.API.CONSUMER.MSG.NEXT.FEED.intake-feed",
    "$JS.API.CONSUMER.INFO.FEED.intake-feed",
    "$JS.API.CONSUMER.INFO.REPORTS.webhook-w1",
    "$JS.API.STREAM.INFO.SUSPECTS",
    "$JS.API.STREAM.INFO.DEAD_LETTERS",
    "$JS.ACK.FEED.intake-feed.1.1.1.1.0",
    *(f"$JS.API.CONSUMER.CREATE.REPORTS.{name}" for name in READERS),
    *(f"$JS.API.CONSUMER.CREATE.REPORTS.{name}.report.>" for name in READERS),
    *(f"$JS.API.CONSUMER.CREATE.REPORTS.{name}.report.internal.>" for name in READERS),
    *(f"$JS.API.CONSUMER.CREATE.REPORTS.{name}.report.public.>" for name in READERS),
    *(f"$JS.API.CONSUMER.DURABLE.CREATE.REPORTS.{name}" for name in READERS),
    *(f"$JS.API.CONSUMER.DELETE.REPORTS.{name}" for name in READERS),
    *(f"$JS.API.CONSUMER.INFO.REPORTS.{name}" for name in READERS),
    *(f"$JS.API.CONSUMER.MSG.NEXT.REPORTS.{name}" for name in READERS),
    *(f"$JS.ACK.REPORTS.{name}.1.1.1.1.0" for name in READERS),
    "$JS.API.CONSUMER.NAMES.REPORTS",
    "$JS.API.STREAM.INFO.REPORTS",
    "$JS.API.STREAM.MSG.GET.REPORTS",
    "$JS.API.DIRECT.GET.REPORTS",
    "$JS.API.DIRECT.GET.REPORTS.report.internal.u1.s-124.2026-h1",
}
BESIDE = {
    *(f"feed.{p}.what-ever.happened.v1" for p in PARTIES),
    *(f"command.{p}.case.accept.v9" for p in PARTIES),
    *(f"ask.{p}.{s}.what-ever" for p in PARTIES for s in SERVICES),
    "dead.nothing",
    "nothing",
    "audit.x.v1",
    "submission.received.v9",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.USER.INFO",
    "_INBOX.x",
    "_INBOX_own.x",
    "_INBOX_other.x",
    "_INBOX_operator.x",
    "_INBOX_svc-intake.x",
}
"""What no contract has."""
EVERY = sorted(OF_CONTRACT | JETSTREAM | BESIDE)

WILD = (
    ">",
    "*.*",
    "feed.>",
    "feed.own.>",
    "feed.*.refused",
    "command.>",
    "ask.>",
    "report.>",
    "report.public.>",
    "report.internal.>",
    "submission.>",
    "dead.>",
    "$JS.>",
    "$JS.EVENT.>",
    "$SYS.>",
    "_INBOX.>",
    "_INBOX_own.>",
    "_INBOX_other.>",
    "_INBOX_operator.>",
    "_R_.>",
)

FED = {
    "feed.own.hotline-call.logged.v1",
    "feed.own.mailbox-message.arrived.v1",
    "feed.own.form.submitted.v1",
    "feed.own.letter.registered.v1",
    "feed.own.supervision.recorded.v1",
    "feed.own.dialogue.held.v1",
    "feed.own.channel.published.v1",
    "feed.own.feed.heartbeat.v1",
}
ORDERS = (
    *("accept", "amend", "ask-unsealing", "conclude", "confirm-unsealing", "decline", "extend"),
    *("follow-up", "join", "pause", "recommend", "refer", "refuse-unsealing", "reopen", "resume"),
    *("split", "transfer", "withdraw"),
)
OWN_INBOX = {"_INBOX_own.x", "_INBOX_own.>"}
PUBLIC_REPORT, INTERNAL_REPORT = (
    "report.public.s-124.u1.2026-h1",
    "report.internal.u1.s-124.2026-h1",
)
DECLARED: dict[str, tuple[User, set[str], set[str]]] = {
    "agency": (
        agency("own"),
        {*FED, "ask.own.intake.fates", "ask.own.intake.key"},
        {"feed.own.refused", *OWN_INBOX},
    ),
    "body": (
        body("own"),
        {
            *(f"command.own.case.{verb}.v1" for verb in ORDERS),
            *matching("ask.own.") - {"ask.own.routing.effect"},
            *(f"ask.own.{s}.what-ever" for s in SERVICES),
        },
        {"command.own.refused", *OWN_INBOX},
    ),
    "public": (public(), set(), {PUBLIC_REPORT, "report.public.>"}),
    "reader": (
        reader("own"),
        {
            "$JS.API.CONSUMER.MSG.NEXT.REPORTS.reader-own",
            "$JS.ACK.REPORTS.reader-own.1.1.1.1.0",
        },
        {PUBLIC_REPORT, "report.public.>", *OWN_INBOX},
    ),
    "intake": (
        service("intake"),
        {
            *matching("submission."),
            "identity.opened.v1",
            "activity.recorded.v1",
            *matching("channel."),
            *(f"{entrance}.{p}.refused" for entrance in ("feed", "command") for p in PARTIES),
            *dead_of("intake"),
            "$JS.API.CONSUMER.MSG.NEXT.FEED.intake-feed",
            "$JS.API.CONSUMER.INFO.FEED.intake-feed",
            "$JS.API.STREAM.INFO.DEAD_LETTERS",
            "$JS.ACK.FEED.intake-feed.1.1.1.1.0",
            "_INBOX_operator.x",
        },
        {
            *(f"ask.{p}.intake.what-ever" for p in PARTIES),
            *matching(*(f"ask.{p}.intake." for p in PARTIES)),
            "_INBOX_svc-intake.x",
        },
    ),
    "routing": (
        service("routing"),
        {
            *matching("case.", "clock."),
            *(f"command.{p}.case.{verb}.v1" for p in PARTIES for verb in ORDERS),
            *(f"command.{p}.case.accept.v9" for p in PARTIES),
            *(f"command.{p}.refused" for p in PARTIES),
            *dead_of("routing"),
            "$JS.API.CONSUMER.MSG.NEXT.EVENTS.routing-rules",
            "_INBOX_operator.x",
        },
        {
            *(f"ask.{p}.routing.what-ever" for p in PARTIES),
            *matching(*(f"ask.{p}.routing." for p in PARTIES)),
        },
    ),
    "reporting": (
        service("reporting"),
        {
            "audit.checkpoint.v1",
            PUBLIC_REPORT,
            INTERNAL_REPORT,
            *(f"command.{p}.refused" for p in PARTIES),
            *dead_of("reporting"),
            "$JS.API.STREAM.MSG.GET.EVENTS",
            "$JS.API.DIRECT.GET.EVENTS",
            "$JS.API.DIRECT.GET.REPORTS",
            "$JS.API.STREAM.INFO.FEED",
            "$JS.API.STREAM.INFO.REPORTS",
            "$JS.API.STREAM.INFO.DEAD_LETTERS",
            "$JS.API.CONSUMER.INFO.FEED.intake-feed",
            "_INBOX_operator.x",
        },
        {
            *(f"ask.{p}.reporting.what-ever" for p in PARTIES),
            *matching(*(f"ask.{p}.reporting." for p in PARTIES)),
        },
    ),
    "operator": (
        operator(),
        {
            *(JETSTREAM - {"$JS.API.STREAM.DELETE.EVENTS", "$JS.API.STREAM.PURGE.FEED"}),
            "directory.published.v1",
            "rulebook.published.v1",
            "calendar.published.v1",
            *(s for s in matching("feed.", "command.") if not s.endswith(".refused")),
            *(f"feed.{p}.what-ever.happened.v1" for p in PARTIES),
            *(f"command.{p}.case.accept.v9" for p in PARTIES),
            *(f"ask.{p}.{s}.fates" for p in PARTIES for s in SERVICES),
            *(f"ask.{p}.intake.{q}" for p in PARTIES for q in ("key", "readers")),
            *matching(*(f"ask.{p}.routing." for p in PARTIES)),
            *(f"ask.{p}.routing.what-ever" for p in PARTIES),
            *(
                f"ask.{p}.reporting.{q}"
                for p in PARTIES
                for q in ("recount", "count", "checkpoint")
            ),
        },
        {
            "directory.published.v1",
            PUBLIC_REPORT,
            INTERNAL_REPORT,
            "report.>",
            "report.public.>",
            "report.internal.>",
            "_INBOX_operator.x",
            "_INBOX_operator.>",
        },
    ),
    "doorkeeper": (doorkeeper(), {"$SYS.REQ.SERVER.PING"}, set()),
}


class TestTheDeclaredSet:
    """What each may is what is written above: no less, no more."""

    @pytest.mark.parametrize("who", DECLARED)
    async def test_it_may_say_exactly_that(self, guarded, ours, who):
        user, allowed, _ = DECLARED[who]
        await guarded.let_in(province("own", "other", "operator"), *self.everybody(user))
        async with guarded.connected(user) as client:
            for subject in EVERY:
                await client.publish(subject, b"{}")
            await arrived(client)

        forbidden = set(EVERY) - allowed
        await until(lambda: len(guarded.refused()) >= len(forbidden), SECURITY_EVENT_SECONDS)
        assert {v.subject for v in guarded.refused() if v.verb == "publish"} == forbidden

    @pytest.mark.parametrize("who", DECLARED)
    async def test_it_may_hear_exactly_that(self, guarded, ours, who):
        user, _, allowed = DECLARED[who]
        await guarded.let_in(province("own", "other", "operator"), *self.everybody(user))
        async with guarded.connected(user) as client:
            for subject in (*EVERY, *WILD):
                await client.subscribe(subject)
            await arrived(client)

        forbidden = {*EVERY, *WILD} - allowed
        await until(lambda: len(guarded.refused()) >= len(forbidden), SECURITY_EVENT_SECONDS)
        assert {v.subject for v in guarded.refused() if v.verb == "subscription"} == forbidden

    def everybody(self, user: User) -> list[User]:
        return [user, agency("other"), agency("operator")]


class TestTheDocument:
    """It is written from the permissions; here it is held to what is written above."""

    @pytest.mark.parametrize("address", CHANNELS)
    def test_names_who_may_say_and_hear_each_channel(self, address):
        channel = CHANNELS[address]
        for key, which in (("x-speakers", 1), ("x-hearers", 2)):
            may = {who for who, declared in DECLARED.items() if subjects(address) & declared[which]}

            assert set(channel[key]) == may

    @pytest.mark.parametrize("address", CHANNELS)
    def test_has_no_channel_on_which_nobody_speaks(self, address):
        assert any(subjects(address) & said for _, said, _ in DECLARED.values())
