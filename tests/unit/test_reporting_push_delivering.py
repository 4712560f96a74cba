"""What becomes of a report on its way to a webhook: numbered, signed, tried again, paused."""

import asyncio
import hmac
import json
import socket
import threading
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
import structlog

from services.reporting.push import (
    DELAYS,
    PAUSE_AFTER,
    Delivery,
    Refused,
    Subscription,
    SubscriptionsBroken,
    SystemResolver,
    Unreached,
    read_subscriptions,
)
from services.reporting.push.resolving import system_lookup
from shared.contracts.report import Edition
from tests.fakes_push import Hand, MemoryStandings
from tests.system.test_consumer_samples import report

NOON = datetime(2026, 11, 24, 5, tzinfo=UTC)
SECRET, OTHER = bytes(range(32)), bytes(32)
URL = "https://hooks.example.org/in?token=xyz"


def to(code="bao-moi", *secrets: bytes, **more) -> Subscription:
    texts = [b64encode(secret).decode() for secret in secrets or (SECRET,)]
    return Subscription.model_validate({"id": code, "url": URL, "secrets": texts, **more})


class Receiver:
    """Answers what a test says, in turn, the last one for ever."""

    def __init__(self, *answers):
        self.answers, self.posts = list(answers or [204]), []

    async def post(self, url, headers, body):
        self.posts.append((url, dict(headers), body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    def __init__(self):
        self.at = NOON

    def __call__(self):
        return self.at


@pytest.fixture
def standings():
    return MemoryStandings()


@pytest.fixture
def clock():
    return Clock()


async def handled(standings, clock, receiver, hand, whom=None):
    await Delivery(standings, receiver.post, clock).handle(whom or to(), hand)
    return hand.fates


def hand(event=None, sequence=1):
    return Hand((event or report("p1", 1, 10, 20)).encode(), sequence)


class TestWhatIsPosted:
    async def test_the_event_as_it_was_published_with_its_running_number(self, standings, clock):
        receiver, event = Receiver(), report("p1", 1, 10, 20)

        assert await handled(standings, clock, receiver, hand(event)) == ["done"]
        [(url, headers, body)] = receiver.posts
        assert json.loads(body) == json.loads(event.encode()) | {"sequence": "1"}
        assert url == URL
        assert headers["Content-Type"] == "application/cloudevents+json"
        assert headers["webhook-id"] == event.id

    async def test_a_field_that_we_do_not_know_is_passed_on(self, standings, clock):
        receiver = Receiver()
        content = json.loads(report("p1", 1, 10).encode())
        content["data"]["later"] = 1

        await handled(standings, clock, receiver, Hand(json.dumps(content).encode()))

        assert json.loads(receiver.posts[0][2])["data"]["later"] == 1

    async def test_it_is_signed_by_each_secret(self, standings, clock):
        receiver = Receiver()
        await handled(standings, clock, receiver, hand(), to("a", SECRET, OTHER))

        _, headers, body = receiver.posts[0]
        content = b".".join(
            (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body)
        )
        assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))
        assert headers["webhook-signature"].split() == [
            "v1," + b64encode(hmac.digest(secret, content, sha256)).decode()
            for secret in (SECRET, OTHER)
        ]

    @pytest.mark.parametrize(
        ("wanted", "posts"),
        [
            ({}, 1),
            ({"forms": ["s-124"]}, 1),
            ({"forms": ["01-xld"]}, 0),
            ({"units": ["p1", "p2"]}, 1),
            ({"units": ["p2"]}, 0),
            ({"forms": ["s-124"], "units": ["p2"]}, 0),
        ],
    )
    async def test_forms_and_units_that_are_wanted(self, standings, clock, wanted, posts):
        receiver = Receiver()

        assert await handled(standings, clock, receiver, hand(), to(**wanted)) == ["done"]
        assert len(receiver.posts) == posts

    async def test_an_internal_report_never_leaves_whatever_the_consumer_gave(
        self, standings, clock
    ):
        receiver = Receiver()
        inside = report("p1", 1, 10, edition=Edition.INTERNAL)

        assert await handled(standings, clock, receiver, hand(inside)) == ["done"]
        assert receiver.posts == []

    async def test_what_cannot_be_read_stops_nobody(self, standings, clock):
        receiver = Receiver()

        assert await handled(standings, clock, receiver, Hand(b"{}")) == ["done"]
        assert receiver.posts == []

    async def test_what_is_passed_over_takes_no_number(self, standings, clock):
        receiver, whom = Receiver(), to(units=["p1"])
        events = [report("p1", 1, 1), report("p2", 1, 1), report("p1", 2, 1)]
        for place, event in enumerate(events, start=4):
            await handled(standings, clock, receiver, hand(event, place), whom)

        assert [json.loads(body)["sequence"] for *_, body in receiver.posts] == ["1", "2"]


