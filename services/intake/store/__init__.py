"""Intake's ports, kept in MongoDB: majority and journalled, idempotent for ever."""

from services.intake.store.acknowledgements import MongoAcknowledgements
from services.intake.store.arrivals import MongoArrivals
from services.intake.store.calls import MongoCalls
from services.intake.store.cases import MongoCases
from services.intake.store.contents import (
    MongoContents,
    MongoOpenings,
    MongoProtections,
    MongoReadings,
)
from services.intake.store.keys import MongoDataKeys
from services.intake.store.matters import MongoMatters
from services.intake.store.receipts import MongoReceipts
from services.intake.store.rules import MongoRules
from services.intake.store.submissions import (
    MongoConversations,
    MongoOutbox,
    MongoRecords,
    MongoSubmissions,
)
from services.intake.store.uses import MongoKeyUses
from services.intake.store.watch import MongoFeeds, MongoHeard

__all__ = [
    "MongoAcknowledgements",
    "MongoArrivals",
    "MongoCalls",
    "MongoCases",
    "MongoContents",
    "MongoConversations",
    "MongoDataKeys",
    "MongoFeeds",
    "MongoHeard",
    "MongoKeyUses",
    "MongoMatters",
    "MongoOpenings",
    "MongoOutbox",
    "MongoProtections",
    "MongoReadings",
    "MongoReceipts",
    "MongoRecords",
    "MongoRules",
    "MongoSubmissions",
]
