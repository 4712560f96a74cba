"""Where the chain's check reads: the log, the hashes that reporting kept, checkpoints."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

import orjson
from nats.aio.client import Client

from deploy.connection import Endpoints
from deploy.stream import messages
from deploy.verify.chain import Checked, Claim, Message, check_chain
from deploy.verify.proofs import Verifier
from shared.runtime.mongo import Database, Document, open_client, open_database
from shared.runtime.streams import EVENTS

CHECKPOINT = "audit.checkpoint.v1"
HASH = 32
"""Bytes of one."""


def public_key(endpoints: Endpoints) -> Verifier | None:
    """The key that lies with the others, if there is one; raises `Wrong` if it is damaged."""
    file = (endpoints.keys or Path()) / "chain.pub"
    return Verifier(file.read_text()) if endpoints.keys and file.exists() else None


async def chain(
    client: Client, endpoints: Endpoints, key: Verifier, witnessed: Sequence[Claim] = ()
) -> Checked:
    """Check the log as it is now; `witnessed` are checkpoints that somebody else kept."""
    mongo = open_client(endpoints.mongo)
    try:
        reporting = open_database(mongo, f"{endpoints.mongo_prefix}_reporting")
        documents = await reporting.get_collection("checkpoints").find({}).to_list(None)
        last = await reporting.get_collection("chain").find_one({}, sort=[("_id", -1)])
        claims = [
            *witnessed,
            *(_of_document(document) for document in documents),
            *[
                claim_of(message.metadata.sequence.stream, message.data)
                async for message in messages(client, EVENTS, [CHECKPOINT])
            ],
        ]
        leaves = _leaves(reporting, last["size"] if last else 0)
        async with aclosing(_log(client)) as log, aclosing(leaves) as kept:
            return await check_chain(log, kept, claims, key)
    finally:
        mongo.close()


async def _log(client: Client) -> AsyncGenerator[Message]:
    async with aclosing(messages(client, EVENTS)) as found:
        async for message in found:
            yield message.metadata.sequence.stream, message.subject, message.data


async def _leaves(reporting: Database, size: int) -> AsyncGenerator[bytes]:
    """Those of the chain as it was before the log was read: it may grow meanwhile."""
    links = reporting.get_collection("chain").find({"_id": {"$lt": size}}, sort=[("_id", 1)])
    async for link in links:
        content = link["leaves"]
        for place in range(0, len(content), HASH):
            yield content[place : place + HASH]


def claim_of(sequence: int, body: bytes) -> Claim:
    """The checkpoint that a message of the log announces; one that says none fails its check."""
    where = f"in message {sequence} of EVENTS"
    try:
        data = orjson.loads(body)["data"]
        return Claim(where, str(data["signed"]), int(data["size"]), str(data["root"]))
    except (ValueError, KeyError, TypeError):
        return Claim(where, "")


def _of_document(document: Document) -> Claim:
    where = f"{document['_id']} that reporting kept"
    try:
        data = document["event"]["data"]
        return Claim(where, data["signed"], data["size"], data["root"])
    except (KeyError, TypeError):
        return Claim(where, "")
