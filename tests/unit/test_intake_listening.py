"""What an agency's own system withholds is said in time, and nothing that came is called missing."""

from datetime import timedelta
from itertools import takewhile

import pytest
from prometheus_client import REGISTRY

from services.intake.domain.heartbeat import GRACE, HEARTBEAT, LAPSE, LOOK, QUIET
from services.intake.domain.silence import MOST_RANGES
from services.intake.handlers.ports import Sign
from tests.examples_intake import NOON
from tests.fakes_intake import MemoryRecords, memory_stores
from tests.withholding import AGENCY, Sending, Watched, told, traffic

SEEDS = range(20)
MINUTE = timedelta(minutes=1)
A_QUARTER = timedelta(minutes=15)


@pytest.fixture
async def watched():
    return await fresh()


async def fresh():
    return await Watched(memory_stores(), MemoryRecords()).start()


def said(watched):
    return [standing.event for standing in watched.alarms.unannounced]


def event(number, at=NOON, *, beats=False):
    return Sending(number, at, beats, at)


def beats(first, count, start=NOON):
    return [event(first + n, start + n * HEARTBEAT, beats=True) for n in range(count)]


class TestOneInFiftyWithheld:
    """T-04."""

    @pytest.mark.parametrize("seed", SEEDS)
    async def test_every_gap_is_said_within_two_heartbeat_intervals(self, watched, seed):
        sendings = traffic(seed)
        await watched.until(sendings[-1].at + HEARTBEAT, sendings)

        found = told(said(watched))
        withheld = {s.number: s.at for s in sendings if s.arrives is None}
        assert found.keys() == withheld.keys()
        assert all(found[n] - withheld[n] <= 2 * HEARTBEAT for n in withheld)

    @pytest.mark.parametrize("seed", SEEDS)
    async def test_a_heartbeat_lost_after_it_costs_one_interval(self, watched, seed):
        sendings = traffic(seed, one_in=10, heartbeats_too=True)
        await watched.until(sendings[-1].at + HEARTBEAT, sendings)

        found = told(said(watched))
        came = {s.number for s in sendings if s.arrives}
        assert not found.keys() & came
        for n, sending in enumerate(sendings):
            later = [s for s in sendings[n + 1 :] if s.beats]
            lost = len(list(takewhile(lambda s: s.arrives is None, later)))
            if sending.arrives is None and lost < len(later):
                bound = (2 + lost + sending.beats) * HEARTBEAT
                assert found[sending.number] - sending.at <= bound

    async def test_the_last_event_is_missed_by_the_next_heartbeat(self, watched):
        await watched.until(NOON + 2 * HEARTBEAT, [event(1), *beats(3, 2, NOON + HEARTBEAT)])

        assert told(said(watched)).keys() == {2}

    async def test_more_than_a_track_has_room_for_is_said(self, watched):
        numbers = range(1, 4 * MOST_RANGES, 2)
        for start in range(0, len(numbers), MOST_RANGES // 2):
            came = tuple(numbers[start : start + MOST_RANGES // 2])
            await watched.stores.feeds.saw({AGENCY: Sign(came, NOON)})
            await watched.until(watched.at + GRACE + LOOK)

        assert sorted(told(said(watched))) == list(range(2, numbers[-1], 2))


class TestWhatIsOnlyLate:
    async def test_it_is_no_gap(self, watched):
        late = Sending(1, NOON, beats=False, arrives=NOON + GRACE)
        await watched.until(NOON + HEARTBEAT, [event(2), late])

        assert said(watched) == []

    async def test_what_still_lacks_is_said_when_the_whole_gap_would_have_been(self, watched):
        late = Sending(2, NOON, beats=False, arrives=NOON + 2 * MINUTE)
        await watched.until(NOON + GRACE, [event(4), late])

        assert told(said(watched)) == dict.fromkeys((1, 3), NOON + GRACE)

    async def test_what_comes_after_it_was_said_is_not_said_again(self, watched):
        late = Sending(2, NOON, beats=False, arrives=NOON + GRACE + MINUTE)
        await watched.until(NOON + 3 * HEARTBEAT, [event(4), late])

        assert [(e.data.first, e.data.last) for e in said(watched)] == [(1, 3)]


class TestSilence:
    @pytest.mark.parametrize("phase", range(0, 30, 7))
    async def test_it_is_said_within_fifteen_minutes(self, watched, phase):
        start = NOON + timedelta(seconds=phase)
        await watched.until(NOON + 3 * HEARTBEAT + A_QUARTER + MINUTE, beats(1, 3, start))

        [silence] = said(watched)
        heard = start + 2 * HEARTBEAT
        assert silence.data.silent_since == heard
        assert (silence.data.first, silence.data.last) == (4, 4)
        assert QUIET <= silence.time - heard <= A_QUARTER

    async def test_it_stands_until_the_feed_speaks_again(self, watched):
        again = NOON + timedelta(days=1)
        await watched.until(again - MINUTE, beats(1, 1))
        assert len(said(watched)) == 1

        await watched.until(again + A_QUARTER, [event(2, again)])

        assert [e.data.silent_since for e in said(watched)] == [NOON, again]

    async def test_a_feed_that_sends_no_heartbeats_may_be_silent_for_minutes(self, watched):
        await watched.until(NOON + timedelta(hours=3), [event(1)])

        assert said(watched) == []

    async def test_ours_is_not_theirs(self, watched):
        await watched.until(NOON, beats(1, 1))
        watched.is_listening = False
        await watched.until(NOON + timedelta(hours=1))
        watched.is_listening = True

        await watched.until(NOON + timedelta(hours=1) + QUIET)

        assert said(watched) == []

    async def test_a_short_restart_of_ours_does_not_put_it_off(self, watched):
        await watched.until(NOON, beats(1, 1))
        watched.at = NOON + LAPSE

        await watched.until(NOON + QUIET)

        assert len(said(watched)) == 1

    async def test_an_agency_of_no_directory_is_not_missed(self, watched):
        await watched.stores.feeds.saw({"gone": Sign((1,), NOON, beats=True)})

        await watched.until(NOON + A_QUARTER)

        assert said(watched) == []


async def test_of_a_heartbeat_nothing_is_kept_but_that_it_was_heard(watched):
    await watched.send(event(1, beats=True))

    [noted] = watched.stores.arrivals.noted.values()
    assert (noted.fate, noted.subject, noted.sealed) == ("heard", None, None)


async def test_a_feed_that_fell_silent_is_told_until_it_speaks_again(watched):
    def told_silent():
        return REGISTRY.get_sample_value("langnghe_feed_silent", {"agency": AGENCY})

    await watched.until(NOON + 4 * HEARTBEAT, beats(1, 2))
    assert told_silent() == 1

    at = watched.at
    await watched.until(at + LOOK, beats(3, 2, at))
    assert told_silent() is None
