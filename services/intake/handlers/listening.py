"""What an agency's own system withholds: numbers that never came, and its silence (T-04).

A number that is missing for longer than deliveries are late is announced, once. So is a feed that
has sent heartbeats and sends nothing any more: once, and it stands until the feed speaks again.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from services.intake.domain.heartbeat import QUIET, is_quiet, noticed
from services.intake.domain.silence import missing
from services.intake.handlers.ports import Feeds, KeptRecord, Records, RuleVersions
from services.intake.handlers.watching import alarm, announce
from shared.contracts import ChannelInterrupted
from shared.runtime.telemetry import Gauges, Seen

FEED_SILENT = "langnghe_feed_silent"
FEEDS = Seen(
    Gauges(FEED_SILENT, "1: a system that has sent heartbeats sends none any more.", ("agency",))
)


def feed_watcher(
    rules: RuleVersions, feeds: Feeds, alarms: Records, is_listening: Callable[[], bool]
) -> Callable[[datetime], Awaitable[int]]:
    """`is_listening` tells whether feeds reach us at all: if not, their silence is ours."""

    async def watch(at: datetime) -> int:
        """Look once; answers how many alarms stand that were not there before."""
        count = await _gaps(feeds, alarms, at)
        if not is_listening():
            FEEDS.forget()
            return count
        listened = await feeds.listening(at)
        agencies = (await rules.latest()).agencies
        found = [
            _silence(feed.agency, feed.track.last + 1, feed.heard, at)
            for feed in await feeds.quiet(at - QUIET)
            if feed.agency in agencies and is_quiet(feed.heard, listened, at)
        ]
        FEEDS.tell({FEED_SILENT: {(record.event.data.agency,): 1.0 for record in found}})
        return count + await announce(alarms, found)

    return watch


async def _gaps(feeds: Feeds, alarms: Records, at: datetime) -> int:
    count = 0
    for feed in await feeds.broken():
        gaps = noticed(missing(feed.track, feed.track.last), feed.gaps, at)
        due = [gap for gap in gaps if gap.is_due(at)]
        if gaps != feed.gaps:
            await feeds.notice(feed.agency, gaps)
        if due:
            found = [
                alarm(
                    feed.agency,
                    ChannelInterrupted(agency=feed.agency, first=gap.first, last=gap.last),
                    f"{gap.first}-{gap.last}",
                    at,
                )
                for gap in due
            ]
            count += await announce(alarms, found)
            await feeds.pass_over(feed.agency, due)
    return count


def _silence(agency: str, due: int, heard: datetime, at: datetime) -> KeptRecord:
    data = ChannelInterrupted(agency=agency, first=due, last=due, silent_since=heard)
    return alarm(agency, data, f"silent/{heard.isoformat()}", at)
