"""Reporting over HTTP: the public edition, for everybody, without sign-in."""

from services.reporting.http.printing import Printer
from services.reporting.http.routes import routes

__all__ = ["Printer", "routes"]
