"""An agency's feed of which somebody withholds a part, and what is said of it, by a set clock."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from services.intake.domain.heartbeat import HEARTBEAT, LOOK
from services.intake.handlers import feed_watcher, receiver
from shared.contracts import FeedHeartbeat
from tests.examples_intake import NOON, directory_published, rulebook_published, sent
from tests.fakes_intake import receiving

AGENCY = "a017"
DIALOGUE = "dialogue.held.v1"
SAID = {"held": "2026-05-04", "participants": 4, "opinions_received": 2, "opinions_accepted": 1}
LATEST = timedelta(minutes=1)
"""How late a delivery of `traffic` comes at most: others overtake it."""


@dataclass(frozen=True, slots=True)
class Sending:
    number: int
    at: datetime
    beats: bool
    arrives: datetime | None
    """None: withheld."""


@dataclass(slots=True)
class Watched:
    """Intake and its watch on `stores`; looks every `LOOK`, at `NOON` first."""

    stores: object
    alarms: object
    is_listening: bool = True
    at: datetime = NOON
    sequence: int = 0

    async def start(self):
        await self.stores.rules.keep([directory_published()], [rulebook_published()])
        return self

    async def send(self, *sendings):
        """What arrives of them, in this order."""
        batch = []
        for sending in sendings:
            self.sequence += 1
            arrival = sent(
                FeedHeartbeat.TYPE if sending.beats else DIALOGUE,
                {} if sending.beats else SAID,
                item=f"item-{sending.number}",
                sequence=self.sequence,
                number=str(sending.number),
            )
            batch.append(replace(arrival, recorded=sending.arrives))
        await receiver(receiving(self.stores))(batch)

    async def until(self, end, sendings=()):
        """Take what arrives and look again and again, up to and with `end`."""
        watch = feed_watcher(
            self.stores.rules, self.stores.feeds, self.alarms, lambda: self.is_listening
        )
        left = sorted((s for s in sendings if s.arrives), key=lambda s: s.arrives)
        while self.at <= end:
            now = [s for s in left if s.arrives <= self.at]
            left = left[len(now) :]
            if now:
                await self.send(*now)
            await watch(self.at)
            self.at += LOOK


def traffic(seed, *, hours=2.0, one_in=50, heartbeats_too=False):
    """What a feed sends from `NOON` on: events at random, a heartbeat every `HEARTBEAT`.

    One in `one_in` events is withheld; one in ten of the others is late, by `LATEST` at most.
    After the last event two heartbeats follow.
    """
    dice = Random(seed)
    start = NOON - timedelta(seconds=dice.uniform(0, LOOK.total_seconds()))
    end = start + timedelta(hours=hours)
    mean = dice.choice((5.0, 30.0, 120.0, 900.0))
    moments, at = [], start
    while (at := at + timedelta(seconds=dice.expovariate(1 / mean))) < end:
        moments.append((at, False))
    moments += [(start + n * HEARTBEAT, True) for n in range(int((end - start) / HEARTBEAT) + 3)]
    sendings = []
    for number, (moment, beats) in enumerate(sorted(moments), 1):
        may_be_lost = heartbeats_too or not beats
        lost = may_be_lost and dice.randrange(one_in) == 0
        delay = LATEST * dice.random() if dice.randrange(10) == 0 else timedelta()
        sendings.append(Sending(number, moment, beats, None if lost else moment + delay))
    return sendings


def told(events):
    """By number: when it was said to be missing."""
    return {
        number: event.time
        for event in events
        if event.data.silent_since is None
        for number in range(event.data.first, event.data.last + 1)
    }
