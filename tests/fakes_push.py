"""Standings in memory, a report in the hand, and a net that leads where a test says."""

from dataclasses import dataclass, field, replace

import httpcore

from services.reporting.push import Standing

PUBLIC = "93.184.215.14"
"""What a test's names resolve to; the net behind it is the test's own."""


class MemoryStandings:
    def __init__(self):
        self.kept = {}

    async def of(self, code):
        return self.kept.get(code, Standing())

    async def numbered(self, code, sequence):
        known = await self.of(code)
        if known.sequence != sequence:
            known = replace(known, number=known.number + 1, sequence=sequence)
            self.kept[code] = known
        return known.number

    async def delivered(self, code, at):
        self.kept[code] = replace(
            await self.of(code), delivered=at, failing_since=None, failures=0, reason=""
        )

    async def failed(self, code, at, reason):
        known = await self.of(code)
        since = min(known.failing_since or at, at)
        self.kept[code] = replace(
            known, failing_since=since, failures=known.failures + 1, reason=reason
        )
        return self.kept[code]

    async def pause(self, code, at):
        self.kept[code] = replace(await self.of(code), paused=at)

    async def resume(self, code):
        known = await self.of(code)
        if known.paused is None:
            return False
        self.kept[code] = replace(known, paused=None, failing_since=None, failures=0, reason="")
        return True

    async def forget(self, code):
        self.kept.pop(code, None)


@dataclass
class Hand:
    """A report taken; what became of it."""

    content: bytes
    sequence: int = 1
    fates: list = field(default_factory=list)

    async def done(self):
        self.fates.append("done")

    async def later(self, seconds):
        self.fates.append(seconds)


class Leading(httpcore.AnyIOBackend):
    """Whoever connects to `PUBLIC` gets to a port of this machine; every connection is counted.

    The rule of what may be reached stays as it is in production, and has no switch: names resolve
    to a public address, and only the net behind the rule is another one.
    """

    def __init__(self, port, resolved=(PUBLIC,)):
        super().__init__()
        self.port, self.resolved = port, list(resolved)
        self.asked, self.connected = [], []

    async def resolve(self, host):
        self.asked.append(host)
        found = self.resolved[0] if len(self.resolved) == 1 else self.resolved.pop(0)
        return [found]

    async def connect_tcp(self, host, port, *more, **named):
        self.connected.append((host, port))
        return await super().connect_tcp("127.0.0.1", self.port, *more, **named)
