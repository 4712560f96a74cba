#!/usr/bin/env python3
# feed_client.py URL AGENCY SEED_FILE < event.json
import asyncio
import json
import sys

import nats


async def feed(url: str, agency: str, seed: str) -> None:
    event = json.load(sys.stdin)
    client = await nats.connect(url, nkeys_seed=seed, inbox_prefix=f"_INBOX_{agency}")
    subject, body = f"feed.{agency}.{event['type']}", json.dumps(event).encode()
    kept = await client.jetstream().publish(subject, body, timeout=10)  # it lies in the feed
    asked, fates = json.dumps({"sequences": [kept.seq]}).encode(), []
    while not fates:  # until intake has decided
        await asyncio.sleep(0.1)
        answer = await client.request(f"ask.{agency}.intake.fates", asked, timeout=10)
        fates = json.loads(answer.data)["fates"]
    sys.stdout.write(json.dumps(fates[0]) + "\n")
    await client.close()


asyncio.run(feed(*sys.argv[1:]))