class TestFailures:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (500, "500"),
            (302, "302"),
            (410, "410"),
            (199, "199"),
            (300, "300"),
            (Unreached("ConnectError"), "ConnectError"),
            (Refused("inside"), "refused"),
        ],
    )
    async def test_anything_but_2xx_comes_again_later(self, standings, clock, answer, reason):
        fates = await handled(standings, clock, Receiver(answer), hand())

        assert fates == [DELAYS[0]]
        assert (await standings.of("bao-moi")).reason == reason

    @pytest.mark.parametrize("answer", [200, 202, 204, 299])
    async def test_each_2xx_is_delivered(self, standings, clock, answer):
        assert await handled(standings, clock, Receiver(answer), hand()) == ["done"]

    async def test_a_repeat_has_the_same_id_and_number_and_a_new_time(self, standings, clock):
        receiver = Receiver(500, 204)
        await handled(standings, clock, receiver, hand())
        clock.at += timedelta(minutes=1)
        await handled(standings, clock, receiver, hand())

        (_, first, body), (_, again, same) = receiver.posts
        assert body == same
        assert first["webhook-id"] == again["webhook-id"]
        assert first["webhook-timestamp"] != again["webhook-timestamp"]

    async def test_delays_grow_to_the_longest_and_stay_there(self, standings, clock):
        fates = [(await handled(standings, clock, Receiver(500), hand()))[0] for _ in range(8)]

        assert fates == [*DELAYS, *[DELAYS[-1]] * (8 - len(DELAYS))]

    async def test_one_delivery_ends_the_failures(self, standings, clock):
        receiver = Receiver(500, 500, 204, 500)
        for place in (1, 1, 1):
            await handled(standings, clock, receiver, hand(sequence=place))
        assert (await standings.of("bao-moi")).failing_since is None

        assert await handled(standings, clock, receiver, hand(sequence=2)) == [DELAYS[0]]

    async def test_after_days_of_failures_it_is_paused_and_keeps_what_it_has(
        self, standings, clock
    ):
        receiver = Receiver(500)
        for _ in DELAYS:
            await handled(standings, clock, receiver, hand())
        clock.at += PAUSE_AFTER - timedelta(seconds=1)
        await handled(standings, clock, receiver, hand())
        assert (await standings.of("bao-moi")).paused is None
        clock.at += timedelta(seconds=1)

        assert await handled(standings, clock, receiver, hand()) == [0]
        assert (await standings.of("bao-moi")).paused == clock.at

    async def test_days_in_which_we_stood_still_pause_nobody(self, standings, clock):
        await handled(standings, clock, Receiver(500), hand())
        clock.at += PAUSE_AFTER * 2

        assert await handled(standings, clock, Receiver(500), hand()) == [DELAYS[1]]
        assert (await standings.of("bao-moi")).paused is None

    async def test_neither_secret_nor_address_is_in_a_log(self, standings, clock):
        with structlog.testing.capture_logs() as lines:
            for _ in DELAYS:
                await handled(standings, clock, Receiver(500), hand())
            clock.at += PAUSE_AFTER
            await handled(standings, clock, Receiver(Unreached("X")), hand())

        assert [line["event"] for line in lines] == ["not delivered"] * len(DELAYS) + ["paused"]
        assert not any(
            each in str(lines) for each in ("xyz", "example", b64encode(SECRET).decode())
        )


class TestTheFile:
    def test_without_one_nobody_is_pushed_to(self, tmp_path):
        assert read_subscriptions(tmp_path) == ()

    @pytest.mark.parametrize("content", ["{", "[{}]", '[{"id": "a"}]'])
    def test_a_broken_one_is_told_without_its_text(self, tmp_path, content):
        (tmp_path / "webhooks.json").write_text(content)

        with pytest.raises(SubscriptionsBroken, match=r"^ValidationError$"):
            read_subscriptions(tmp_path)

    def test_two_of_one_code_are_broken(self, tmp_path):
        one = {"id": "a", "url": URL, "secrets": [b64encode(SECRET).decode()]}
        (tmp_path / "webhooks.json").write_text(json.dumps([one, one]))

        with pytest.raises(SubscriptionsBroken):
            read_subscriptions(tmp_path)


class Lookup:
    """Blocks until it is let go; counts."""

    def __init__(self, answer=("93.184.215.14",)):
        self.go, self.count, self.answer = threading.Event(), 0, answer

    def __call__(self, host):
        self.count += 1
        self.go.wait(10)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class TestTheResolver:
    async def test_it_asks_the_system(self):
        assert set(await SystemResolver()("localhost")) <= {"127.0.0.1", "::1"}

    async def test_each_answer_is_new(self):
        lookup = Lookup()
        lookup.go.set()
        resolver = SystemResolver(lookup)

        assert await resolver("a.org") == await resolver("a.org") == lookup.answer
        assert lookup.count == 2

    async def test_a_name_that_hangs_takes_one_thread_and_no_other_names_turn(self):
        slow, quick = Lookup(), Lookup(("192.0.2.1",))
        quick.go.set()
        resolver = SystemResolver(lambda h: (slow if h == "slow.org" else quick)(h), 0.05)
        for _ in range(5):
            with pytest.raises(TimeoutError):
                await resolver("slow.org")

        assert await resolver("quick.org") == quick.answer
        assert slow.count == 1
        slow.go.set()
        assert await resolver("slow.org") == slow.answer

    async def test_a_name_that_there_is_not_is_an_error_of_the_system(self):
        lookup = Lookup(socket.gaierror(-2, "unknown"))
        lookup.go.set()
        with pytest.raises(OSError):
            await SystemResolver(lookup)("a.org")

    def test_a_name_that_cannot_be_one_is_the_same_error(self):
        with pytest.raises(OSError):
            system_lookup("a" * 64 + ".org")

    async def test_who_asks_and_leaves_does_not_end_it_for_others(self):
        lookup = Lookup()
        resolver = SystemResolver(lookup)
        first = asyncio.create_task(resolver("a.org"))
        second = asyncio.create_task(resolver("a.org"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        lookup.go.set()

        assert await second == lookup.answer
