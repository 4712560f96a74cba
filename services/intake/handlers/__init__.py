"""Intake's reactions: what agencies send is read, sealed, classified, kept once and announced."""

from services.intake.handlers.calling import call_closer, call_collector
from services.intake.handlers.erasing import Protecting, order_taker
from services.intake.handlers.following import case_keeper
from services.intake.handlers.gathering import Gathering
from services.intake.handlers.listening import feed_watcher
from services.intake.handlers.ports import RulesMissing, StoreAway, Stores
from services.intake.handlers.reactions import fate_teller, key_teller, rule_keeper
from services.intake.handlers.reading import Reader
from services.intake.handlers.receipting import UnderReceipt
from services.intake.handlers.receiving import Receiving, acceptor, receiver
from services.intake.handlers.relating import relater
from services.intake.handlers.sweeping import NotSwept, key_sweeper
from services.intake.handlers.telling import (
    Telling,
    identity_teller,
    message_taker,
    readers_teller,
    text_teller,
)
from services.intake.handlers.watching import watcher

__all__ = [
    "Gathering",
    "NotSwept",
    "Protecting",
    "Reader",
    "Receiving",
    "RulesMissing",
    "StoreAway",
    "Stores",
    "Telling",
    "UnderReceipt",
    "acceptor",
    "call_closer",
    "call_collector",
    "case_keeper",
    "fate_teller",
    "feed_watcher",
    "identity_teller",
    "key_sweeper",
    "key_teller",
    "message_taker",
    "order_taker",
    "readers_teller",
    "receiver",
    "relater",
    "rule_keeper",
    "text_teller",
    "watcher",
]
