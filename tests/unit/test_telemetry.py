"""What is counted: by names that are few, from the start, and of a look all at once."""

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from shared.contracts import FEED
from shared.runtime import telemetry
from shared.runtime.streams import ANNOUNCES, CONSUMERS
from shared.runtime.telemetry import Gauges, Seen


def counted(kind: str) -> float:
    labels = {"entrance": "feed", "kind": kind, "fate": "kept"}
    return REGISTRY.get_sample_value("langnghe_items_total", labels) or 0.0


class TestItems:
    def test_one_counts_under_its_type(self):
        kind = min(FEED)
        before = counted(kind)
        telemetry.count_item("feed", kind, "kept")

        assert counted(kind) == before + 1

    def test_a_type_that_somebody_made_up_is_no_label(self):
        before = counted("other")
        telemetry.count_item("feed", "nguyen-van-a.called.v1", "kept")

        assert counted("other") == before + 1
        assert b"nguyen" not in generate_latest()


class TestFromTheStart:
    """From nothing to one is no increase to Prometheus: a first failure would not be seen."""

    @pytest.mark.parametrize("durable", CONSUMERS)
    def test_each_consumer_has_its_counts(self, durable):
        telemetry.RETRIED.clear()
        telemetry.begin(durable)

        retried = REGISTRY.get_sample_value("langnghe_messages_retried_total", {"durable": durable})
        assert retried is not None

    @pytest.mark.parametrize("type_", ["clock.started.v1", "clock.missed.v1", "clock.met.v1"])
    def test_each_event_of_a_clock_has_its_count(self, type_):
        telemetry.ANNOUNCED.clear()
        telemetry.begin_announcing("routing")

        assert type_ in ANNOUNCES["routing"]
        assert REGISTRY.get_sample_value("langnghe_events_announced_total", {"type": type_}) == 0


class TestSeen:
    @pytest.fixture
    def registry(self):
        return CollectorRegistry()

    @pytest.fixture
    def seen(self, registry):
        return Seen(Gauges("waiting", "How many wait.", ("durable",)), registry=registry)

    def test_before_the_first_look_nothing_is_told(self, seen, registry):
        assert registry.get_sample_value("waiting", {"durable": "a"}) is None

    def test_what_is_gone_is_not_told_any_more(self, seen, registry):
        seen.tell({"waiting": {("a",): 1.0, ("b",): 2.0}})
        seen.tell({"waiting": {("b",): 3.0}})

        assert registry.get_sample_value("waiting", {"durable": "a"}) is None
        assert registry.get_sample_value("waiting", {"durable": "b"}) == 3

    def test_what_is_too_old_is_forgotten(self, seen, registry):
        seen.tell({"waiting": {("a",): 1.0}})
        seen.forget()

        assert registry.get_sample_value("waiting", {"durable": "a"}) is None

    def test_a_metric_that_was_not_declared_is_refused(self, seen):
        with pytest.raises(KeyError, match="wating"):
            seen.tell({"wating": {}})
