"""Intake's reactions: what agencies send is read, sealed, classified, kept once and announced."""

from services.intake.handlers.ports import RulesMissing
from services.intake.handlers.reactions import fate_teller, receiver, rule_keeper

__all__ = ["RulesMissing", "fate_teller", "receiver", "rule_keeper"]
