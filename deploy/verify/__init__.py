"""Holds the log, the stores and the published totals against one another, from outside.

Every difference is named. What is under way is no difference: run it when the system is quiet,
or expect `pending` to be told apart.
"""

from nats.aio.client import Client

from deploy.connection import Endpoints
from deploy.verify.chained import chain, public_key
from deploy.verify.fates import fates, feed
from deploy.verify.finding import Finding
from deploy.verify.intake import intake
from deploy.verify.protection import protection
from deploy.verify.routing import reporting, routing
from deploy.verify.sealed import orphan_keys, sealed
from deploy.verify.seen import look, look_at_keys
from deploy.verify.totals import totals

__all__ = ["Finding", "chain", "count_orphan_keys", "public_key", "verify"]

RELAY_SECONDS = 5.0
"""How long what intake keeps may wait for its announcement before it is a finding."""


async def verify(
    client: Client,
    endpoints: Endpoints,
    *,
    relay_seconds: float = RELAY_SECONDS,
    with_chain: bool = True,
) -> list[Finding]:
    """Every difference between what came in, what is kept, what was said and what was counted.

    The chain is checked too where `endpoints` has the key to check it with.
    """
    seen = await look(client, endpoints, relay_seconds)
    key = public_key(endpoints) if with_chain else None
    return [
        *((await chain(client, endpoints, key)).findings if key else ()),
        *seen.unreadable,
        *feed(seen),
        *fates(seen),
        *intake(seen),
        *protection(seen),
        *sealed(seen),
        *routing(seen),
        *reporting(seen),
        *totals(seen),
    ]


async def count_orphan_keys(endpoints: Endpoints) -> int:
    """How many data keys nothing that is kept names.

    They harm nobody, so they are no finding: a crash leaves them, and intake sweeps them away.
    """
    return len(orphan_keys(await look_at_keys(endpoints)))
