"""Reporting's ports, kept in MongoDB."""

from services.reporting.store.closings import MongoClosings
from services.reporting.store.publications import MongoPublications
from services.reporting.store.reports import MongoReports
from services.reporting.store.rows import MongoRows
from services.reporting.store.rules import MongoRules
from services.reporting.store.sendings import MongoSendings
from services.reporting.store.webhooks import MongoWebhooks

__all__ = [
    "MongoClosings",
    "MongoPublications",
    "MongoReports",
    "MongoRows",
    "MongoRules",
    "MongoSendings",
    "MongoWebhooks",
]
