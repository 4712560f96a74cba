"""Calls to a hotline, put together from what its telephone exchange wrote down.

Total: any lines give records, or are named as broken. An exchange writes in up to three forms,
late, in any order and more than once: a line of sums for each pair of channels (CDR), a log of
each channel's events (CEL), and a live stream (AMI).
"""

from services.intake.domain.call.ami import ami_records
from services.intake.domain.call.assembly import Call, assemble, describe, group
from services.intake.domain.call.cdr import cdr_records
from services.intake.domain.call.cel import cel_records
from services.intake.domain.call.record import BrokenRecord, CallRecord, Step

__all__ = [
    "BrokenRecord",
    "Call",
    "CallRecord",
    "Step",
    "ami_records",
    "assemble",
    "cdr_records",
    "cel_records",
    "describe",
    "group",
]
