"""What did not come: channels that people use and that fell silent, by working days.

Silence is announced once for each time that it begins.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Protocol, cast

from services.intake.domain.silence import PUBLIC_CHANNELS, silent
from services.intake.handlers.opening import SOURCE
from services.intake.handlers.ports import KeptRecord, Records, Rules, RuleVersions
from shared.contracts import ChannelInterrupted, ChannelSilent
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.vocabulary import Channel
from shared.runtime.telemetry import Gauges, Seen

SILENT, QUIET_FOR = "langnghe_channel_silent", "langnghe_channel_quiet_seconds"
CHANNELS = Seen(
    Gauges(SILENT, "1: quiet for longer than the rulebook allows.", ("agency", "channel")),
    Gauges(QUIET_FOR, "Since a public channel was last heard.", ("agency", "channel")),
)


class Heard(Protocol):
    async def last(self, agency: str, channel: Channel) -> datetime | None:
        """When something last came through a channel."""


@dataclass(frozen=True, slots=True)
class Silence:
    """How long a channel has been quiet; `limit` working days are the most that it may be."""

    agency: str
    unit: str
    channel: Channel
    last_heard: datetime | None
    since: datetime
    limit: int
    is_silent: bool


def watcher(
    rules: RuleVersions, heard: Heard, alarms: Records, zone: tzinfo
) -> Callable[[datetime], Awaitable[int]]:
    async def watch(at: datetime) -> int:
        """Look once; answers how many alarms stand that were not there before."""
        found = await _silences(await rules.latest(), heard, at, zone)
        CHANNELS.tell(
            {
                SILENT: {(s.agency, s.channel): float(s.is_silent) for s in found},
                QUIET_FOR: {(s.agency, s.channel): (at - s.since).total_seconds() for s in found},
            }
        )
        return await announce(alarms, [_silent(s, at) for s in found if s.is_silent])

    return watch


async def announce(alarms: Records, found: Sequence[KeptRecord]) -> int:
    """Each once; answers how many stand that were not there before."""
    standing = await alarms.add_once(found, unannounced=True)
    return sum(s.arrival == f.arrival for s, f in zip(standing, found, strict=True))


async def _silences(rules: Rules, heard: Heard, at: datetime, zone: tzinfo) -> list[Silence]:
    """Of each channel that an agency must keep open to the public."""
    today = at.astimezone(zone).date()
    limit = rules.rulebook.silence_days
    found = []
    for agency in rules.agencies.values():
        for channel in agency.channels:
            if channel.channel not in PUBLIC_CHANNELS or not channel.in_force(today):
                continue
            last = await heard.last(agency.code, channel.channel)
            since = last or _midnight(max(channel.valid_from, agency.valid_from), zone)
            found.append(
                Silence(
                    agency.code,
                    agency.unit,
                    channel.channel,
                    last,
                    since,
                    limit,
                    silent(since, at, rules.is_working, limit, zone),
                )
            )
    return found


def _silent(silence: Silence, at: datetime) -> KeptRecord:
    data = ChannelSilent(
        agency=silence.agency,
        unit=silence.unit,
        channel=silence.channel,
        last_heard=silence.last_heard,
        working_days=silence.limit,
    )
    subject = f"{silence.agency}/{silence.channel.value}"
    return alarm(subject, data, silence.since.isoformat(), at)


def alarm(
    subject: str, data: ChannelSilent | ChannelInterrupted, since: str, at: datetime
) -> KeptRecord:
    """`since` tells it from other alarms of its type and subject: the same is announced once."""
    shape = cast("type[AnyEvent]", Event[type(data)])  # type: ignore[misc]
    event = shape(
        id=derived_id(subject, data.TYPE, since),
        source=SOURCE,
        type=data.TYPE,
        subject=subject,
        time=at,
        recordedtime=at,
        data=data,
    )
    return KeptRecord(key=event.id, arrival=f"watch:{at.isoformat()}", event=event)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
