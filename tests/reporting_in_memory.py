"""Reporting's service in memory, on a clock that moves on with each look."""

from datetime import timedelta

from services.reporting.closing import Closer
from services.reporting.handlers import command_taker, fate_teller, row_keeper, rule_keeper
from services.reporting.issuing import Desk
from shared.contracts import Refused
from shared.contracts.ingress import FatesAsked, FatesTold
from shared.runtime.publish import Unconfirmed
from tests.examples_reporting import (
    END,
    ZONE,
)
from tests.fakes_reporting import (
    MemoryClosings,
    MemoryFlight,
    MemoryReports,
    MemoryRows,
    MemoryRules,
    MemorySendings,
)


class Reporting:
    """The service in memory, on a clock that moves on with each look."""

    def __init__(self, first=END, stores=None):
        """`stores`: another replica, whose stores this one shares."""
        self.rows = stores.rows if stores else MemoryRows()
        self.rules = stores.rules if stores else MemoryRules()
        self.closings = stores.closings if stores else MemoryClosings()
        self.reports = stores.reports if stores else MemoryReports()
        self.sendings = stores.sendings if stores else MemorySendings()
        self.at = first
        self.flight, self.out, self.away = MemoryFlight(), [], False
        self.meanwhile = []
        """What is done, one after the other, while a revision waits for what is under way."""
        self.closer = Closer(self.rows, self.rules, self.closings, self.flight, zone=ZONE)
        self.closer.pause = self._pause
        self.desk = Desk(self.rules, self.closings, self.reports, self._publish)
        self._take = command_taker(self.closer, self.desk, self.sendings, self._now)
        self.keep_rows = row_keeper(self.rows, self.closings, ZONE)
        self.keep_rules = rule_keeper(self.rules)
        self.fates = fate_teller(self.sendings)

    async def take(self, arrivals):
        """What went out, then what the bus publishes of the answer."""
        before = len(self.out)
        follow = await self._take(arrivals)
        return [*self.out[before:], *follow]

    async def _pause(self):
        if self.meanwhile:
            await self.meanwhile.pop(0)()

    async def _publish(self, events):
        if self.away:
            raise Unconfirmed("no stream answered")
        self.out += events

    def _now(self):
        self.at += timedelta(seconds=1, microseconds=7)
        return self.at

    async def told(self, party, **asked):
        answer = await self.fates(party, FatesAsked(**asked).model_dump_json().encode())
        return FatesTold.model_validate_json(answer).fates


def published(events):
    return {(e.data.form, e.data.unit): e.data for e in events}


async def refusal(reporting, arrival):
    [event] = await reporting.take([arrival])
    assert isinstance(event.data, Refused)
    return event.data
