"""Finds the items in files: mails, mail boxes, events one a line, registers, exchanges' records.

Every id is derived from what the item is, so that a file may be read again, sorted otherwise or
with more in it, and nothing comes twice.
"""

from deploy.items.item import Item, Problem
from deploy.items.mapping import Mapping, read_mapping
from deploy.items.reader import Reader, UnknownAgency, arrival_time, mail_item_id
from deploy.items.sealed import sealed

__all__ = [
    "Item",
    "Mapping",
    "Problem",
    "Reader",
    "UnknownAgency",
    "arrival_time",
    "mail_item_id",
    "read_mapping",
    "sealed",
]
