"""Routing over HTTP, for bodies' own systems: orders in, and what is asked on the bus told."""

from services.routing.http.door import Door, RulesAway, Seats
from services.routing.http.orders import Waiting
from services.routing.http.routes import Tellers, routes

__all__ = ["Door", "RulesAway", "Seats", "Tellers", "Waiting", "routes"]
