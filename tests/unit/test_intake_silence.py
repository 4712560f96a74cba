"""What never came is found: gaps in a feed, channels that fell silent, agencies out of reach."""

from datetime import UTC, date, datetime, timedelta
from functools import reduce
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.silence import (
    MOST_RANGES,
    Track,
    gaps,
    missing,
    saw,
    silent,
)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = date(2026, 5, 11)
NOON = datetime(2026, 5, 11, 5, 0, tzinfo=UTC)
"""Monday, noon in Vietnam."""
HOUR = timedelta(hours=1)

sequences = st.lists(st.integers(-3, 60), max_size=80)


def tracked(seen) -> Track:
    return reduce(saw, seen, Track())


def flat(ranges) -> list[int]:
    return [number for found in ranges for number in found]


def weekdays(day: date) -> bool:
    return day.isoweekday() < 6


class TestGaps:
    @given(sequences, st.integers(0, 70))
    def test_what_is_missing_is_what_was_not_seen(self, seen, up_to):
        assert flat(gaps(seen, up_to)) == [n for n in range(1, up_to + 1) if n not in seen]

    @given(sequences, st.integers(0, 70))
    def test_a_track_misses_the_same(self, seen, up_to):
        assert missing(tracked(seen), up_to) == gaps(seen, up_to)

    @given(sequences)
    def test_the_order_of_arrival_leaves_no_trace(self, seen):
        assert tracked(seen) == tracked(sorted(seen)) == tracked(reversed(seen))

    @given(sequences)
    def test_a_repetition_changes_nothing(self, seen):
        track = tracked(seen)

        assert reduce(saw, seen, track) == track

    @given(sequences)
    def test_a_track_is_as_small_as_can_be(self, seen):
        track = tracked(seen)

        edges = [track.contiguous + 1, *(edge for found in track.ahead for edge in found)]
        assert edges == sorted(set(edges))
        assert all(first < end for first, end in track.ahead)

    @given(sequences)
    def test_the_last_is_the_greatest_seen(self, seen):
        assert tracked(seen).last == max([0, *seen])

    def test_every_fiftieth_that_was_held_back_is_found(self):
        """T-04."""
        sent = range(1, 5_001)
        track = tracked(n for n in sent if n % 50)

        assert missing(track, 5_000) == tuple(range(n, n + 1) for n in range(50, 5_001, 50))

    def test_what_comes_late_is_missing_no_more(self):
        track = saw(tracked([1, 2, 4, 5]), 3)

        assert track == Track(5)

    def test_a_heartbeat_tells_of_an_end_that_never_came(self):
        assert missing(tracked([1, 2]), 5) == (range(3, 6),)

    def test_a_number_far_ahead_is_one_gap(self):
        assert missing(tracked([1, 10**18]), 10**18) == (range(2, 10**18),)

    def test_a_track_never_grows_past_its_bound(self):
        track = tracked(range(2, 10 * MOST_RANGES, 2))

        assert len(track.ahead) == MOST_RANGES

    def test_past_the_bound_no_gap_is_hidden(self):
        seen = range(2, 10 * MOST_RANGES, 2)

        assert set(flat(gaps(seen, 9_999))) <= set(flat(missing(tracked(seen), 9_999)))

    def test_past_the_bound_gaps_still_close(self):
        track = tracked([*range(2, 10 * MOST_RANGES, 2), *range(1, 10 * MOST_RANGES)])

        assert track == Track(10 * MOST_RANGES - 1)


class TestSilent:
    def test_two_whole_working_days_without_a_word(self):
        """Heard on Monday: Tuesday and Wednesday pass, Thursday begins."""
        thursday = datetime(2026, 5, 14, 0, 0, tzinfo=ZONE)

        assert not silent(NOON, thursday - timedelta(seconds=1), weekdays, 2, ZONE)
        assert silent(NOON, thursday, weekdays, 2, ZONE)

    def test_days_off_do_not_count(self):
        friday, monday = NOON + timedelta(days=4), NOON + timedelta(days=7)

        assert not silent(friday, monday + 11 * HOUR, weekdays, 1, ZONE)
        assert silent(friday, monday + timedelta(days=1), weekdays, 1, ZONE)

    def test_days_are_those_of_the_legal_zone(self):
        """18:00 UTC on Monday is Tuesday in Vietnam: Wednesday is the first whole day."""
        heard = datetime(2026, 5, 11, 18, 0, tzinfo=UTC)
        on_wednesday = datetime(2026, 5, 13, 12, 0, tzinfo=UTC)
        on_thursday = datetime(2026, 5, 13, 17, 0, tzinfo=UTC)

        assert not silent(heard, on_wednesday, weekdays, 1, ZONE)
        assert silent(heard, on_thursday, weekdays, 1, ZONE)

    def test_a_clock_that_went_back_makes_nobody_silent(self):
        assert not silent(NOON, NOON - timedelta(days=30), weekdays, 1, ZONE)

    def test_no_limit_counts_as_one_day(self):
        assert not silent(NOON, NOON + HOUR, weekdays, 0, ZONE)

    @given(st.integers(0, 400), st.integers(1, 30), st.sets(st.integers(0, 400)))
    def test_it_counts_the_working_days_between(self, days, limit, off):
        free = {MONDAY + timedelta(days=n) for n in off}
        between = [MONDAY + timedelta(days=n) for n in range(1, days)]

        told = silent(NOON, NOON + timedelta(days=days), lambda d: d not in free, limit, ZONE)

        assert told is (sum(day not in free for day in between) >= limit)
