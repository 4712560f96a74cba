"""What did not come: channels that fell silent, numbers of a feed that never arrived.

Silence is announced once for each time that it begins. A gap is announced when two looks in a
row have found it, so that what is only late says nothing.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, tzinfo
from typing import Protocol, cast

from services.intake.domain.silence import PUBLIC_CHANNELS, missing, silent
from services.intake.handlers.opening import SOURCE
from services.intake.handlers.ports import Feeds, KeptRecord, Records, Rules, RuleVersions
from shared.contracts import ChannelInterrupted, ChannelSilent
from shared.contracts.envelope import AnyEvent, Event, derived_id
from shared.contracts.vocabulary import Channel


class Heard(Protocol):
    async def last(self, agency: str, channel: Channel) -> datetime | None:
        """When something last came through a channel."""


def watcher(
    rules: RuleVersions, heard: Heard, feeds: Feeds, alarms: Records, zone: tzinfo
) -> Callable[[datetime], Awaitable[int]]:
    async def watch(at: datetime) -> int:
        """Look once; answers how many alarms stand that were not there before."""
        in_force = await rules.latest()
        found = [*await _silences(in_force, heard, at, zone), *await _gaps(feeds, at)]
        standing = await alarms.add_once(found, unannounced=True)
        return sum(s.arrival == f.arrival for s, f in zip(standing, found, strict=True))

    return watch


async def _silences(rules: Rules, heard: Heard, at: datetime, zone: tzinfo) -> list[KeptRecord]:
    today = at.astimezone(zone).date()
    limit = rules.rulebook.silence_days
    found = []
    for agency in rules.agencies.values():
        for channel in agency.channels:
            if channel.channel not in PUBLIC_CHANNELS or not channel.in_force(today):
                continue
            last = await heard.last(agency.code, channel.channel)
            since = last or _midnight(max(channel.valid_from, agency.valid_from), zone)
            if not silent(since, at, rules.is_working, limit, zone):
                continue
            data = ChannelSilent(
                agency=agency.code,
                unit=agency.unit,
                channel=channel.channel,
                last_heard=last,
                working_days=limit,
            )
            subject = f"{agency.code}/{channel.channel.value}"
            found.append(_alarm(subject, data, since.isoformat(), at))
    return found


async def _gaps(feeds: Feeds, at: datetime) -> list[KeptRecord]:
    found = []
    for feed in await feeds.all():
        gaps = [(g.start, g.stop - 1) for g in missing(feed.track, feed.track.last)]
        for first, last in gaps:
            if (first, last) in feed.suspected:
                data = ChannelInterrupted(agency=feed.agency, first=first, last=last)
                found.append(_alarm(feed.agency, data, f"{first}-{last}", at))
        if tuple(gaps) != feed.suspected:
            await feeds.suspect(feed.agency, gaps)
    return found


def _alarm(
    subject: str, data: ChannelSilent | ChannelInterrupted, since: str, at: datetime
) -> KeptRecord:
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
