"""Intake's reactions: what agencies send is read, sealed, classified, kept once and announced."""

from services.intake.handlers.ports import RulesMissing, StoreAway, Stores
from services.intake.handlers.reactions import fate_teller, key_teller, rule_keeper
from services.intake.handlers.reading import Reader
from services.intake.handlers.receiving import Receiving, acceptor, receiver

__all__ = [
    "Reader",
    "Receiving",
    "RulesMissing",
    "StoreAway",
    "Stores",
    "acceptor",
    "fate_teller",
    "key_teller",
    "receiver",
    "rule_keeper",
]
