"""Registers webhooks: a line in the file with the keys, and a durable consumer on the server.

The consumer is made before the line and taken away after it, so that whoever reads the line finds
the consumer.
"""

import os
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from deploy.handing import keep_key
from services.reporting.push import (
    FILE,
    Standings,
    Subscription,
    SubscriptionsBroken,
    read_subscriptions,
)
from shared.contracts.envelope import derived_id
from shared.runtime.streams import webhook_durable

SECRET_BYTES = 32
PREFIX = "whsec_"
ACK_WAIT_SECONDS = 60.0
"""Twice what one post may take: a report that a process took into its grave comes again."""
TRIAL = "webhook.trial"
"""Type of the CloudEvent of a trial; it has no data, and no report is of this type."""


class Unregistered(Exception):
    """No webhook of this code, or there is one already; says what to do."""


def codes_in(keys: Path) -> Sequence[str]:
    """The codes that are registered; of a broken file none, until somebody mends it."""
    try:
        return [subscription.id for subscription in read_subscriptions(keys)]
    except SubscriptionsBroken:
        return []


def stamp_of(keys: Path) -> int:
    """Changes when the file does."""
    try:
        return (keys / FILE).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def drawn() -> bytes:
    return os.urandom(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """As Standard Webhooks writes it."""
    return PREFIX + b64encode(secret).decode()


def find(keys: Path, code: str) -> Subscription:
    for subscription in read_subscriptions(keys):
        if subscription.id == code:
            return subscription
    raise Unregistered(f"There is no webhook {code}: see `langnghe webhook list`.")


async def add(
    jetstream: JetStreamContext,
    keys: Path,
    standings: Standings,
    wanted: Subscription,
    *,
    from_now: bool,
) -> None:
    """From the first report on, or from the next one. Raises `Unregistered` if it is there."""
    known = read_subscriptions(keys)
    if wanted.id in {subscription.id for subscription in known}:
        raise Unregistered(f"There is a webhook {wanted.id}: remove it, or take another code.")
    await standings.forget(wanted.id)
    durable = webhook_durable(wanted.id)
    with suppress(NotFoundError):  # of a removal that did not come to its end
        await jetstream.delete_consumer(durable.stream, durable.name)
    await jetstream.add_consumer(
        durable.stream,
        ConsumerConfig(
            durable_name=durable.name,
            filter_subject=durable.subjects[0],
            deliver_policy=DeliverPolicy.NEW if from_now else DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_SECONDS,
            max_deliver=-1,
            max_ack_pending=1,  # the next one waits until this one is done
        ),
    )
    _write(keys, (*known, wanted))


async def remove(jetstream: JetStreamContext, keys: Path, standings: Standings, code: str) -> None:
    """Raises `Unregistered`."""
    gone = find(keys, code)
    _write(keys, [s for s in read_subscriptions(keys) if s.id != gone.id])
    durable = webhook_durable(code)
    with suppress(NotFoundError):
        await jetstream.delete_consumer(durable.stream, durable.name)
    await standings.forget(code)


def rotate(keys: Path, code: str, secret: bytes) -> None:
    """Sign with this secret, and beside it with the one before, until that is dropped."""
    _change(keys, code, lambda secrets: (secret, secrets[0]))


def drop_old(keys: Path, code: str) -> None:
    _change(keys, code, lambda secrets: secrets[:1])


def _change(
    keys: Path, code: str, change: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
) -> None:
    wanted = find(keys, code)
    changed = wanted.model_copy(update={"secrets": change(wanted.secrets)})
    _write(keys, [changed if s.id == code else s for s in read_subscriptions(keys)])


def _write(keys: Path, subscriptions: Sequence[Subscription]) -> None:
    content = [
        {
            "id": s.id,
            "url": s.url,
            "secrets": [shown(secret) for secret in s.secrets],
            "forms": s.forms,
            "units": s.units,
        }
        for s in subscriptions
    ]
    keep_key(keys / FILE, orjson.dumps(content, option=orjson.OPT_INDENT_2))


@dataclass(frozen=True, slots=True)
class Trial:
    """A CloudEvent that only shows that a receiver is reached and checks signatures."""

    id: str
    body: bytes


def trial(code: str, at: datetime) -> Trial:
    identity = derived_id(f"webhook/{code}", "trial", at.isoformat())
    event = {
        "specversion": "1.0",
        "id": identity,
        "source": "/operator",
        "type": TRIAL,
        "time": at.isoformat(),
    }
    return Trial(identity, orjson.dumps(event))
