"""Reporting's pusher on real servers, led to receivers of this machine."""

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nats.js import JetStreamContext

from deploy import webhooks
from services.reporting.push import Caller, ConsumerSource, Delivery, Pusher, Subscription
from services.reporting.store import MongoWebhooks
from shared.contracts.report import Edition
from shared.runtime.publish import Publisher
from shared.runtime.streams import REPORTS, webhook_durable
from shared.runtime.tasks import end
from tests.receivers_push import HOST, Authority, authority, sample
from tests.system.test_consumer_samples import report

SECRET = bytes(range(32))
URL = f"https://{HOST}/in"
DAYS = timedelta(days=5)


def hook(code="bao-moi", url=URL, **more) -> Subscription:
    return Subscription.model_validate(
        {"id": code, "url": url, "secrets": [webhooks.shown(SECRET)], **more}
    )


@dataclass
class Pushing:
    """Reporting's pusher on real servers, its net led to a port of this machine."""

    jetstream: JetStreamContext
    standings: MongoWebhooks
    folder: Path
    tls: Authority

    async def add(self, *hooks: Subscription, from_now: bool = False) -> None:
        for each in hooks:
            await webhooks.add(self.jetstream, self.folder, self.standings, each, from_now=from_now)

    async def publish(self, *events) -> None:
        await Publisher(lambda: self.jetstream._nc).publish(events)

    @asynccontextmanager
    async def running(
        self, net, *, source=ConsumerSource, pause_after=DAYS, delays=(0.05,), seconds=20.0
    ):
        resolve = net.resolve
        caller = Caller(resolve, net, self.tls.trusted(), seconds)
        delivery = Delivery(
            self.standings,
            caller.post,
            lambda: datetime.now(UTC),
            pause_after=pause_after,
            delays=delays,
        )
        pusher = Pusher(
            self.folder,
            lambda code: source(lambda: self.jetstream._nc, code),
            self.standings,
            delivery,
            poll_seconds=0.05,
        )
        task = asyncio.create_task(pusher.run())
        try:
            yield task
        finally:
            await end(task)

    async def until(self, condition, code="bao-moi"):
        """Wait until the webhook stands so."""
        async with asyncio.timeout(30):
            while not condition(standing := await self.standings.of(code)):
                await asyncio.sleep(0.02)
        return standing

    async def waiting(self, code="bao-moi") -> tuple[int, int]:
        info = await self.jetstream.consumer_info(REPORTS, webhook_durable(code).name)
        return info.num_pending, info.num_ack_pending


@pytest.fixture
def pushing(jetstream, mongo_database, tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    (tmp_path / "received").mkdir()
    (keys / "secret").write_text(webhooks.shown(SECRET))
    return Pushing(jetstream, MongoWebhooks(mongo_database), keys, authority(tmp_path / "tls"))


@pytest.fixture
def receiving(pushing, tmp_path):
    return lambda port=0: sample(
        pushing.folder / "secret", tmp_path / "received", pushing.tls, port
    )


def ids_of(receiver) -> list[str]:
    """The `webhook-id` of each post, in order."""
    lines = (line for head in receiver.heads for line in head.decode().split("\r\n"))
    return [line.partition(": ")[2] for line in lines if line.startswith("webhook-id")]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


ONE, INSIDE, TWO, THREE = (
    report("p1", 1, 10, 20),
    report("p1", 1, 11, 21, edition=Edition.INTERNAL),
    report("p2", 1, 10, None),
    report("p1", 2, 12, 20),
)


async def settled(pushing: Pushing, code="bao-moi") -> None:
    async with asyncio.timeout(20):
        while await pushing.waiting(code) != (0, 0):
            await asyncio.sleep(0.05)
