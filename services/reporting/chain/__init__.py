"""The chain over everything that was announced: who tampers with the log is found out.

`Chain.head()` is what a report says of the log that it was counted from.
"""

from services.reporting.chain.keeping import (
    Broken,
    Chain,
    Checkpoints,
    Head,
    Link,
    Links,
    checkpoint_teller,
)
from services.reporting.chain.log import EventLog
from services.reporting.chain.store import MongoCheckpoints, MongoLinks

__all__ = [
    "Broken",
    "Chain",
    "Checkpoints",
    "EventLog",
    "Head",
    "Link",
    "Links",
    "MongoCheckpoints",
    "MongoLinks",
    "checkpoint_teller",
]
