"""Routing's ports, kept in MongoDB: cases, sendings of commands, and versions of the rules.

Instants are kept as text, not as BSON dates: those end at the millisecond, and what has been
announced must come back word for word.
"""

from services.routing.store.cases import MongoCases
from services.routing.store.clocks import MongoClocks
from services.routing.store.commands import MongoCommands
from services.routing.store.looks import MongoLooks
from services.routing.store.questions import MongoWorklists
from services.routing.store.rules import MongoRules

__all__ = [
    "MongoCases",
    "MongoClocks",
    "MongoCommands",
    "MongoLooks",
    "MongoRules",
    "MongoWorklists",
]
