"""How long a feed may lack a number, or be silent, before it is said. Pure: no I/O, no clock.

A heartbeat is numbered like everything else, so at the latest the next one shows that something
before it is missing. From the moment that an event should have come, its gap is told after

    HEARTBEAT   until the next heartbeat shows it
  + LOOK        until somebody looks
  + GRACE       while what is only late may still come
  + LOOK        until somebody looks again

which is nine minutes, and two heartbeat intervals are ten: a minute is left for heartbeats that
come late. Each heartbeat that is lost after it costs one interval more, until the silence itself
is told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HEARTBEAT = timedelta(minutes=5)
"""How often an agency's system sends one: a third of the silence that is told of, so that two may
be lost, and few enough that three thousand agencies send ten a second."""
LOOK = timedelta(seconds=30)
"""How often feeds are looked at: a tenth of the interval, which is little of the bound above."""
GRACE = timedelta(minutes=3)
"""How long a number may be missing unsaid. Longer than the first four tries that a message gets
here (1 s, 5 s, 30 s, 2 min), so that our own trouble is no gap of theirs."""
QUIET = timedelta(minutes=14)
"""Of a feed that sends heartbeats: with a look and its work it is told within 15 minutes."""
LAPSE = timedelta(minutes=5)
"""Between two looks: after a longer one nobody listened, and silence counts from when we do."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers `first` to `last`, both missing, and when that was first noticed."""

    first: int
    last: int
    noticed: datetime

    def is_due(self, at: datetime) -> bool:
        return at - self.noticed >= GRACE


@dataclass(frozen=True, slots=True)
class Listening:
    """Somebody has looked again and again, with no lapse, from `since` to `looked`."""

    since: datetime
    looked: datetime


def noticed(missing: Iterable[range], before: Sequence[Gap], at: datetime) -> tuple[Gap, ...]:
    """The gaps as they are now; what is left of an earlier one was noticed when that was."""
    return tuple(
        Gap(
            gap.start,
            gap.stop - 1,
            min(
                (g.noticed for g in before if g.first < gap.stop and gap.start <= g.last),
                default=at,
            ),
        )
        for gap in missing
    )


def listening(before: Listening | None, at: datetime) -> Listening:
    """After a look at `at`."""
    if before is None or at - before.looked > LAPSE:
        return Listening(at, at)
    return Listening(before.since, at)


def is_quiet(heard: datetime, listened: datetime, at: datetime) -> bool:
    """Nothing came since `heard`, though we have listened since `listened`."""
    return at - max(heard, listened) >= QUIET
