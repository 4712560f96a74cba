"""What `verify` reads and cannot understand is named; what explains itself is no finding."""

import asyncio
from uuid import uuid4

import nats
import orjson
import pytest

from deploy.connection import Endpoints
from deploy.verify import count_orphan_keys, verify
from deploy.verify.fates import fates
from deploy.verify.seen import Kept, Seen
from shared.contracts import ChannelSilent
from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Channel
from shared.runtime.mongo import open_client
from tests.examples_intake import NOON

SILENT = ChannelSilent.TYPE


def silent(**more) -> bytes:
    data = ChannelSilent(
        agency="a017", unit="an-thai", channel=Channel.HOTLINE, working_days=5, **more
    )
    return (
        Event[ChannelSilent](id="silent-1", source="/x", type=SILENT, time=NOON, data=data)
        .encode()
        .replace(b'"working_days":5', b'"working_days":0')
    )


class TestLog:
    @pytest.fixture
    async def empty(self, jetstream, nats_server, servers):
        """An empty system: every stream, and a database that holds nothing."""
        prefix = f"verify_{uuid4().hex[:8]}"
        endpoints = Endpoints(nats_server.url, servers.mongo_url, prefix)
        client = await nats.connect(nats_server.url)
        mongo = open_client(servers.mongo_url)
        yield client, endpoints, mongo
        for service in ("intake", "intake_keys"):
            await mongo.drop_database(f"{prefix}_{service}")
        mongo.close()
        await client.close()

    async def test_an_empty_system_agrees(self, empty):
        client, endpoints, _ = empty

        assert await verify(client, endpoints) == []

    @pytest.mark.parametrize(
        ("subject", "body", "says"),
        [
            (SILENT, silent(), f"is no {SILENT}"),
            (SILENT, b'{"specversion": "1.0", "data": "Tran Thi B"}', f"is no {SILENT}"),
            (SILENT, b"\xff not JSON", f"is no {SILENT}"),
            ("channel.silent.v2", silent(), "is of a type that is not known here"),
            ("report.internal.x.y.z", b"{}", "is no report.published.v1"),
            ("dead.feed.x", b"{}", "is no "),
        ],
    )
    async def test_what_cannot_be_read_is_named_and_not_quoted(self, empty, subject, body, says):
        client, endpoints, _ = empty
        await client.jetstream().publish(subject, body)

        [finding] = await verify(client, endpoints)

        assert finding.invariant == "readable"
        assert finding.about.startswith("message 1 of ")
        assert says in finding.wrong
        assert "Tran" not in str(finding)

    async def test_what_follows_the_unreadable_is_read(self, empty):
        client, endpoints, _ = empty
        good = silent().replace(b'"working_days":0', b'"working_days":5')
        await client.jetstream().publish(SILENT, b"{}")
        await client.jetstream().publish(SILENT, good)

        findings = [str(finding) for finding in await verify(client, endpoints)]

        assert findings[1:] == [
            f"log = store: {SILENT} silent-1 of None was announced and is not kept"
        ]

    async def test_messages_that_wait_in_disorder_are_no_finding(self, empty):
        client, endpoints, _ = empty
        jetstream = client.jetstream()
        for _ in range(3):
            await jetstream.publish("feed.a017.form.submitted.v1", b"{}")
        await jetstream.delete_msg("FEED", 2)

        [finding] = await verify(client, endpoints)

        assert finding.about == "sending 2 of the feed"

    async def test_what_is_just_being_announced_is_no_finding(self, empty):
        client, endpoints, mongo = empty
        alarms = mongo[f"{endpoints.mongo_prefix}_intake"]["alarms"]
        good = silent().replace(b'"working_days":0', b'"working_days":5')
        document = {"_id": "silent-1", "event": orjson.loads(good), "unannounced": True}
        await alarms.insert_one(document)

        async def announce():
            await asyncio.sleep(0.3)
            await client.jetstream().publish(SILENT, good)
            await alarms.update_one({}, {"$unset": {"unannounced": ""}})

        findings, _ = await asyncio.gather(verify(client, endpoints), announce())

        assert findings == []

    async def test_orphan_keys_are_counted_and_no_finding(self, empty):
        client, endpoints, mongo = empty
        keys = mongo[f"{endpoints.mongo_prefix}_intake_keys"]["data_keys"]
        await keys.insert_many([{"_id": name, "owner": "nobody"} for name in ("k1", "k2")])

        assert await count_orphan_keys(endpoints) == 2
        assert await verify(client, endpoints) == []


class TestDirectEntrances:
    """A crash after an item was kept leaves its fate unnoted and its sender unanswered."""

    def findings(self, *arrivals, arrival="http:1:t"):
        kept = Kept(
            submissions={"s": {"_id": "s", "arrival": arrival, "parts": []}},
            arrivals={
                key: {
                    "fate": fate,
                    "submission": submission,
                    "parts": [],
                    "item": "",
                    "sequence": 0,
                }
                for key, fate, submission in arrivals
            },
        )
        return [str(finding) for finding in fates(Seen(intake=kept))]

    LOST = "nothing invented: item s came with no sending"

    def test_an_item_whose_sender_was_answered_is_no_finding(self):
        assert self.findings(("http:1:t", "kept", "s")) == []

    def test_an_item_whose_sender_came_again_is_no_finding(self):
        assert self.findings(("http:2:t", "duplicate", "s")) == []

    def test_an_item_that_nobody_was_told_of_is(self):
        assert self.findings() == [self.LOST]

    def test_another_items_sending_explains_nothing(self):
        assert self.LOST in self.findings(("http:2:t", "duplicate", "other"))

    @pytest.mark.parametrize("fate", ["kept", "joined"])
    def test_a_sending_that_was_the_first_explains_no_other(self, fate):
        assert self.LOST in self.findings(("http:2:t", fate, "s"))

    def test_on_the_feed_the_very_sending_comes_again(self):
        """It is redelivered under its own name: no other stands for it."""
        assert self.findings(("feed:2:t", "duplicate", "s"), arrival="feed:1:t") == [self.LOST]
        assert self.findings(("http:2:t", "duplicate", "s"), arrival="feed:1:t") == [self.LOST]
