"""Public reports pushed to those who registered an address: signed, again and again, safely."""

from services.reporting.push.delivering import DELAYS, PAUSE_AFTER, Delivery, Taken, posted
from services.reporting.push.pushing import ConsumerSource, Pusher
from services.reporting.push.reach import Caller, Refused, Unreached, checked
from services.reporting.push.resolving import SystemResolver
from services.reporting.push.standing import Standing, Standings
from services.reporting.push.subscriptions import (
    FILE,
    Subscription,
    SubscriptionsBroken,
    read_subscriptions,
)

__all__ = [
    "DELAYS",
    "FILE",
    "PAUSE_AFTER",
    "Caller",
    "ConsumerSource",
    "Delivery",
    "Pusher",
    "Refused",
    "Standing",
    "Standings",
    "Subscription",
    "SubscriptionsBroken",
    "SystemResolver",
    "Taken",
    "Unreached",
    "checked",
    "posted",
    "read_subscriptions",
]
