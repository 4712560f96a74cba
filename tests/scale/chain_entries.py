"""Publishes a million events, chains them, and checks the chain; prints how long each took.

`.venv/bin/python -m tests.scale.chain_entries [COUNT]`, on a real NATS and MongoDB of its own.
The time of the check is that of `langnghe verify --chain`: every message read from NATS, every
hash from MongoDB, the tree built, a checkpoint on each 100,000 compared.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import monotonic
from zoneinfo import ZoneInfo

import nats
import uvloop

from deploy.connection import Endpoints
from deploy.local import LocalStack
from deploy.verify import chain as check
from deploy.verify.proofs import Verifier
from services.reporting.chain import Chain, EventLog, MongoCheckpoints, MongoLinks
from services.reporting.domain.chain import Signer
from shared.contracts.envelope import Event, derived_id
from shared.runtime.mongo import open_client, open_database
from shared.runtime.publish import Publisher
from shared.runtime.streams import declare
from tests.contracts import messages

SIGNER = Signer("langnghe/events", bytes(range(32)))
CHECKPOINT_EACH = 100_000
PART = 5_000


async def measure(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="langnghe-chain-") as folder:
        async with LocalStack(Path(folder)) as stack:
            client = await nats.connect(stack.nats_url)
            await declare(client.jetstream())
            mongo = open_client(stack.mongo_url)
            database = open_database(mongo, "langnghe_reporting")
            publisher = Publisher(lambda: client)
            chain = Chain(
                EventLog(lambda: client),
                MongoLinks(database),
                MongoCheckpoints(database),
                publisher.publish,
                SIGNER,
                zone=ZoneInfo("Asia/Ho_Chi_Minh"),
                now=lambda: datetime.now(UTC),
            )
            example: Event = messages.event("submission.received.v1")
            said = chained = 0.0
            for start in range(0, count, CHECKPOINT_EACH):
                began = monotonic()
                for part in range(start, min(start + CHECKPOINT_EACH, count), PART):
                    await publisher.publish(
                        [
                            example.model_copy(update={"id": i, "subject": i})
                            for i in (derived_id("scale", str(n)) for n in range(part, part + PART))
                        ]
                    )
                said += monotonic() - began
                began = monotonic()
                await chain.announce_now()
                chained += monotonic() - began
            print(f"published {count:,} in {said:.1f} s, {len(example.encode())} bytes each")
            print(f"chained in {chained:.1f} s, {count / chained:,.0f} a second")
            began = monotonic()
            endpoints = Endpoints(stack.nats_url, stack.mongo_url)
            checked = await check(client, endpoints, Verifier(SIGNER.public))
            took = monotonic() - began
            assert checked.findings == [], checked.findings
            memory = getrusage(RUSAGE_SELF).ru_maxrss // 1024
            print(
                f"verified {checked.size:,} with {checked.checkpoints} checkpoints in {took:.1f} s, "
                f"{checked.size / took:,.0f} a second; this process took {memory} MB at most"
            )
            mongo.close()
            await client.close()


if __name__ == "__main__":
    uvloop.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
