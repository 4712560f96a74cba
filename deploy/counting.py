"""Asks reporting for figures as of a day and as they were known; the answer in words."""

from datetime import datetime, time, timedelta, tzinfo
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client

from deploy.connection import NotRunning
from shared.contracts.report import CountTold

COUNT_SECONDS = 300.0
"""A minute or so for a million cases."""


async def count(client: Client, party: str, asked: dict[str, Any]) -> CountTold:
    """Asked as it was typed: reporting says what is wrong with it."""
    content = {name: value for name, value in asked.items() if value is not None}
    try:
        answer = await client.request(
            f"ask.{party}.reporting.count", orjson.dumps(content), timeout=COUNT_SECONDS
        )
    except nats.errors.Error as error:
        raise NotRunning(f"Reporting does not answer ({type(error).__name__}).") from None
    return CountTold.model_validate_json(answer.data)


def instant(said: datetime, now: datetime, zone: tzinfo) -> datetime | None:
    """What `--known` means: a moment, or a day up to its end; None, which is now, for today."""
    if said.tzinfo is not None:
        return said
    if said.date() == now.astimezone(zone).date():
        return None
    return datetime.combine(said.date() + timedelta(days=1), time(), zone)


def refusal(told: CountTold) -> list[str]:
    """A line for each field that is wrong, by the option that says it."""
    return [
        f"{problem.field.replace('/', '--', 1).replace('_', '-')}: {problem.advice}"
        for problem in told.problems
    ]
