"""Makes the proof that a submission is in the log; whoever has the public key can check it.

The proof names nobody. Of what was announced it holds a hash alone.
"""

from base64 import b64encode
from contextlib import aclosing
from typing import Any

import orjson
from nats.aio.client import Client

from deploy.connection import Endpoints
from deploy.stream import messages
from deploy.verify.chain import entry_of
from deploy.verify.chained import CHECKPOINT
from services.reporting.chain import MongoLinks
from services.reporting.domain.chain import inclusion_path
from shared.contracts import AuditCheckpoint, SubmissionReceived
from shared.contracts.envelope import Event
from shared.runtime.mongo import open_client, open_database
from shared.runtime.streams import EVENTS

ASK_SECONDS = 30.0


class NotProven(Exception):
    """There is no proof; the text says why."""


async def ask_checkpoint(client: Client, party: str) -> str:
    """A checkpoint of everything announced up to now, as reporting signed it; announced too."""
    answer = await client.request(f"ask.{party}.reporting.checkpoint", b"", timeout=ASK_SECONDS)
    told = orjson.loads(answer.data)
    if told["problem"]:
        raise NotProven(f"No checkpoint: {told['problem']}.")
    return str(told["checkpoint"])


async def proof_of(
    client: Client, endpoints: Endpoints, party: str, submission: str
) -> dict[str, Any]:
    """What `langnghe receipt verify` reads; raises `NotProven`."""
    entry = await _entry(client, submission)
    sequence = int(entry["sequence"])
    size, note = await _checkpoint(client, sequence)
    if not size:
        note = await ask_checkpoint(client, party)
        size = int(note.split("\n")[1])
    mongo = open_client(endpoints.mongo)
    try:
        links = MongoLinks(open_database(mongo, f"{endpoints.mongo_prefix}_reporting"))
        leaves = [leaf async for leaf in links.leaves()][:size]
    finally:
        mongo.close()
    if len(leaves) < size:
        raise NotProven("Reporting's hashes are lost; `langnghe verify --chain` says from where.")
    path = inclusion_path(sequence - 1, leaves)
    return {
        "entry": entry,
        "path": [b64encode(step).decode() for step in path],
        "checkpoint": note,
    }


async def _entry(client: Client, submission: str) -> dict[str, Any]:
    async with aclosing(messages(client, EVENTS, [SubmissionReceived.TYPE])) as found:
        async for message in found:
            if submission.encode() not in message.data:
                continue
            entry = entry_of(message.metadata.sequence.stream, message.subject, message.data)
            read: dict[str, Any] = orjson.loads(entry)
            if read["about"] == submission:
                return read
    raise NotProven("No such submission was announced.")


async def _checkpoint(client: Client, sequence: int) -> tuple[int, str]:
    """Size and note of the first checkpoint that reaches so far; 0 if none does yet."""
    async with aclosing(messages(client, EVENTS, [CHECKPOINT], sequence)) as found:
        async for message in found:
            data = Event[AuditCheckpoint].model_validate_json(message.data).data
            if data.size >= sequence:
                return data.size, data.signed
    return 0, ""
