"""What is missing: numbers of a feed that never came, channels that have fallen silent."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from shared.contracts.vocabulary import Channel

MOST_RANGES = 1_000
"""Of numbers seen beyond a gap; so much of a feed's disorder is remembered."""
PUBLIC_CHANNELS = frozenset((Channel.MAILBOX, Channel.HOTLINE))
"""Those that an agency must keep open to the public: their silence is announced."""

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Track:
    """Which numbers of a feed have been seen; a feed counts its sendings from 1.

    All up to `contiguous`, and those in `ahead`: half-open ranges in order, none touching
    another. It stays small however long the feed, and the order of arrival leaves no trace.
    """

    contiguous: int = 0
    ahead: tuple[tuple[int, int], ...] = ()

    @property
    def last(self) -> int:
        """The greatest number seen."""
        return self.ahead[-1][1] - 1 if self.ahead else self.contiguous


def saw(track: Track, sequence: int) -> Track:
    """The track with one number more; a number seen before, or below 1, changes nothing.

    With `MOST_RANGES` ranges ahead a number that would open another is forgotten: then it counts
    as missing though it came, never the other way round.
    """
    if sequence <= track.contiguous:
        return track
    if sequence == track.contiguous + 1 and not track.ahead:
        return Track(sequence)
    at = bisect_right(track.ahead, sequence, key=lambda found: found[0])
    before, after = track.ahead[:at], track.ahead[at:]
    first, end = sequence, sequence + 1
    if before and before[-1][1] >= sequence:
        if before[-1][1] > sequence:
            return track
        first, before = before[-1][0], before[:-1]
    if after and after[0][0] == end:
        end, after = after[0][1], after[1:]
    if first == track.contiguous + 1:
        return Track(end - 1, after)
    if len(before) + len(after) >= MOST_RANGES:
        return track
    return Track(track.contiguous, (*before, (first, end), *after))


def missing(track: Track, up_to: int) -> tuple[range, ...]:
    """Every gap from 1 to `up_to`, itself included: what the sender says it has sent so far."""
    found, start = [], track.contiguous + 1
    for first, end in track.ahead:
        if first > up_to:
            break
        found.append(range(start, first))
        start = end
    if start <= up_to:
        found.append(range(start, up_to + 1))
    return tuple(found)


def passed_over(track: Track, numbers: Iterable[range]) -> Track:
    """The track with these numbers waited for no more, as if they had come."""
    known = [(1, track.contiguous + 1), *track.ahead, *((r.start, r.stop) for r in numbers)]
    joined: list[tuple[int, int]] = []
    for first, end in sorted(known):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((first, end))
    return Track(joined[0][1] - 1, tuple(joined[1:]))


def gaps(seen: Iterable[int], up_to: int) -> tuple[range, ...]:
    """Every gap of a whole feed, from 1 to `up_to`, itself included; `seen` in any order."""
    found, expected = [], 1
    for sequence in sorted({s for s in seen if 1 <= s <= up_to}):
        if sequence > expected:
            found.append(range(expected, sequence))
        expected = sequence + 1
    if expected <= up_to:
        found.append(range(expected, up_to + 1))
    return tuple(found)


def silent(
    last_heard: datetime,
    now: datetime,
    is_working: Callable[[date], bool],
    limit: int,
    zone: tzinfo,
) -> bool:
    """A channel has been mute for `limit` whole working days, at least one.

    Days are those of the legal `zone`. The day on which it was last heard and the day of `now`,
    which is not over, do not count; of a channel never heard, give when it was made public.
    """
    day, today = last_heard.astimezone(zone).date() + ONE_DAY, now.astimezone(zone).date()
    left = max(limit, 1)
    while day < today and left:
        left -= is_working(day)
        day += ONE_DAY
    return not left
